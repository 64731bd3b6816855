import base64
import json
import re

import pytest

from impasto.errors import OutputError, PictureError, RunError
from impasto.gallery import comparison_page
from impasto.gallery.comparison_page import write_comparison
from tests.gallery.pages import HOSTILE, Page, picture
from tests.gallery.run_folders import EXTRACTOR, RECIPE, evaluated, make_run, measure, scalars

FINISH = {"kind": "finish", "images_seen": 960, "seconds": 96.0, "checkpoint": "000000960", "peak_megabytes": 2100.0}
START = {"kind": "start", "images_seen": 0, "seconds": 0.0, "device": "CPU, 2 threads", "precision": "fp32"}


def learned(factor=1.0):
    return [START, scalars(480, cycle=2.0 * factor), scalars(960, cycle=1.0 * factor), FINISH]


def written(*runs):
    target = runs[0].parent / "compare.html"
    write_comparison(runs, target)
    return Page(target.read_text("utf-8"))


def table(page, kind):
    """The texts of a table's cells, row by row."""
    html = re.search(rf'<table class="{kind}">(.*?)</table>', page.html, re.DOTALL)[1]
    rows = [re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row, re.DOTALL) for row in html.split("<tr")[1:]]
    return [[" ".join(re.sub("<.*?>", " ", cell).split()) for cell in row] for row in rows]


@pytest.fixture
def pair(tmp_path):
    """Two finished runs of different widths, with sheets and metrics."""
    first = evaluated(480, measure("fid", 80.0, interval=[78.0, 82.0])), evaluated(960, measure("fid", 61.2))
    second = evaluated(480, measure("fid", 59.9)), evaluated(960, measure("fid", 70.0))
    return (
        make_run(tmp_path / "narrow", *learned(), *first, FINISH, sheets=(2, 480, 960)),
        make_run(tmp_path / "wide", *learned(2.0), *second, FINISH, sheets=(2, 600, 960), width=8),
    )


def test_every_tag_closes_in_order_and_ids_are_unique(pair):
    page = written(*pair)
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {attributes["aria-labelledby"] for attributes in page.all("section")} <= set(ids)
    assert {label["for"] for label in page.all("label")} == {slider["id"] for slider in page.all("input")}


