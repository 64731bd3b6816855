"""`impasto table` as a user types it: trained, evaluated, written, stopped and continued."""

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from impasto.cli.progress import TrainingProgress
from impasto.clock import Clock
from impasto.errors import DataError
from impasto.evaluation import extractors
from impasto.painting.signature import read_signature
from impasto.recipe_files import shipped_tables
from impasto.tables import evaluator as tables_evaluator
from impasto.tables import figures as tables_figures
from impasto.weights import Published
from tests.tables.conftest import table_file

__all__ = ["table_file"]  # a fixture

Run = Callable[..., tuple[int, str, str]]

CLASSIFIED = """
about: {does: One painter and its classifier., data: made here, cost: seconds}
source: Nobody, table 0
evaluator: {metrics: [is, kid, top1], images: 30, features: pixels, classifier: teller}
runs:
  teller: {recipe: teller.yaml}
  painter: {recipe: painter.yaml}
rows: [{name: "[/x] painter", run: painter, published: {is: [1.3, 0.04], top1: 21.47}}]
figures: [{name: matrix, caption: Two colours, kind: mixing, run: painter}]
"""
TELLER = """
method: {name: inception-classifier, weights: none, train: all, width: 2}
data: {kind: labelled-folder, path: colours, image_size: 80, resize: 80, validation_share: 0.2}
training: {images: 32, batch_size: 8, precision: fp32, accelerator: cpu, best: validation/accuracy}
every: {checkpoint: 16, metrics: 16}
"""


def pressed(_: TrainingProgress, clock: Clock, means: object) -> None:
    """Press Ctrl-C after two batches."""
    if clock.images_seen == 16:
        os.kill(os.getpid(), signal.SIGINT)


def test_tables_are_listed(impasto: Run) -> None:
    code, out, _ = impasto("table")
    assert code == 0
    for name in shipped_tables():
        assert name in out
    assert "Datta & Cai, GANtor Arts Center, table 1" in out


def test_a_table_is_made_and_the_second_time_only_evaluated(impasto: Run, table_file: str) -> None:
    code, out, _ = impasto("table", table_file, "--runs", "mine", "--output", "out")
    assert code == 0
    assert out.splitlines()[-1] == str(Path("out/table.html").resolve())
    for words in ("Training cdcgan in mine/painter", "Measured and published", "0.50 ± 0.25", "FID of each class"):
        assert words in out
    assert {path.name for path in Path("out").iterdir()} == {"table.json", "table.md", "table.html", "mixed.png", "sheet.png"}  # fmt: skip
    first = json.loads(Path("out/table.json").read_text())
    code, out, _ = impasto("table", table_file, "--runs", "mine", "--output", "out")
    assert code == 0
    assert "1/1 painter, finished" in out
    assert "Training" not in out
    again = json.loads(Path("out/table.json").read_text())
    for rows in (first["rows"], again["rows"]):
        for row in rows:
            row["records"][0]["seconds"] = 0
    assert again == first


def test_a_classifier_of_the_table_evaluates_the_others(impasto: Run, table_file: str) -> None:
    Path("teller.yaml").write_text(TELLER)
    Path("classified.yaml").write_text(CLASSIFIED)
    code, out, _ = impasto("table", "classified.yaml", "painter:training.images=16", "teller:training.seed=1")
    assert code == 0
    told = json.loads(Path("tables/classified/table.json").read_text())
    (row,) = told["rows"]
    by_classifier, by_pixels = row["records"]
    assert [measure["name"] for measure in by_classifier["measures"]] == ["is", "top1"]
    top1 = by_classifier["measures"][1]
    assert row["ours"]["top1"]["value"] == pytest.approx(100 * top1["value"]), "in percent, as it is printed"
    assert row["budget"]["images_seen"] == 16
    assert [record["extractor"]["name"] for record in (by_classifier, by_pixels)] == ["teller", "pixels"]
    figure = told["figures"]["matrix"]
    assert (figure["file"], figure["classifier"], len(figure["shares"])) == ("matrix.png", "teller", 3)
    assert "matrix: teller gives the two classes" in out
    assert "[/x] painter" in out
    assert "a classifier with" in " ".join(out.split())


