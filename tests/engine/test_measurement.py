"""Metrics measured during training: where they are logged, what is best by them, and that learning does not change."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from impasto.clock import Clock
from impasto.data.batches import LabelledImages
from impasto.data.datasets import open_dataset
from impasto.data.labelled_folder import LabelledFolder
from impasto.engine.facts import peak_megabytes
from impasto.engine.listener import TrainingListener
from impasto.engine.measurement import in_eval_mode
from impasto.engine.train import train
from impasto.errors import DataError, PictureError
from impasto.methods.cyclegan import CycleGAN
from impasto.methods.inception_classifier import InceptionClassifier
from impasto.painting.painters import load_classifier
from impasto.recipe import Recipe, load_recipe
from impasto.run_folder import RunFolder
from tests.conformance.test_methods import assert_same_checkpoint, stopping_at
from tests.conftest import picture

TINY_CLASSIFIER = """
method: {name: inception-classifier, weights: none, train: all, width: 2}
data: {kind: labelled-folder, path: styles, image_size: 76, resize: 76, crop: resized, validation_share: 0.3}
training: {images: 16, batch_size: 2, precision: fp32, best: validation/accuracy}
every: {scalars: 4, samples: 4, checkpoint: 4, metrics: 4}
"""


@pytest.fixture
def tiny_classifier(tmp_path: Path) -> Path:
    """A recipe for a classifier of two classes of four pictures each. Of each class one is held out."""
    for level, name in enumerate(["dark", "light"]):
        (tmp_path / "styles" / name).mkdir(parents=True)
        for number in range(4):
            brightness = lambda value, level=level: value // 2 + 127 * level  # noqa: E731
            picture(number, 90, 80).point(brightness).save(tmp_path / "styles" / name / f"{number}.png")
    (tmp_path / "tiny-classifier.yaml").write_text(TINY_CLASSIFIER)
    return tmp_path / "tiny-classifier.yaml"


def recipe(path: Path, *overrides: str) -> Recipe:
    return load_recipe(path, overrides)


def opened(path: Path) -> LabelledFolder:
    """Return the dataset of a recipe."""
    dataset = open_dataset(recipe(path).data, LabelledImages)
    assert isinstance(dataset, LabelledFolder)
    return dataset


def entries(run: str, kind: str) -> list[dict[str, Any]]:
    return [entry for entry in RunFolder(Path(run)).journal() if entry["kind"] == kind]


def scripted(monkeypatch: pytest.MonkeyPatch, accuracies: Mapping[int, float]) -> None:
    """Make validation find these accuracies, one after another."""
    found = iter(accuracies.values())
    monkeypatch.setattr(
        InceptionClassifier, "validate", lambda self, batches: {"accuracy": next(found), "loss": float(len(list(batches)))}
    )  # fmt: skip


def test_metrics_are_measured_at_their_interval_and_at_the_end(tiny_classifier: Path) -> None:
    heard: list[tuple[int, Mapping[str, float]]] = []

    class Listener(TrainingListener):
        def measured(self, clock: Clock, metrics: Mapping[str, float]) -> None:
            heard.append((clock.images_seen, metrics))

    train(recipe(tiny_classifier, "every.metrics=8", "training.images=18"), Path("run"), Listener())
    found = entries("run", "metrics")
    assert [entry["images_seen"] for entry in found] == [8, 16, 18] == [seen for seen, _ in heard]
    assert all(set(entry["metrics"]) == {"validation/accuracy", "validation/loss"} for entry in found)
    assert [metrics["validation/accuracy"] for _, metrics in heard] == [
        e["metrics"]["validation/accuracy"] for e in found
    ]
    assert "record" not in found[0]
    assert entries("run", "samples") == [], "a classifier paints no samples"


def test_tensorboard_shows_them(tiny_classifier: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(recipe(tiny_classifier, "every.metrics=8"), Path("run"))
    events = EventAccumulator("run/tensorboard").Reload().Scalars("validation/accuracy")
    assert [event.step for event in events] == [8, 16]


def test_the_highest_accuracy_is_best(tiny_classifier: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, {4: 0.5, 8: 0.75, 12: 0.75, 16: 0.25})
    train(recipe(tiny_classifier), Path("run"))
    run = RunFolder(Path("run"))
    assert json.loads(run.best_file.read_text()) == {
        "checkpoint": "000000008", "scalar": "validation/accuracy", "value": 0.75,
    }  # fmt: skip
    assert [folder.name for folder in run.checkpoint_folders()] == ["000000008", "000000016"]
    assert load_classifier("run").validation_accuracy == 0.75
    assert load_classifier(run.checkpoints / "000000016").validation_accuracy == 0.25


def test_the_lowest_loss_is_best_and_nan_never_is(tiny_classifier: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    losses = iter([3.0, float("nan"), 2.0, 4.0])
    monkeypatch.setattr(InceptionClassifier, "validate", lambda *_: {"accuracy": 0.0, "loss": next(losses)})
    train(recipe(tiny_classifier, "training.best=validation/loss"), Path("run"))
    assert RunFolder(Path("run")).best() == Path("run/checkpoints/000000012")


def test_a_checkpoint_between_measurements_is_no_candidate(
    tiny_classifier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(monkeypatch, {8: 0.5, 16: 0.25})
    train(recipe(tiny_classifier, "every.metrics=8"), Path("run"))
    assert [folder.name for folder in RunFolder(Path("run")).checkpoint_folders()] == ["000000008", "000000016"]


def test_an_interrupted_run_measures_and_chooses_as_a_whole_one(tiny_classifier: Path) -> None:
    whole = train(recipe(tiny_classifier), Path("whole"))
    for images in (2, 8, 14):
        stopping_at(recipe(tiny_classifier), Path("run"), images)
    assert_same_checkpoint(whole, train(recipe(tiny_classifier), Path("run")))
    assert Path("run/checkpoints/best.json").read_text() == Path("whole/checkpoints/best.json").read_text()
    found = [[(e["images_seen"], e["metrics"]) for e in entries(run, "metrics")] for run in ("whole", "run")]
    assert found[0] == found[1]


def test_averaged_weights_are_measured(tiny_classifier: Path) -> None:
    settings = ("training.ema_halflife_images=100", "training.best=validation/loss")
    train(recipe(tiny_classifier, *settings), Path("run"))
    loaded = load_classifier("run/checkpoints/000000016").classifier
    assert isinstance(loaded, InceptionClassifier)
    with torch.no_grad():
        expected = loaded.validate(opened(tiny_classifier).held_out(2))["loss"]
    assert entries("run", "metrics")[-1]["metrics"]["validation/loss"] == pytest.approx(expected, rel=1e-4)


def test_nothing_held_out_is_refused_before_training(tiny_classifier: Path) -> None:
    with pytest.raises(
        DataError, match=r"every.metrics: no pictures are held out for validation; set data.validation_share=0.1"
    ):
        train(recipe(tiny_classifier, "data.validation_share=0"), Path("run"))


def test_a_held_out_picture_that_breaks_loses_nothing(tiny_classifier: Path) -> None:
    broken = opened(tiny_classifier).validation[0].picture
    assert isinstance(broken, Path)
    whole = broken.read_bytes()
    broken.write_bytes(whole[: len(whole) // 2])  # the header is whole, so only decoding finds it
    with pytest.raises(PictureError, match="is cut off or damaged"):
        train(recipe(tiny_classifier), Path("run"))
    run = RunFolder(Path("run"))
    assert [folder.name for folder in run.checkpoint_folders()] == ["000000004"]
    assert not run.best_file.exists()
    broken.write_bytes(whole)
    assert train(recipe(tiny_classifier), Path("run"), accept_changed_data=True).name == "000000016"


def test_the_notes_of_a_method_are_reported(tiny_classifier: Path) -> None:
    notes: list[str] = []

    class Listener(TrainingListener):
        def noted(self, note: str) -> None:
            notes.append(note)

    train(recipe(tiny_classifier, "training.images=2"), Path("run"), Listener())
    assert notes == ["Inception-v3's auxiliary layers need 299 pixels, not 76; it learns without them"]


def test_eval_mode_is_left_as_it_was_entered() -> None:
    network = nn.Sequential(nn.BatchNorm2d(2), nn.Sequential(nn.Dropout(0.5), nn.BatchNorm2d(2)))
    network[1][1].eval()  # a frozen part
    modes = [part.training for part in network.modules()]
    with in_eval_mode({"network": network}):
        assert not any(part.training for part in network.modules())
    assert [part.training for part in network.modules()] == modes == [True, True, True, True, False]


def test_the_journal_ends_with_the_peak_memory(tiny_recipe: Path) -> None:
    train(load_recipe(tiny_recipe), Path("run"))
    (finish,) = entries("run", "finish")
    assert 50 < finish["peak_megabytes"] <= peak_megabytes(torch.device("cpu"))  # type: ignore[operator]


def test_samples_are_painted_in_eval_mode(tiny_recipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[tuple[bool, bool]] = []
    sheet = CycleGAN.sheet

    def watched(self: CycleGAN, *arguments: Any) -> Any:
        modes.append((self.to_painting.training, torch.is_grad_enabled()))
        return sheet(self, *arguments)

    monkeypatch.setattr(CycleGAN, "sheet", watched)
    train(load_recipe(tiny_recipe), Path("run"))
    assert set(modes) == {(False, False)}
