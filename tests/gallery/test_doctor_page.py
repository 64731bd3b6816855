import os
import re
import shutil
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image, ImageFile

from impasto.curation.doctor.diagnosis import Bar, Options, diagnose
from impasto.errors import OutputError
from impasto.gallery import doctor_cases, doctor_page
from impasto.gallery.bar_chart import BARS_END, BARS_START, Row, bar_chart
from impasto.gallery.doctor_page import write_check_page
from impasto.gallery.doctor_words import bytes_in_words, interval_in_words, shape_in_words
from tests.gallery.pages import Page, decoded

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)<!-- \"'&"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / ".cache"))


def paint(path, seed, size=(120, 90)):
    path.parent.mkdir(parents=True, exist_ok=True)
    grid = np.random.default_rng(seed).integers(0, 256, (8, 9, 3), dtype=np.uint8)
    Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC).save(path)
    return path


@pytest.fixture
def folder(tmp_path):
    """Two classes of four, one of each held out, with a copy in another class, one cut off, one empty, and a note."""
    folder = tmp_path / "folder"
    rows = ["path,split"]
    for seed in range(8):
        name = f"{'sea' if seed % 2 else 'hills'}/{seed}.jpg"
        paint(folder / name, seed)
        rows.append(f"{name},{'test' if seed < 2 else 'train'}")
    (folder / "split.csv").write_text("\n".join(rows) + "\n")
    shutil.copy(folder / "sea" / "3.jpg", folder / "hills" / "copy.jpg")
    whole = paint(folder / "sea" / "cut.jpg", 20, (300, 300)).read_bytes()
    (folder / "sea" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "sea" / "empty.jpg").write_bytes(b"")
    (folder / "note.txt").write_text("hello")
    return folder


def written(folder, options=None, **facts):
    target = folder.parent / "check.html"
    return Page(write_check_page(diagnose(folder, options), target, facts).read_text("utf-8"))


def captions(page):
    """The words below each picture."""
    found = re.findall(r"<figcaption><span class=\"name\">(.*?)</figcaption>", page.html)
    return [re.sub(r"<wbr>", "", re.sub(r"</?span[^>]*>", " ", caption)).split() for caption in found]