def test_ctrl_c_while_training_saves_and_prints_how_to_go_on(
    impasto: Run, table_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(TrainingProgress, "stepped", pressed)
        code, out, _ = impasto("table", table_file)
    assert code == 130
    assert "Stopped in painter at 16 of 64 images; everything is saved." in out
    assert "Go on with: impasto table table.yaml" in out
    code, out, _ = impasto("table", table_file)
    assert code == 0
    assert "going on at 16" in out


def test_ctrl_c_while_evaluating_keeps_what_was_trained(
    impasto: Run, table_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tables_evaluator, "evaluate", stopped)
    code, _, err = impasto("table", table_file)
    assert code == 130
    assert "the same command goes on from there" in " ".join(err.split())
    assert Path("runs/painter/checkpoints/000000064").is_dir()
    assert not Path("tables").exists()


def test_what_was_measured_is_written_before_the_figures_are_drawn(
    impasto: Run, table_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tables_figures, "paint_cells", stopped)
    code, _, err = impasto("table", table_file)
    assert code == 130
    assert "what was trained, evaluated and drawn is kept, and the same command goes on from there" in err
    assert {path.name for path in Path("tables/table").iterdir()} == {"table.json", "table.md", "table.html"}


def test_changed_pictures_are_refused_unless_accepted(
    impasto: Run, table_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(TrainingProgress, "stepped", pressed)
        impasto("table", table_file)
    picture = next(Path().rglob("red/*.png"))
    shutil.copy(picture, picture.with_name("more.png"))
    code, _, err = impasto("table", table_file)
    assert code == 2
    assert "--accept-changed-data" in err
    code, out, _ = impasto("table", table_file, "--accept-changed-data")
    assert code == 0
    assert "going on at 16" in out


def test_rows_and_figures_need_painters(impasto: Run, table_file: str) -> None:
    code, _, err = impasto("table", table_file, "method={name: inception-classifier, weights: none, train: all}")
    assert code == 2
    first, *_, last = err.splitlines()
    assert "rows.0.run: painter is a run of inception-classifier, which does not paint; use another run" in first
    assert (
        "figures.1.run: painter is a run of inception-classifier, which does not paint from classes and latents" in last
    )


def test_errors_of_evaluation_name_no_option_that_a_table_lacks(
    impasto: Run, table_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = Published("weights.pth", ("http://127.0.0.1:9/weights.pth",), None)

    def unreachable(wanted: Published) -> None:
        raise DataError(f"{wanted.name} cannot be fetched")

    monkeypatch.setattr(extractors, "find_weights", unreachable)
    opener = extractors._published(extractors.Inception2015, "gone", gone, "none", comparable=True)
    monkeypatch.setitem(extractors.OPENERS, "gone", opener)
    top1 = ["evaluator.metrics=[top1]", "evaluator.classifier=pixels"]
    cases = {
        "evaluator.features=gone": "see evaluator.features, evaluator.classifier and evaluator.weights",
        "evaluator.weights=lost.pth evaluator.features=gone": "the weights lost.pth are not a file",
        " ".join(top1): "top1 needs a classifier of these classes, but pixels does not know them",
        "evaluator.metrics=[is]": "is needs class probabilities, which pixels does not have",
    }
    for overrides, said in cases.items():
        code, _, err = impasto("table", table_file, *overrides.split())
        assert code == 2
        assert said in err
        assert "--" not in err, "options are those of other commands"


MISTAKES: dict[str, tuple[list[str], str]] = {
    "unknown table": (["gantor-tabl1"], "no such table; did you mean gantor-table1?"),
    "unknown run": (["TABLE", "x:training.seed=1"], "there is no run x; there is painter"),
    "unknown setting": (["TABLE", "training.sed=1"], "painter (painter.yaml): training.sed: not an option of training; did you mean seed?"),
    "unknown features": (["TABLE", "evaluator.features=pixel"], "there are no features pixel; did you mean pixels?"),
    "classifier that paints": (["TABLE", "evaluator.classifier=painter"], "evaluator.classifier: painter is a run of cdcgan, which does not classify; use another run"),
    "unknown class": (["TABLE", "figures.mixed.kind=gallery", "figures.mixed.label=purple"], "figures.mixed.label: the painter knows no class purple; there are blue, green, red"),
    "missing folder": (["TABLE", "data.path=gone"], "gone does not exist; check the path"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_get_one_clear_sentence_before_training(mistake: str, impasto: Run, table_file: str) -> None:
    arguments, expected = MISTAKES[mistake]
    code, _, err = impasto("table", *[table_file if a == "TABLE" else a for a in arguments])
    assert code == 2
    assert expected in err
    assert len(err.strip().splitlines()) == 1
    assert not list(Path().rglob("*.safetensors"))


def test_a_class_is_found_however_it_is_spelled(impasto: Run, table_file: str) -> None:
    code, _, _ = impasto("table", table_file, "figures.mixed.kind=gallery", "figures.mixed.label=RED")
    assert code == 0
    assert read_signature(Path("tables/table/mixed.png"))["figure"] == "red, seed 0"


def test_a_second_stage_that_does_not_fit_is_refused_before_the_first(impasto: Run, table_file: str) -> None:
    text = Path(table_file).read_text()
    second = "  second: {recipe: painter.yaml, settings: [training.start_from=painter, method.width=8]}\n"
    Path(table_file).write_text(text.replace("rows:\n", f"{second}rows:\n", 1))
    code, _, err = impasto("table", table_file)
    assert code == 2
    assert "training.start_from: generator of painter" in err
    assert not Path("runs/painter/checkpoints").exists()