def test_the_page_refers_to_nothing_outside_itself(pair):
    page = written(*pair)
    assert not re.search(r"https?://", page.html.replace("http://www.w3.org/2000/svg", ""))
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest", page.html)
    references = [
        value for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "href", "srcset")
    ]
    assert len(references) == 7  # six sheets and an empty icon
    assert all(reference.startswith("data:") for reference in references)
    (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert policy["content"] == (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    )


def test_no_path_of_this_machine_is_on_the_page(pair, tmp_path):
    assert str(tmp_path) not in written(*pair).html


def test_title_and_summary(pair, tmp_path):
    page = written(*pair)
    assert "narrow and wide 2 runs of cyclegan that differ in 1 setting." in page.text
    many = [make_run(tmp_path / f"run{place}", width=place) for place in range(4, 8)]
    assert "4 runs side by side" in written(*many).text


def test_the_last_sheets_show_and_the_slider_knows_the_nearest_of_every_moment(pair):
    page = written(*pair)
    shown = [sheet["alt"] for sheet in page.all("img") if "hidden" not in sheet]
    assert shown == ["Samples of narrow after 960 images", "Samples of wide after 960 images"]
    (sheets,) = page.all("div", **{"class": "sheets"})
    moments = json.loads(sheets["data-moments"])
    assert moments == [[2, [0, 0]], [480, [1, 1]], [600, [1, 1]], [960, [2, 2]]]
    (slider,) = page.all("input")
    assert (slider["max"], slider["value"]) == ("3", "3")


def test_a_run_without_samples_stands_beside_one_with(pair, tmp_path):
    page = written(pair[0], make_run(tmp_path / "bare"))
    assert "No samples yet. bare" in page.text
    (sheets,) = page.all("div", **{"class": "sheets"})
    assert json.loads(sheets["data-moments"])[-1] == [960, [2, -1]]


def test_different_training_pictures_are_mentioned(pair):
    for run, digest in zip(pair, "ab", strict=True):
        facts = {"names": digest, "labels": "", "contents": "", "summary": f"5 pictures of {digest}"}
        (run / "data.json").write_text(json.dumps(facts))
    page = written(*pair)
    assert "The runs learned from different pictures: their prompts may differ too." in page.text
    assert ["the pictures", "5 pictures of a (a--)", "5 pictures of b (b--)"] in table(page, "settings")


def test_curves_of_all_runs_share_a_chart_and_metrics_come_first(pair):
    page = written(*pair)
    charts = page.all("svg")
    assert [chart["aria-label"].split(":")[0] for chart in charts] == ["fid", "cycle"]
    fid, cycle = (json.loads(chart["data-points"]) for chart in charts)
    assert {run: [point[:2] for point in points] for run, points in fid.items()} == {
        "0": [[480, 80.0], [960, 61.2]],
        "1": [[480, 59.9], [960, 70.0]],
    }
    assert [points[-1][:2] for points in cycle.values()] == [[960, 1.0], [960, 2.0]]


def test_every_curve_is_named_and_read_beside_its_chart(pair):
    page = written(*pair)
    readings = re.findall(r'<li data-run="(\d)">.*?class="name">(.*?)<.*?<output>(.*?)</output>', page.html)
    assert readings == [("0", "narrow", "61.2"), ("1", "wide", "70"), ("0", "narrow", "1"), ("1", "wide", "2")]


def test_a_method_with_other_scalars_has_its_own_charts(pair, tmp_path):
    other = make_run(tmp_path / "other", scalars(480, noise=0.5), name="ddpm")
    page = written(pair[0], other)
    assert [chart["aria-label"].split(":")[0] for chart in page.all("svg")] == ["fid", "cycle", "noise"]
    assert list(json.loads(page.all("svg")[2]["data-points"])) == ["1"]
    assert "2 runs of cyclegan and ddpm" in page.text


def test_best_and_last_of_each_run_and_the_best_of_each_column(pair):
    assert table(written(*pair), "metrics") == [
        ["run", "fid lower is better"],
        ["best", "last"],
        ["narrow", "61.2 at 960", "61.2 best of its column at 960"],
        ["wide", "59.9 best of its column at 480", "70 at 960"],
    ]


def test_higher_may_be_better_and_a_metric_without_direction_has_no_best(tmp_path):
    runs = [
        make_run(
            tmp_path / name,
            evaluated(480, measure("is", score, "higher", spread=0.2), measure("red", 0.5, None)),
            width=8,
        )
        for name, score in (("a", 3.0), ("b", 4.0))
    ]
    rows = table(written(*runs), "metrics")
    assert rows[:2] == [["run", "is higher is better", "red"], ["best", "last", "last"]]
    assert rows[3][1:] == ["4 best of its column ± 0.2 at 480", "4 best of its column ± 0.2 at 480", "0.5 at 480"]


def test_a_single_run_is_not_marked_as_best(pair):
    page = written(pair[0])
    assert "best of its column" not in page.text
    assert "80 (78 to 82)" not in page.text  # neither its best nor its last
    assert "There is only one run." in page.text


def test_seeds_of_one_recipe_are_grouped_with_their_mean_and_interval(tmp_path):
    runs = [
        make_run(tmp_path / f"seed{seed}", evaluated(480, measure("fid", value)), seed=seed)
        for seed, value in enumerate((60.0, 61.0, 62.0))
    ]
    other = make_run(tmp_path / "other", evaluated(480, measure("fid", 50.0)), width=8)
    rows = table(written(runs[0], other, *runs[1:]), "metrics")
    assert [row[0] for row in rows[2:]] == ["seed0", "seed1", "seed2", "mean of 3 seeds", "other"]
    assert rows[5][1:] == ["61 (58.52 to 63.48) at 480, 3 seeds"] * 2  # t = 4.3027, s = 1, n = 3


def test_a_mean_of_values_at_different_moments_shows_their_range(tmp_path):
    runs = [
        make_run(tmp_path / f"seed{seed}", evaluated(480 + seed, measure("fid", 60.0 + seed)), seed=seed)
        for seed in range(2)
    ]
    assert table(written(*runs), "metrics")[4][1].endswith("at 480 to 481, 2 seeds")


@pytest.mark.parametrize(
    "change", [{"reference": "paintings/train"}, *({"extractor": {**EXTRACTOR, part: "x"}} for part in EXTRACTOR)]
)
def test_values_that_are_not_comparable_have_separate_columns_without_a_best(tmp_path, change):
    one = make_run(tmp_path / "one", evaluated(480, measure("fid", 61.2)))
    other = make_run(tmp_path / "other", evaluated(480, measure("fid", 5.0), **change), width=8)
    page = written(one, other)
    rows = table(page, "metrics")
    assert rows[0] == ["run", "fid 1 lower is better", "fid 2 lower is better"]
    assert rows[2:] == [["one", "61.2 at 480", "61.2 at 480", "–", "–"], ["other", "–", "–", "5 at 480", "5 at 480"]]
    assert "Several columns of fid: values of different extractors, or against different references" in page.text
    assert [chart["aria-label"] for chart in page.all("svg")] == [
        "fid: one 61.2 at 480 images seen",
        "fid: other 5 at 480 images seen",
    ]


def test_the_setup_of_metrics_is_described(pair, tmp_path):
    told = "Against paintings/test, features of inception-2015 (weights 6726825d, resize bilinear, fp32)"
    assert f"{told}; not comparable with published values." in written(*pair).text
    comparable = evaluated(480, measure("fid", 60.0), extractor={**EXTRACTOR, "comparable": True})
    assert f"{told}." in written(make_run(tmp_path / "published", comparable)).text
    without = evaluated(480, measure("ssim", 0.5, "higher"), extractor=None)
    assert "Against paintings/test, without a feature extractor." in written(make_run(tmp_path / "ssim", without)).text
    plain = {"kind": "metrics", "images_seen": 480, "metrics": {"fid": 60.0}}
    assert "The journal does not say how this was measured" in written(make_run(tmp_path / "plain", plain)).text


def test_warnings_are_shown_once_with_the_runs_they_concern(tmp_path):
    warned = [evaluated(seen, measure("fid", 60.0), warnings=["few images"]) for seen in (480, 960)]
    runs = [
        make_run(tmp_path / "one", *warned),
        make_run(tmp_path / "other", evaluated(480, measure("fid", 61.0)), width=8),
    ]
    page = written(*runs)
    assert page.text.count("few images") == 1
    assert "Warning: few images (one)" in page.text
    assert "Warning: few images" in written(runs[0]).text


def test_different_numbers_of_images_are_mentioned(tmp_path):
    one = make_run(tmp_path / "one", evaluated(480, measure("fid", 61.2)))
    other = make_run(tmp_path / "other", evaluated(480, measure("fid", 60.0), images=300), width=8)
    assert "fid was computed from 300 to 751 images: metrics such as FID fall" in written(one, other).text


def test_settings_that_differ_and_the_number_of_equal_ones(pair):
    page = written(*pair)
    assert table(page, "settings") == [["setting", "narrow", "wide"], ["method. width", "4", "8"]]
    assert "3 other settings are the same in all runs." in page.text


def test_runs_of_equal_settings(tmp_path):
    page = written(make_run(tmp_path / "a"), make_run(tmp_path / "b"))
    assert "None: all 4 settings are the same." in page.text


def test_time_memory_and_state_of_runs(pair, tmp_path):
    half = make_run(tmp_path / "half", START, scalars(480, cycle=1.0), width=16)
    bare = make_run(tmp_path / "bare", recipe={**RECIPE, "training": {}})
    rows = table(written(pair[0], half, bare), "cost")
    assert rows[1:] == [
        ["narrow", "960", "0:01:36", "10", "2,100 MB", "CPU, 2 threads", "fp32", "finished"],
        ["half", "480", "0:00:48", "10", "–", "CPU, 2 threads", "fp32", "not finished, 50% of 960"],
        ["bare", "0", "–", "–", "–", "–", "–", "not finished"],
    ]


def test_damaged_lines_of_a_journal_are_skipped_and_counted(pair):
    with (pair[0] / "journal.jsonl").open("ab") as file:
        file.write(b'{"kind": "sca\n\xff\xfe\n')
    assert "Left out of the journal of narrow: 2 damaged lines." in written(*pair).text


def test_a_run_that_has_just_started_has_notes_for_missing_parts(tmp_path):
    page = written(make_run(tmp_path / "run"))
    assert page.open == []
    for sentence in (
        "There are no samples yet.",
        "This run has not been evaluated.",
        "The journals have no curves yet.",
        "There is only one run.",
    ):
        assert sentence in page.text


def test_runs_of_one_name_are_distinguished_by_their_path(tmp_path):
    page = written(make_run(tmp_path / "flat" / "run"), make_run(tmp_path / "hatching" / "run", width=8))
    assert "flat/run and hatching/run" in page.text


def test_hostile_names_are_escaped(tmp_path):
    entry = evaluated(480, measure(HOSTILE, 1.0), warnings=[HOSTILE], reference=HOSTILE)
    run = make_run(tmp_path / HOSTILE.replace("/", "|"), {**START, "device": HOSTILE}, entry, **{HOSTILE: HOSTILE})
    other = make_run(tmp_path / "other", scalars(480, **{HOSTILE: 1.0}), sheets=(1,))
    page = written(run, other)
    assert page.open == []
    assert len(page.all("script")) == 1
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert page.text.count(HOSTILE) >= 7  # measure in table and chart, warning, reference, device, setting, scalar


def test_a_page_of_many_long_runs_stays_small(tmp_path):
    entries = [scalars(seen, **{f"loss{number}": seen % 7 + number for number in range(6)}) for seen in range(2000)]
    runs = [make_run(tmp_path / f"run{place}", *entries, width=place + 4) for place in range(8)]
    written(*runs)
    assert (tmp_path / "compare.html").stat().st_size < 4_000_000


def test_sheets_share_a_budget(tmp_path, monkeypatch):
    monkeypatch.setattr(comparison_page, "PICTURE_BYTES", 60_000)
    monkeypatch.setattr(comparison_page, "MOST_SHEETS", 4)
    runs = [make_run(tmp_path / name, width=place + 4) for place, name in enumerate("ab")]
    for run in runs:
        for images_seen in (2, 480, 960):
            picture(run / "samples" / f"{images_seen:09d}.png", size=(300, 200), seed=images_seen)
    images = written(*runs).all("img")
    assert [image["data-seen"] for image in images] == ["after 2 images", "after 960 images"] * 2
    assert sum(len(base64.b64decode(image["src"].split(",")[1])) for image in images) <= 60_000


def test_a_folder_without_run_is_an_error_and_the_old_page_stays(pair, tmp_path):
    target = tmp_path / "compare.html"
    write_comparison(pair, target)
    before = target.read_bytes()
    with pytest.raises(RunError, match="elsewhere is not a run folder"):
        write_comparison([pair[0], tmp_path / "elsewhere"], target)
    (pair[1] / "samples" / "000000960.png").write_bytes(b"torn")
    with pytest.raises(PictureError, match=r"000000960\.png"):
        write_comparison(pair, target)
    assert target.read_bytes() == before
    assert not list(tmp_path.glob(".*"))


def test_a_page_that_cannot_be_written_is_an_error(pair):
    with pytest.raises(OutputError, match="samples cannot be written"):
        write_comparison(pair, pair[0] / "samples")
