"""Results: published values as they were printed, closed forms over classes, and every number in words."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from impasto.engine.listener import TrainingListener
from impasto.evaluation.label_consistency import Consistency
from impasto.evaluation.record import Interval
from impasto.gallery.table_page import write_table_page
from impasto.painting.signature import read_signature
from impasto.recipe_files import shipped_tables
from impasto.tables.evaluator import TableEvaluator
from impasto.tables.figures import draw_figure
from impasto.tables.result import Budget, ByClass, Drawn, Mixed, TableResult, Value
from impasto.tables.table_file import load_table
from impasto.tables.training import planned_runs, train_run
from impasto.tables.wording import grids, number, remarks, to_markdown, value_text
from tests.gallery.pages import Page


@pytest.fixture
def result(table_file: str) -> TableResult:
    table = load_table(table_file)
    runs = planned_runs(table, Path("runs"))
    for run in runs:
        train_run(run, TrainingListener())
    device = torch.device("cpu")
    evaluator = TableEvaluator(table.evaluator, runs, device)
    rows = [evaluator.evaluate(row) for row in table.rows]
    figures = {f.name: draw_figure(f, runs[0], Path("out") / f"{f.name}.png", device) for f in table.figures}
    return TableResult("tiny", table, rows, figures)


def test_a_table_in_plain_values_in_words_and_as_a_page(result: TableResult) -> None:
    told = json.loads(json.dumps(result.to_json()))
    half, end = told["rows"]
    assert half["published"] == {"kid": {"value": 0.5, "spread": 0.25, "interval": None}}
    assert half["budget"]["images_seen"] == 32
    assert half["budget"]["share_of_published"] == 0.1
    assert end["budget"]["published_images"] is None
    assert end["budget"]["seconds"] > half["budget"]["seconds"] > 0
    assert {measure["name"] for measure in end["records"][0]["measures"]} == {"kid", "colour", "fid-by-class"}
    assert half["records"][0]["measures"][0]["value"] != end["records"][0]["measures"][0]["value"]
    measured, classes, budget = grids(result)
    assert measured.columns == ("", "kid, ours", "kid, published", "colour, ours", "fid-by-class, ours", "fid-by-class, published")  # fmt: skip
    assert measured.rows[0][2] == "0.50 ± 0.25"
    assert measured.rows[1][-1] == "30.00", "the mean of the classes"
    assert classes.columns == ("", "half way, ours", "at the end, ours", "at the end, published")
    assert {row[0]: row[-1] for row in classes.rows}["green"] == "20.00"
    assert budget.rows[0][1:4] == ("32", "320", "10 %")
    said = " ".join(remarks(result))
    assert "kid, colour, fid-by-class of 60 images against 36 of the training pictures, features pixels" in said
    assert "Nobody else has measured this." in said
    assert "not comparable with published values" in said
    markdown = to_markdown(result)
    page = Page(write_table_page(result, Path("out/table.html")).read_text("utf-8"))
    assert page.open == []
    assert page.all("script") == []
    assert [picture["alt"] for picture in page.all("img")] == ["Two colours <at once>", "Every colour"]
    assert r"## Two colours \<at once\>" in markdown
    assert read_signature(Path("out/sheet.png"))["figure"] == "Every class, seed 0"
    assert told["figures"]["mixed"] == {"file": "mixed.png"}
    for words in ("0.50 ± 0.25", "320", "10 %", "Nobody, table 0", "Every colour", "has only 12 images"):
        assert words in markdown
        assert words in page.text


def test_a_table_without_its_figures_yet(result: TableResult) -> None:
    bare = replace(result, figures={})
    assert "![" not in to_markdown(bare)
    page = Page(write_table_page(bare, Path("out/table.html")).read_text("utf-8"))
    assert page.all("img") == []
    assert "0.50 ± 0.25" in page.text


def test_what_a_classifier_sees_in_a_mixing_matrix_is_told(result: TableResult) -> None:
    mixed = Mixed(Consistency(torch.eye(3), 0.5, 0.25), "classes", 3)
    drawn = replace(result, figures={"mixed": Drawn(Path("out/mixed.png"), mixed)})
    assert drawn.to_json()["figures"]["mixed"]["mixed"] == 0.5
    assert (
        "mixed: classes gives the two classes 50.0% of its probability (guessing 66.7%), and one class alone 25.0% "
        "(guessing 33.3%)." in remarks(drawn)
    )


def test_values_over_classes_in_closed_form() -> None:
    classes = ByClass({"a": 3.0, "b": 2.0, "c": 1.0}, {"a": 1, "b": 10, "c": 100})
    assert classes.mean == 2
    assert classes.correlation(of_logarithms=True) == pytest.approx(-1)
    assert -1 < classes.correlation(of_logarithms=False) < -0.8
    assert ByClass({"a": 1.0, "b": 1.0}, {"a": 1, "b": 2}).correlation(of_logarithms=True) is None
    assert ByClass({"a": 1.0, "b": 2.0}, {}).correlation(of_logarithms=False) is None


def test_figures_are_said_as_papers_print_them() -> None:
    assert value_text("is", Value(1.3, 0.04)) == "1.30 ± 0.04"
    assert value_text("top1", Value(21.47, None, Interval(20.8, 22.1))) == "21.47 % (20.80 to 22.10)"
    assert value_text("fid", None) == "–"
    assert [number(value) for value in (0.0, 0.08, 0.0123, -0.739, 111.604)] == ["0.00", "0.08", "0.012", "-0.74", "111.60"]  # fmt: skip
    assert Budget(50, 200, 1.0, ()).share == 0.25
    assert Budget(50, None, 1.0, ()).share is None


def test_table_2_is_as_printed() -> None:
    """Means 111.60 and 118.21, and figure 8's correlation: see docs/methods/stacked-gans.md."""
    table = load_table("gantor-table2")
    columns = {row.name: ByClass(row.published["fid-by-class"], table.class_counts) for row in table.rows if row.published}  # fmt: skip
    assert columns["epoch 50"].mean == pytest.approx(111.60, abs=0.005)
    assert columns["epoch 80"].mean == pytest.approx(118.21, abs=0.005)
    assert columns["epoch 50"].correlation(of_logarithms=False) == pytest.approx(-0.74, abs=0.005)
    assert sum(table.class_counts.values()) == 45_503 + 19_492
    assert [row.published_images for row in table.rows] == [epochs * 45_503 for epochs in (50, 60, 70, 80)]


def test_table_1_has_all_rows_as_printed() -> None:
    rows = {row.name: row for row in load_table("gantor-table1").rows}
    assert {name: (row.published["is"], row.published["top1"]) for name, row in rows.items()} == {
        "v1 stage I, genre": ((1.34, 0.08), 21.47),
        "v2 stage I, genre": ((1.30, 0.04), 10.16),
        "v1 stage II, style": ((1.35, 0.01), 3.67),
        "v2 stage II, genre, epoch 50": ((1.41, 0.03), 17.46),
        "v2 stage II, genre, epoch 60": ((1.44, 0.03), 9.05),
        "v2 stage II, genre, epoch 70": ((1.37, 0.02), 11.36),
        "v2 stage II, genre, epoch 80": ((1.38, 0.03), 11.60),
    }


@pytest.mark.parametrize("name", shipped_tables())
def test_every_shipped_table_can_be_planned(name: str) -> None:
    """Its recipes are there, first stages come before second ones, and each row's share is of what was published."""
    for run in planned_runs(load_table(name, ["data.path=somewhere"]), Path("runs")):
        for after, images in run.kept.items():
            assert math.isclose(images, after * run.recipe.training.images, rel_tol=0.01)
