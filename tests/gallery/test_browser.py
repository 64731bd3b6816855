"""The pages in a browser: they load without errors or requests, and what can be pressed or dragged does what it says.

Needs Chromium (Debian's package `chromium`) and Playwright (in the extra `develop`; no browser is downloaded).
"""

import io
import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from impasto.curation.doctor.diagnosis import diagnose
from impasto.evaluation.copy_search import find_copies
from impasto.evaluation.images import open_pictures
from impasto.evaluation.quiz import draw_quiz, read_answers, read_key, score
from impasto.gallery.comparison_page import write_comparison
from impasto.gallery.doctor_page import write_check_page
from impasto.gallery.memorisation_page import write_memorisation_page
from impasto.gallery.quiz_page import write_quiz
from impasto.gallery.report_page import Comparison, write_report
from impasto.gallery.table_page import write_table_page
from tests.evaluation.test_copies import Wall, painting, training
from tests.gallery.pages import HOSTILE, picture
from tests.gallery.run_folders import evaluated, make_run, measure, scalars
from tests.gallery.test_doctor_page import paint
from tests.gallery.test_table_page import result

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install playwright")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium")

PAGES = ("comparison", "doctor", "memorisation", "quiz", "report", "table")
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
RED, BLUE = (200, 30, 30), (30, 30, 200)


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])  # root has no sandbox
        yield launched
        launched.close()


