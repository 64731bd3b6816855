import re

import numpy as np
import pytest
import torch

from impasto.errors import OutputError
from impasto.evaluation.copy_search import find_copies
from impasto.gallery import memorisation_page
from impasto.gallery.memorisation_page import write_memorisation_page
from impasto.gallery.mirrored_histogram import BARS, bars_of
from tests.evaluation.test_copies import Wall, jpeg, painting, training
from tests.gallery.pages import Page, decoded

HOSTILE = "<script>alert(1)</script>\"'&"


@pytest.fixture(scope="module")
def sets():
    known = training(8)
    shown = {f"new {seed}.png": painting(seed) for seed in range(100, 104)}
    shown["flipped.png"] = known["02.png"].transpose(0)
    shown["again.png"] = jpeg(known["05.png"])
    return Wall(shown), Wall(known)


def written(folder, sets, *features, title="Is it copying?", **facts):
    copies = find_copies(*sets, *features)
    return Page(write_memorisation_page(copies, *sets, folder / "page.html", title, facts).read_text("utf-8"))


@pytest.fixture(scope="module")
def page(sets, tmp_path_factory):
    features = torch.eye(16)[[0, 1, 2, 4, 12, 5]], torch.eye(16)[4:12]
    return written(tmp_path_factory.mktemp("page"), sets, *features, features="inception-2015")


def test_every_tag_closes_in_order_and_ids_are_unique(page):
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {attributes["aria-labelledby"] for attributes in page.all("section")} == set(ids)


def test_the_page_refers_to_nothing_outside_itself_and_has_no_script(page):
    assert not re.search(r"https?://", page.html.replace("http://www.w3.org/2000/svg", ""))
    assert page.all("script") == []
    assert all(image["src"].startswith("data:") and image["alt"] for image in page.all("img"))


def test_the_verdict_and_the_facts_come_first(page):
    assert page.text.index("1 exact copy and 2 near copies of training pictures among 6 generated") < page.text.index(
        "Distances"
    )
    assert "compared with 8 training pictures" in page.text
    assert "features inception-2015" in page.text


def test_distances_are_compared_with_those_between_training_pictures(page):
    assert re.search(r"Median between two different training pictures: \d+\.\d levels of 255", page.text)
    said = [chart["aria-label"] for chart in page.all("svg")]
    assert [words.split(".")[0] for words in said] == ["In pixels: levels of 255", "In features: cosine distance"]
    assert all("different training pictures: 8, from" in words for words in said)


def test_the_most_suspicious_come_first_with_their_flags(page):
    shown = [image["alt"].removesuffix(", generated") for image in page.all("img") if ", generated" in image["alt"]]
    assert shown[0] == "flipped.png"
    assert "again.png" in shown[1:3]
    flags = re.findall(r"<h3>(.*?)</h3>", page.html)
    assert len(flags) == 6
    assert ">exact copy<" in flags[0]
    assert ">equal pixels, mirrored<" in flags[0]
    assert ">alike in pixels<" in "".join(flags[1:3])
    assert sum(">features nearer than 0.1<" in flag for flag in flags) == 2
    assert [">not a copy<" in flag for flag in flags] == [False] * 3 + [True] * 3


def test_a_mirrored_original_is_mirrored_back(page, sets):
    first = page.html[: page.html.index("</li>", page.html.index('<ol class="compared">'))]
    own, original = re.findall(r'src="(data:[^"]+)"', first)[:2]
    assert '<div class="mirrored">' in first
    assert np.abs(decoded(own) - decoded(original)[:, ::-1]).mean() < 3
    assert re.search(r"02.png</span><strong>0\.\d</strong> levels, similarity 1\.00, mirrored", first)


def test_without_features_only_pixels_are_compared(tmp_path, sets):
    page = written(tmp_path, sets)
    assert len(page.all("svg")) == 1
    assert "Nearest in features" not in page.text
    assert "All pictures: copies first" in page.text


def test_features_that_do_not_distinguish_pictures_are_mentioned(tmp_path, sets):
    page = written(tmp_path, sets, torch.ones(6, 4), torch.ones(8, 4))
    assert "8 of 8 different training pictures are nearer than 0.1 to another one" in page.text
    assert "features nearer than" not in page.html


def test_repeated_training_pictures_are_mentioned(tmp_path, sets):
    shown, known = sets
    again = Wall({**dict(zip(known.names, known.pictures, strict=True)), "copy.png": known.pictures[1]})
    assert "2 of 9 training pictures that were compared" in written(tmp_path, (shown, again)).text


def test_one_training_picture_has_a_page_too(tmp_path, sets):
    page = written(tmp_path, (sets[0], Wall(training(1))))
    assert "There is only one training picture" in page.text


def test_the_worst_are_shown_and_the_others_counted(tmp_path, sets, monkeypatch):
    monkeypatch.setattr(memorisation_page, "MOST_SHOWN", 2)
    page = written(tmp_path, sets)
    assert len(page.all("h3")) == 2
    assert "The 2 most suspicious of 6 pictures" in page.text


def test_pictures_stay_within_their_budget(tmp_path, sets, monkeypatch):
    whole = len(written(tmp_path, sets).html)
    monkeypatch.setattr(memorisation_page, "PICTURE_BYTES", 60_000)
    page = written(tmp_path, sets)
    assert 1 <= len(page.all("h3")) < 6
    assert len(page.html) < whole


def test_hostile_names_are_escaped(tmp_path):
    sets = Wall({HOSTILE: painting(50)}), Wall({HOSTILE + str(seed): painting(seed) for seed in range(3)})
    page = written(tmp_path, sets, title=HOSTILE, **{HOSTILE: HOSTILE})
    assert page.all("script") == []
    assert page.open == []
    assert page.text.count("alert(1)") >= 5


def test_a_page_that_cannot_be_written_is_an_error(tmp_path, sets):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_memorisation_page(find_copies(*sets), *sets, tmp_path / "file" / "page.html", "Is it copying?", {})


def test_bars_are_shares_of_each_side():
    bars = bars_of([0.0, 1.0], [1.0, 8.0], [4.0], 8.0)
    assert len(bars) == BARS
    assert (bars[0].low, bars[-1].high) == (0, 8)
    assert sum(bar.marked for bar in bars) == sum(bar.others for bar in bars) == 0.5
    assert bars[BARS // 8].marked == bars[BARS // 8].others == bars[-1].others == 0.25
    assert [bar.below for bar in bars].index(1.0) == BARS // 2
