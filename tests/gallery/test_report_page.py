import base64
import json
import math
import re

import numpy as np
import pytest
import yaml
from PIL import Image

from impasto.errors import OutputError, PictureError
from impasto.gallery import report_page
from impasto.gallery.report_page import Comparison, write_report
from tests.gallery.pages import HOSTILE, Page, decoded, picture


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB"), dtype=float)


def scalars(images_seen, **values):
    return json.dumps({"kind": "scalars", "images_seen": images_seen, "seconds": 1.5, "scalars": values}) + "\n"


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    for seed, images_seen in enumerate((0, 480, 960)):
        picture(folder / "samples" / f"{images_seen:09d}.png", noisy=False, seed=seed)
    recipe = {"method": {"name": "cyclegan", "cycle_weight": 10.0}, "data": {"photos": "a & b", "flip": True}}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    (folder / "journal.jsonl").write_text(
        json.dumps({"kind": "start", "images_seen": 0, "device": "cpu"})
        + "\n"
        + scalars(480, cycle=2.0, adversarial=0.5)
        + scalars(960, cycle=math.nan, adversarial=0.4)
        + scalars(1440, cycle=1.0, adversarial=0.3)
        + '{"kind": "scalars", "images_se'
    )
    return folder


@pytest.fixture
def comparisons(tmp_path):
    return [
        Comparison(
            "Harbour", picture(tmp_path / "harbour.png"), picture(tmp_path / "painted.png", noisy=False, seed=1)
        ),
        Comparison(
            "Dunes", picture(tmp_path / "dunes.png", size=(90, 90), seed=2), picture(tmp_path / "d2.png", seed=3)
        ),
    ]


def written(run, comparisons=(), title="A run", **facts):
    return Page(write_report(run, comparisons, run / "report.html", title=title, facts=facts).read_text("utf-8"))


def test_every_tag_closes_in_order_and_ids_are_unique(run, comparisons):
    page = written(run, comparisons, trained="2 min")
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {attributes["aria-labelledby"] for attributes in page.all("section")} <= set(ids)


