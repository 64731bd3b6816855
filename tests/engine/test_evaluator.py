"""Evaluation during training: metrics in the journal, the best checkpoint, and learning that does not change."""

import json
from pathlib import Path

import pytest
import torch

from impasto.engine.train import train
from impasto.errors import EvaluationError, RecipeError
from impasto.painting.painters import load_painter
from impasto.recipe import load_recipe
from impasto.run_folder import RunFolder

EVALUATED = [
    "training.images=6", "every.checkpoint=2", "every.metrics=2", "every.samples=6",
    "evaluation={metrics: [kid, colour, ssim], features: pixels, images: 4}",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "cache"))


def metrics_of(run: Path) -> list[dict[str, object]]:
    return [entry for entry in RunFolder(run).journal() if entry["kind"] == "metrics"]


def test_a_painter_is_evaluated_while_it_learns(tiny_recipe: Path, tmp_path: Path) -> None:
    train(load_recipe(str(tiny_recipe), [*EVALUATED, "training.best=kid"]), tmp_path / "run")
    entries = metrics_of(tmp_path / "run")
    assert [entry["images_seen"] for entry in entries] == [2, 4, 6]
    assert set(entries[0]["metrics"]) == {"kid", "colour", "ssim", "left-untouched"}  # type: ignore[call-overload]
    record = entries[0]["record"]
    assert record["extractor"]["name"] == "pixels"  # type: ignore[index]
    assert json.dumps(record)
    kids = [entry["metrics"]["kid"] for entry in entries]  # type: ignore[index]
    assert len(set(kids)) == 3, "other weights paint differently"
    best = json.loads((tmp_path / "run" / "checkpoints" / "best.json").read_text())
    assert int(best["checkpoint"]) == entries[kids.index(min(kids))]["images_seen"]


def test_evaluating_does_not_change_learning(tiny_recipe: Path, tmp_path: Path) -> None:
    train(load_recipe(str(tiny_recipe), EVALUATED), tmp_path / "evaluated")
    plain = [*EVALUATED[:2], EVALUATED[3]]
    train(load_recipe(str(tiny_recipe), plain), tmp_path / "plain")
    evaluated, alone = (load_painter(tmp_path / name).painter.networks() for name in ("evaluated", "plain"))
    for name, network in evaluated.items():
        for mine, theirs in zip(network.parameters(), alone[name].parameters(), strict=True):
            torch.testing.assert_close(mine, theirs, rtol=0, atol=0)


def test_equal_weights_have_equal_metrics(tiny_recipe: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        train(load_recipe(str(tiny_recipe), EVALUATED), tmp_path / name)
    assert metrics_of(tmp_path / "one")[-1]["metrics"] == metrics_of(tmp_path / "two")[-1]["metrics"]


def test_missing_weights_stop_a_run_before_its_first_step(tiny_recipe: Path, tmp_path: Path) -> None:
    wanted = "evaluation={metrics: [fid], weights: gone.pth}"
    with pytest.raises(EvaluationError, match=r"gone\.pth are not a file; use weights-inception-2015"):
        train(load_recipe(str(tiny_recipe), ["every.metrics=2", wanted]), tmp_path / "run")
    assert not (tmp_path / "run" / "journal.jsonl").exists()


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["evaluation={metrics: [fid]}"], "every.metrics: evaluation needs an interval; set it in images"),
        (
            ["every.metrics=2"],
            r"every.metrics: cyclegan has no metrics of its own; set evaluation.metrics=\[fid\]",
        ),
        ([*EVALUATED, "training.best=fid"], "training.best: fid is not measured for cyclegan; did you mean"),
    ],
)
def test_what_does_not_fit_is_refused(tiny_recipe: Path, overrides: list[str], sentence: str) -> None:
    with pytest.raises(RecipeError, match=sentence):
        load_recipe(str(tiny_recipe), overrides)