@pytest.fixture
def visit(browser):
    """Return a function that opens a page. Afterwards, any error or request of these pages fails the test."""
    contexts, complaints = [], []

    def note_request(request):
        if not request.url.startswith(("file://", "data:", "blob:")):  # blob: the quiz saves what the page holds
            complaints.append(f"request: {request.url}")

    def open_page(path, **settings):
        context = browser.new_context(**{"viewport": DESK, "reduced_motion": "reduce", **settings})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(5000)
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("request", note_request)
        page.goto(path.absolute().as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def flat(path, colour, size=(60, 40)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


def write_all(folder, name="run"):
    """Write one page of each kind, small, with `name` wherever a name can come from outside."""
    runs = [
        make_run(
            folder / f"{place}{name}".replace("/", "|"),
            *(scalars(seen, **{"cycle": 4.0 * (place + 1) / (seen / 240), name: 1.0}) for seen in (240, 480, 720, 960)),
            evaluated(480, measure("fid", 60.0 + place, interval=[58.0, 62.0])),
            evaluated(960, measure("fid", 50.0 + place), warnings=[name]),
            sheets=(0, 480, 960),
            width=place,
        )
        for place in range(2)
    ]
    pair = Comparison(name, flat(folder / "photo.png", RED), flat(folder / "painting.png", BLUE))
    write_report(runs[0], [pair], folder / "report.html", title=name, facts={name: name})
    write_comparison(runs, folder / "comparison.html")
    for seed in range(12):
        paint(folder / "collection" / f"class {seed % 2}{name}".replace("/", "|") / f"{seed}.png", seed % 9)
    write_check_page(diagnose(folder / "collection"), folder / "doctor.html", {name: name})
    known = training(4)
    shown, known = Wall({name: painting(100), "flipped": known["02.png"].transpose(0)}), Wall(known)
    copies = find_copies(shown, known)
    write_memorisation_page(copies, shown, known, folder / "memorisation.html", name, {name: name})
    for seed in range(3):
        picture(folder / "real" / f"{seed}.png", size=(64, 64), seed=seed)
        flat(folder / "painted" / f"{seed}.png", BLUE, (64, 64))
    painted, real = open_pictures(str(folder / "painted")), open_pictures(str(folder / "real"))
    write_quiz(draw_quiz(painted, real, each=3), folder / "quiz.html")
    write_table_page(result(folder), folder / "table.html")
    return folder


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMPASTO_CACHE", str(tmp_path_factory.mktemp("cache")))
        return write_all(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def hostile_pages(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMPASTO_CACHE", str(tmp_path_factory.mktemp("cache")))
        return write_all(tmp_path_factory.mktemp("hostile"), f"{HOSTILE}<img src=x onerror=alert(2)> é漢")


# All pages


CONTRASTS = """
() => {
  const luminance = (colour) => {
    const light = colour.map((part) => part / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2];
  };
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour.length === 3) return colour;
    }
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const onPicture = element.closest(".frame, script, style");
    if (onPicture || !texts.currentNode.data.trim() || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const ink = element.closest("svg") ? style.fill : style.color;
    const [high, low] = [luminance(numbers(ink)), luminance(ground(element))].sort((a, b) => b - a);
    found.push([(high + 0.05) / (low + 0.05), texts.currentNode.data.trim()]);
  }
  return found;
}
"""

OUTLINED = """
() => {
  for (let at = document.activeElement; at; at = at.parentElement) {
    const { outlineStyle, outlineWidth } = getComputedStyle(at);
    if (outlineStyle !== "none" && outlineWidth !== "0px") return true;
  }
  return false;
}
"""


@pytest.mark.parametrize("name", PAGES)
def test_a_page_loads_with_all_pictures_and_fits_the_screen(visit, pages, name):
    page = visit(pages / f"{name}.html")
    assert page.locator("h1").inner_text()
    assert page.locator("img").count() > 0
    assert page.evaluate("[...document.images].filter((image) => image.src && !image.naturalWidth).length") == 0
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth") == size["width"]


@pytest.mark.parametrize("name", PAGES)
def test_words_stand_out_from_the_background_on_light_and_dark(visit, pages, name):
    """Colours follow the system, and the contrast of text is at least 4.5, as WCAG 2.2 asks (1.4.3)."""
    page = visit(pages / f"{name}.html")
    for scheme, ground in (("light", "rgb(250, 248, 243)"), ("dark", "rgb(24, 22, 19)")):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == ground
        found = page.evaluate(CONTRASTS)
        assert len(found) > 10
        assert [text for contrast, text in found if contrast < 4.5] == []


@pytest.mark.parametrize("name", ["comparison", "doctor", "quiz", "report"])
def test_a_control_is_outlined_when_the_keyboard_reaches_it(visit, pages, name):
    page = visit(pages / f"{name}.html")
    page.keyboard.press("Tab")
    reached = 0
    while page.evaluate("document.activeElement !== document.body"):
        assert page.evaluate(OUTLINED), page.evaluate("document.activeElement.outerHTML")[:200]
        reached += 1
        page.keyboard.press("Tab")
    assert reached == {"comparison": 8, "doctor": 1, "quiz": 8, "report": 8}[name]


@pytest.mark.parametrize("name", PAGES)
def test_hostile_names_run_nothing(visit, hostile_pages, name):
    page = visit(hostile_pages / f"{name}.html")
    assert page.locator("img:not([src^='data:'])").count() == 0
    assert page.evaluate("document.scripts.length") == (1 if name in ("comparison", "quiz", "report") else 0)
    if name not in ("quiz", "table"):
        assert "<script>alert(1)</script>" in page.locator("body").inner_text()


# The report


def test_the_line_between_photo_and_painting_follows_mouse_and_keyboard(visit, pages):
    page = visit(pages / "report.html")
    frame, slider = page.locator(".frame"), page.locator(".frame input")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()

    def shown(share):
        return colour_at(page, box["x"] + share * box["width"], box["y"] + 0.3 * box["height"])

    assert (shown(0.4), shown(0.6)) == (RED, BLUE)
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.5 * box["height"], steps=3)
    page.mouse.up()
    assert float(slider.input_value()) == pytest.approx(20, abs=0.5)
    assert (shown(0.1), shown(0.4)) == (RED, BLUE)
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert float(slider.input_value()) == pytest.approx(22, abs=0.5)
    assert slider.get_attribute("aria-valuetext") == "22 % photo"
    page.keyboard.press("End")
    assert shown(0.9) == RED


def colour_at(page, x, y):
    """The colour of a page at a place of the window, without the errors of JPEG."""
    shot = page.screenshot(clip={"x": x, "y": y, "width": 4, "height": 4})
    pixel = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"))[1, 1].astype(int)
    return next((known for known in (RED, BLUE) if np.abs(pixel - known).max() < 12), tuple(pixel.tolist()))


def test_the_filmstrip_shows_the_sheet_of_a_moment(visit, pages):
    page = visit(pages / "report.html")
    stage, frames = page.locator(".stage"), page.locator(".filmstrip ol button")
    assert stage.locator("img").get_attribute("alt") == "Samples after 960 images seen"
    frames.nth(0).click()
    assert stage.locator("img").get_attribute("src") == frames.nth(0).locator("img").get_attribute("src")
    assert stage.locator("strong").inner_text() == "0"
    assert [frame.get_attribute("aria-pressed") for frame in frames.all()] == ["true", "false", "false"]
    stage.locator("input").press("ArrowRight")
    assert stage.locator("img").get_attribute("alt") == "Samples after 480 images seen"
    assert stage.locator("input").get_attribute("aria-valuetext") == "480 images seen"


def test_curves_of_a_report_are_read_under_the_pointer_and_by_keys(visit, pages):
    page = visit(pages / "report.html")
    chart, other = page.locator(".chart").nth(0), page.locator(".chart").nth(1)
    reading = chart.locator(".reading")
    assert reading.inner_text() == "1 (smoothed 1) at 960 images"
    point_at(page, chart.locator("svg"), 0.4)
    assert reading.inner_text() == "2 (smoothed 2) at 480 images"
    assert other.locator(".reading").inner_text() == "1 (smoothed 1) at 480 images"
    assert chart.locator(".cursor").get_attribute("visibility") == "visible"
    page.mouse.move(0, 0)
    assert reading.inner_text() == "1 (smoothed 1) at 960 images"
    chart.locator("svg").focus()
    page.keyboard.press("Home")
    assert reading.inner_text() == "4 (smoothed 4) at 240 images"
    page.keyboard.press("Tab")
    assert chart.locator(".cursor").get_attribute("visibility") == "hidden"


def point_at(page, svg, share):
    svg.scroll_into_view_if_needed()
    box = svg.bounding_box()
    page.mouse.move(box["x"] + (56 + share * 332) / 400 * box["width"], box["y"] + box["height"] / 2)


def test_a_printed_report_shows_its_settings(visit, pages):
    page = visit(pages / "report.html")
    assert not page.locator("dl dt", has_text="method.name").is_visible()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("dl dt", has_text="method.name").is_visible()


# The comparison


def test_the_moment_shows_the_nearest_sheet_of_each_run(visit, pages):
    page = visit(pages / "comparison.html")
    slider, sheets = page.locator("#moment"), page.locator(".sheet")
    slider.press("Home")
    assert page.locator(".moment strong").inner_text() == "0"
    for place in range(2):
        shown = [one for one in sheets.nth(place).locator("img").all() if one.is_visible()]
        assert [one.get_attribute("data-seen") for one in shown] == ["after 0 images"]
        assert sheets.nth(place).locator(".seen").inner_text() == "after 0 images"
    slider.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "480 images seen"
    assert sheets.nth(1).locator("img:visible").get_attribute("data-seen") == "after 480 images"


def test_a_pressed_sheet_enlarges_the_same_place_on_all(visit, pages):
    page = visit(pages / "comparison.html")
    buttons = page.locator(".sheet button")
    box = buttons.nth(0).bounding_box()
    buttons.nth(0).click(position={"x": box["width"] / 4, "y": box["height"] / 2})
    assert [button.get_attribute("aria-pressed") for button in buttons.all()] == ["true", "true"]
    styles = page.evaluate(
        """() => [...document.querySelectorAll(".sheet img:not([hidden])")].map((image) => getComputedStyle(image))
        .map(({transform, transformOrigin, width}) => [transform, parseFloat(transformOrigin) / parseFloat(width)])"""
    )
    assert styles == [["matrix(2.5, 0, 0, 2.5, 0, 0)", pytest.approx(0.25, abs=0.01)]] * 2
    buttons.nth(1).press("Enter")
    assert [button.get_attribute("aria-pressed") for button in buttons.all()] == ["false", "false"]


def test_a_runs_name_hides_and_shows_its_curves(visit, pages):
    page = visit(pages / "comparison.html")
    key = page.locator(".key button").nth(0)
    lines, readings = page.locator(".charts g[data-run='0']"), page.locator(".readings [data-run='0']")
    assert lines.count() == readings.count() == 3
    key.click()
    assert key.get_attribute("aria-pressed") == "false"
    assert not any(part.is_visible() for part in [*lines.all(), *readings.all()])
    assert all(part.is_visible() for part in page.locator(".readings [data-run='1']").all())
    key.press("Space")
    assert all(part.is_visible() for part in readings.all())


def test_curves_of_a_comparison_are_read_together(visit, pages):
    page = visit(pages / "comparison.html")
    fid, cycle = page.locator(".chart").nth(0), page.locator(".chart").nth(1)
    assert outputs(fid) == ["50", "51"]
    assert outputs(cycle) == ["1", "2"]
    point_at(page, cycle.locator("svg"), 0.4)
    assert cycle.locator(".at").inner_text() == "at 480 images"
    assert (outputs(fid), outputs(cycle)) == (["60", "61"], ["2", "4"])
    page.mouse.move(0, 0)
    assert (outputs(fid), cycle.locator(".at").inner_text()) == (["50", "51"], "last values")
    cycle.locator("svg").focus()
    page.keyboard.press("Home")
    assert outputs(cycle) == ["4", "8"]
    assert outputs(fid) == ["60", "61"]  # its own first values


def outputs(chart):
    return [output.inner_text() for output in chart.locator("output").all()]


# The quiz


def test_a_quiz_is_answered_and_saved(visit, pages, tmp_path):
    page, key = visit(pages / "quiz.html", accept_downloads=True), read_key(pages / "quiz-key.json")
    right = [shown.kind for shown in key.pictures]
    for place, kind in enumerate(right):
        page.locator("fieldset").nth(place).get_by_text(kind.capitalize(), exact=True).click()
        assert page.locator("output").inner_text() == str(place + 1)
    page.get_by_label("Your name").fill("Ada <b> Ünal / 漢")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save my answers").click()
    assert download.value.suggested_filename == "answers-Ada-b-Ünal-漢.json"
    file = tmp_path / "answers.json"
    download.value.save_as(file)
    (answers,) = read_answers([file], key)
    assert (answers.name, list(answers.answers)) == ("Ada <b> Ünal / 漢", right)
    assert score(answers, key).accuracy.value == 1
    assert "Saved as answers-Ada-b-Ünal-漢.json." in page.locator(".status").inner_text()
    assert json.loads(file.read_text())["quiz"] == key.quiz


def test_a_quiz_with_gaps_is_not_saved_and_shows_the_first_gap(visit, pages):
    page = visit(pages / "quiz.html")
    downloads = []
    page.on("download", lambda download: downloads.append(download))
    page.get_by_label("Your name").fill("Ada")
    page.locator("fieldset").nth(0).get_by_text("Real").click()
    page.get_by_role("button", name="Save my answers").click()
    assert page.locator(".status").inner_text() == "Please answer every picture; 5 left."
    assert page.locator("fieldset.missing").count() == 5
    assert page.evaluate("document.activeElement.name") == "picture-2"
    page.keyboard.press("ArrowRight")  # answers by keyboard
    assert page.evaluate("document.activeElement.value") == "painted"
    assert page.locator("fieldset.missing").count() == 4
    assert page.locator("output").inner_text() == "2"
    assert downloads == []


def test_a_quiz_needs_a_name(visit, pages):
    page = visit(pages / "quiz.html")
    page.get_by_role("button", name="Save my answers").click()
    assert page.evaluate("document.activeElement.id") == "name"
    assert page.locator(".status").inner_text() == ""


# Pages without a script


def test_the_doctors_overview_leads_to_each_finding(visit, pages):
    page = visit(pages / "doctor.html")
    links = page.locator(".overview a")
    assert links.count() > 0
    for link in links.all():
        link.click()
        target = page.locator(page.evaluate("location.hash"))
        assert target.locator("h2").inner_text() == link.locator("strong").inner_text()
        assert 0 <= target.bounding_box()["y"] < DESK["height"]


def test_a_mirrored_training_picture_is_shown_like_the_generated_one(visit, pages):
    page = visit(pages / "memorisation.html")
    case = page.locator(".compared > li").nth(0)
    own, original = (
        np.asarray(Image.open(io.BytesIO(case.locator(where).first.screenshot())).convert("RGB"), float)
        for where in (".own img", ".mirrored img")
    )
    assert case.locator(".severity").inner_text() == "exact copy"
    assert np.abs(own - original).mean() < 6
    assert np.abs(own - original[:, ::-1]).mean() > 12


def test_a_wide_table_scrolls_and_its_first_column_stays(visit, pages):
    page = visit(pages / "comparison.html", viewport=PHONE)
    wide = page.locator(".wide", has=page.locator("table.cost"))
    name = wide.locator("tbody th").nth(0)
    left = name.bounding_box()["x"]
    assert wide.evaluate("(box) => box.scrollWidth > box.clientWidth")
    wide.evaluate("(box) => box.scrollTo(box.scrollWidth, 0)")
    assert name.bounding_box()["x"] == left
    assert re.search("finished", wide.locator("tbody td").last.inner_text())