def test_every_tag_closes_in_order_and_ids_are_unique(folder):
    page = written(folder, examined_in="2 s")
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {attributes["aria-labelledby"] for attributes in page.all("section")} <= set(ids)
    links = [attributes["href"] for attributes in page.all("a")]
    assert links == ["#not-a-picture", "#truncated", "#across-classes", "#beside"]
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_the_page_refers_to_nothing_outside_itself_and_has_no_script(folder):
    page = written(folder)
    assert not re.search(r"https?://", page.html.replace("http://www.w3.org/2000/svg", ""))
    assert page.all("script") == []
    (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert policy["content"] == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert all(image["src"].startswith("data:") and image["alt"] for image in page.all("img"))
    assert "prefers-color-scheme: dark" in page.html
    assert 'name="viewport"' in page.html


def test_the_head_shows_the_verdict_and_the_findings(folder):
    page = written(folder, **{"examined in": "2 s"})
    assert (
        "Check-up of folder Not ready for training: not a picture, cut off, same picture in two classes." in page.text
    )
    assert "examined in 2 s" in page.text
    assert "pictures 11" in page.text
    assert "held out 2" in page.text
    assert "grave Same picture in two classes 1 group" in page.text


def test_a_group_is_shown_together_with_split_and_class_of_each(folder):
    page = written(folder)
    (group,) = page.all("div", **{"class": "group"})
    assert group
    assert captions(page)[-2:] == [
        ["hills/copy.jpg", "train", "hills", "120", "x", "90,", bytes_of(folder / "hills" / "copy.jpg"), "KB"],
        ["sea/3.jpg", "train", "sea", "120", "x", "90,", bytes_of(folder / "sea" / "3.jpg"), "KB"],
    ]
    assert page.html.count('class="tag at-odds">hills<') == page.html.count('class="tag at-odds">sea<') == 1
    assert 'class="tag at-odds">train<' not in page.html
    first, second = (
        decoded(image["src"]) for image in page.all("img", alt="sea/3.jpg") + page.all("img", alt="hills/copy.jpg")
    )
    assert np.array_equal(first, second)
    assert np.abs(first - np.asarray(Image.open(folder / "sea" / "3.jpg"), dtype=float)).mean() < 3


def bytes_of(path):
    return bytes_in_words(path.stat().st_size).split()[0]


def test_the_readable_part_of_a_cut_picture_is_shown(folder):
    (image,) = written(folder).all("img", alt="sea/cut.jpg")
    shown = decoded(image["src"])
    assert shown[: len(shown) // 3].std() > 20
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_pictures_that_cannot_be_shown_have_a_reason(folder):
    paint(folder / "sea" / "vast.png", 30, (400, 300))
    page = written(folder, Options(max_megapixels=0.1))
    assert page.all("img", alt="sea/empty.jpg") == page.all("img", alt="sea/vast.png") == []
    assert page.text.count("nothing to show") == 1
    assert "400 x 300 pixels" in page.text


def test_files_without_pictures_are_listed(folder):
    (folder / "split.csv").write_text((folder / "split.csv").read_text() + "sea/absent.jpg,train\n")
    page = written(folder)
    assert "note.txt" in page.text
    assert "names 1 missing pictures: sea/absent.jpg" in page.text


def test_a_healthy_folder_has_a_page_too(tmp_path):
    for seed in range(3):
        paint(tmp_path / "healthy" / f"{seed}.png", seed)
    page = written(tmp_path / "healthy")
    assert "In good order" in page.text
    assert page.all("a") == page.all("img") == []
    assert [chart["aria-label"] for chart in page.all("svg")] == [
        "Shorter side, pixels: 64-127 3",
        "Shape, width : height: 1.25:1 to 1.5:1 3",
        "Format and mode: PNG RGB 3",
    ]


def test_the_page_stays_small(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor_page, "MOST_PICTURES", 7)
    monkeypatch.setattr(doctor_page, "MOST_OF_A_GROUP", 3)
    monkeypatch.setattr(doctor_cases, "MOST_OF_A_GROUP", 3)
    for seed in range(5):
        original = paint(tmp_path / "many" / f"{seed}.png", seed)
        for copy in range(4):
            shutil.copy(original, original.with_name(f"{seed}-{copy}.png"))
    for seed in range(40):
        (tmp_path / "many" / f"{seed}.txt").write_text("")
    page = written(tmp_path / "many")
    assert len(page.all("img")) == 6  # two groups of three; a third would make nine
    assert "and 3 more: impasto data check --output-json FILE lists all of them." in page.text
    assert page.text.count("the same file, 2 more") == 2


def test_a_group_shows_one_of_each_split_and_class(tmp_path):
    original = paint(tmp_path / "c" / "sea" / "00.png", 1)
    for number in range(1, 12):
        name = f"{'sea' if number < 11 else 'zoo'}/{number:02d}.png"
        (tmp_path / "c" / name).parent.mkdir(exist_ok=True)
        shutil.copy(original, tmp_path / "c" / name)
    paint(tmp_path / "c" / "zoo" / "x.png", 2)
    shown = [caption[0] for caption in captions(written(tmp_path / "c"))]
    assert shown == ["sea/00.png", "sea/01.png", "sea/02.png", "sea/03.png", "sea/04.png", "zoo/11.png"]


def test_small_pictures_are_enlarged_without_smoothing(tmp_path):
    for seed in (1, 1, 2):
        paint(tmp_path / "c" / f"{len(list(tmp_path.rglob('*.png')))}.png", seed, (28, 28))
    assert [image["class"] for image in written(tmp_path / "c").all("img")] == ["small", "small"]


def test_hostile_names_are_escaped(tmp_path):
    name = HOSTILE.replace("/", "")
    paint(tmp_path / "c" / name / "1.png", 1)
    (tmp_path / "c" / "other").mkdir()
    shutil.copy(tmp_path / "c" / name / "1.png", tmp_path / "c" / "other" / "2.png")
    os.rename(tmp_path / "c" / "other" / "2.png", os.fsencode(tmp_path / "c" / "other") + b"/\x1b\xe9.png")  # noqa: PTH104
    page = written(tmp_path / "c")
    assert page.open == []
    assert page.all("script") == []
    assert f"{name}/ 1.png" in page.text
    assert "other/ \\x1b\\udce9.png" in page.text
    assert not any(attribute.startswith("on") for _, attributes in page.tags for attribute in attributes)


def test_a_page_that_cannot_be_written_is_an_error(folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        write_check_page(diagnose(folder), tmp_path / "file" / "page.html")


def test_bars_are_as_long_as_their_numbers():
    svg = ElementTree.fromstring(
        bar_chart([Row("a", (30, 10)), Row("b & c" * 9, (20, 0)), Row("none", (0,))], "By class")
    )
    bars = [(float(bar.get("x")), float(bar.get("width")), bar.get("class")) for bar in svg.iter(f"{SVG}rect")]
    full = BARS_END - BARS_START
    assert bars == [
        (BARS_START, 0.75 * full, "part-0"),
        (BARS_START + 0.75 * full, 0.25 * full, "part-1"),
        (BARS_START, 0.5 * full, "part-0"),
    ]
    assert [title.text for title in svg.iter(f"{SVG}title")] == ["a: 40", f"{'b & c' * 9}: 20", "none: 0"]
    assert svg.get("aria-label").startswith("By class: a 40, b & c")
    assert bar_chart([], "nothing").startswith("<svg")


def test_sizes_intervals_and_shapes_in_words():
    assert [bytes_in_words(count) for count in (0, 812, 54_321, 2_500_000, 123e9)] == [
        "0 bytes",
        "812 bytes",
        "54.3 KB",
        "2.5 MB",
        "123 GB",
    ]
    assert [interval_in_words(bar) for bar in (Bar(0, 32, 1), Bar(512, 1024, 1), Bar(4096, None, 1))] == [
        "below 32",
        "512-1,023",
        "from 4,096",
    ]
    shapes = [Bar(0, 1 / 3, 1), Bar(1 / 2, 2 / 3, 1), Bar(0.8, 1.25, 1), Bar(1.5, 2, 1), Bar(3, None, 1)]
    assert [shape_in_words(bar) for bar in shapes] == [
        "below 1:3",
        "1:2 to 1:1.5",
        "about square",
        "1.5:1 to 2:1",
        "from 3:1",
    ]