def test_the_page_refers_to_nothing_outside_itself(run, comparisons):
    page = written(run, comparisons)
    assert not re.search(r"https?://", page.html.replace("http://www.w3.org/2000/svg", ""))
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest", page.html)
    references = [
        value
        for _, attributes in page.tags
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "action", "poster", "data")
    ]
    assert references
    assert all(reference.startswith("data:") for reference in references)
    (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert policy["content"].startswith("default-src 'none'; img-src data:;")


def test_every_picture_is_on_the_page_pixel_for_pixel(run, comparisons):
    page = written(run, comparisons)
    sources = [comparison.before for comparison in comparisons] + [comparison.after for comparison in comparisons]
    sources += sorted((run / "samples").iterdir())
    shown = [decoded(image["src"]) for image in page.all("img")]
    assert len(shown) == len(sources) == 7
    for source in sources:
        nearest = min(np.abs(pixels(source) - image).mean() for image in shown if image.shape == pixels(source).shape)
        assert nearest < 10  # noise, the worst case of JPEG; other noise would be 85 away


def test_flat_pictures_are_png_without_loss(run):
    images = [image for image in written(run).all("img") if "480" in image["alt"]]
    assert np.array_equal(decoded(images[0]["src"]), pixels(run / "samples" / "000000480.png"))


def test_colourful_noise_is_encoded(tmp_path):
    colours = picture(tmp_path / "noise.png", size=(400, 400))  # at its heaviest, a JPEG outgrows its pixels
    assert decoded(written(tmp_path, [Comparison("Noise", colours, colours)]).all("img")[0]["src"]).shape == (
        400,
        400,
        3,
    )


def test_pictures_have_descriptions_and_sliders_have_names(run, comparisons):
    page = written(run, comparisons)
    described = [image["alt"] for image in page.all("img")]
    assert described[:2] == ["Harbour, painting", "Harbour, photo"]
    assert described[-1] == "Samples after 960 images seen"
    labelled = {label["for"] for label in page.all("label")}
    assert all("aria-label" in slider or slider["id"] in labelled for slider in page.all("input"))


def test_a_comparison_has_the_paintings_shape(run, comparisons):
    shapes = [figure["style"] for figure in written(run, comparisons).all("figure", **{"class": "comparison"})]
    assert shapes == ["--width: 48; --height: 32"] * 2


def test_hostile_names_are_escaped(tmp_path, run):
    before = picture(tmp_path / "<img src=x onerror=alert(1)>.png")
    (run / "recipe.yaml").write_text(yaml.safe_dump({"method": {HOSTILE: HOSTILE}}))
    (run / "journal.jsonl").write_text(
        json.dumps({"kind": "scalars", "images_seen": 1, "scalars": {HOSTILE: 1.0}}) + "\n"
    )
    page = written(run, [Comparison(HOSTILE, before, before)], title=HOSTILE, **{HOSTILE: HOSTILE})
    assert page.open == []
    assert len(page.all("script")) == 1
    assert page.text.count(HOSTILE) == 10  # title twice, chip twice, caption, chart, setting twice, number twice
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


def test_a_file_name_that_is_not_unicode_does_not_stop_the_page(run):
    assert written(run, title="caf\udce9").text.startswith("caf?")


def test_settings_facts_and_summary_are_shown(run):
    page = written(run, trained="2 min 58 s")
    assert "What cyclegan had learned after 1,440 images." in page.text
    assert page.text.count("trained 2 min 58 s") == 2
    assert "4 settings of the recipe" in page.text
    for setting in ("method. cycle_weight 10.0", "data. photos a & b", "data. flip true"):
        assert setting in page.text


def test_the_journal_becomes_curves(run):
    charts = written(run).all("svg")
    assert [chart["aria-label"].split(":")[0] for chart in charts] == ["cycle", "adversarial"]
    readings = [json.loads(chart["data-points"]) for chart in charts]
    assert [[point[:2] for point in points] for points in readings] == [
        [[480, 2.0], [1440, 1.0]],
        [[480, 0.5], [960, 0.4], [1440, 0.3]],
    ]


def test_an_empty_run_has_notes_for_missing_parts(tmp_path):
    page = written(tmp_path)
    assert page.open == []
    for sentence in (
        "What this run learned.",
        "No photo was painted for this page.",
        "This run has no samples yet.",
        "The journal of this run has no losses yet.",
        "The run folder has no recipe.",
    ):
        assert sentence in page.text


def test_an_empty_journal_and_an_empty_recipe_are_accepted(run):
    (run / "journal.jsonl").write_text("")
    (run / "recipe.yaml").write_text("")
    assert "has no losses yet" in written(run).text


def test_a_long_run_shows_its_first_and_last_samples_and_some_between(run, monkeypatch):
    monkeypatch.setattr(report_page, "MOST_SAMPLES", 4)
    for images_seen in range(1440, 4801, 480):
        picture(run / "samples" / f"{images_seen:09d}.png", noisy=False)
    picture(run / "samples" / "notes.png")
    page = written(run)
    assert [image["alt"].split()[2] for image in page.all("img")] == ["0", "1,440", "3,360", "4,800"]
    assert "4 of 11 sheets, evenly spread." in page.text


def test_pictures_of_a_heavy_page_are_shrunk(tmp_path, run, monkeypatch):
    monkeypatch.setattr(report_page, "PICTURE_BYTES", 60_000)
    heavy = picture(tmp_path / "heavy.png", size=(300, 200))
    light = picture(tmp_path / "light.png", size=(30, 20), seed=1)
    page = written(run, [Comparison("Noise", heavy, light)])
    contents = [image["src"].split(",")[1] for image in page.all("img")]
    assert 30_000 < sum(len(base64.b64decode(content)) for content in contents) <= 60_000
    (after, before, *_) = page.all("img")
    assert (after["width"], after["height"]) == ("30", "20")
    assert int(before["width"]) < 300


def test_the_full_budget_keeps_a_page_below_eight_megabytes(tmp_path, run):
    heavy = [picture(tmp_path / f"{seed}.png", size=(1700, 1300), seed=seed) for seed in range(2)]
    write_report(run, [Comparison("Noise", *heavy)], run / "report.html", title="Heavy", facts={})
    assert 4_000_000 < (run / "report.html").stat().st_size < 8_000_000


def test_a_page_is_replaced_atomically(run, tmp_path):
    target = tmp_path / "pages" / "report.html"
    for title in ("First", "Second"):
        assert write_report(run, [], target, title=title, facts={}) == target
    assert "<h1>Second</h1>" in target.read_text("utf-8")
    assert list(target.parent.iterdir()) == [target]


def test_an_unreadable_picture_leaves_the_old_page(run, tmp_path):
    target = write_report(run, [], tmp_path / "report.html", title="Old", facts={})
    with pytest.raises(PictureError, match=r"missing\.png"):
        write_report(
            run, [Comparison("x", tmp_path / "missing.png", tmp_path / "x.png")], target, title="New", facts={}
        )
    assert "Old" in target.read_text("utf-8")
    assert not list(tmp_path.glob(".*"))


def test_a_page_that_cannot_be_written_is_an_error(run):
    with pytest.raises(OutputError, match="samples cannot be written"):
        write_report(run, [], run / "samples", title="A run", facts={})
    assert not list(run.glob(".*"))
