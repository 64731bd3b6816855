"""One run: journal, checkpoints, resuming, and what stops it."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from impasto.clock import Clock
from impasto.engine.listener import TrainingListener
from impasto.engine.train import train
from impasto.errors import (
    CheckpointError,
    DataError,
    ImpastoError,
    OutputError,
    PictureError,
    RecipeError,
    RunError,
    TrainingDivergedError,
)
from impasto.methods.cyclegan import CycleGAN
from impasto.recipe import Recipe, load_recipe
from impasto.run_folder import RunFolder
from tests.conformance.test_methods import assert_same_checkpoint, stopping_at
from tests.conftest import picture


def recipe(tiny_recipe: Path, *overrides: str) -> Recipe:
    return load_recipe(tiny_recipe, overrides)


def test_a_run_writes_its_journal_samples_and_checkpoint(tiny_recipe: Path) -> None:
    heard: list[Any] = []

    class Listener(TrainingListener):
        def stepped(self, clock: Clock, means: Mapping[str, float] | None) -> None:
            heard.append((clock.images_seen, means))

    checkpoint = train(recipe(tiny_recipe, "every.scalars=2"), Path("run"), Listener())
    run = RunFolder(Path("run"))
    assert checkpoint == run.latest()
    assert checkpoint.name == "000000008"
    assert run.finished()
    entries = list(run.journal())
    assert [e["kind"] for e in entries][:2] == ["start", "samples"]
    assert entries[-1]["kind"] == "finish"
    scalars = [e for e in entries if e["kind"] == "scalars"]
    assert [e["images_seen"] for e in scalars] == [2, 4, 6, 8]
    assert set(scalars[0]["scalars"]) == {
        "generator/adversarial", "generator/cycle", "generator/identity", "generator/total", "generator/gradient_norm",
        "discriminator_paintings/loss", "discriminator_paintings/accuracy", "discriminator_paintings/gradient_norm",
        "discriminator_photos/loss", "discriminator_photos/accuracy", "discriminator_photos/gradient_norm",
    }  # fmt: skip
    assert [seen for seen, _ in heard] == list(range(1, 9))
    assert [means is not None for _, means in heard] == [False, True] * 4
    assert [p.name for p in sorted(run.samples.iterdir())] == ["000000001.png", "000000004.png", "000000008.png"]
    with Image.open(run.samples / "000000008.png") as sheet:
        assert sheet.width == 5 * 28 + 4 * 4
    assert any(run.tensorboard.iterdir())
    assert sorted(p.name for p in checkpoint.iterdir()) == ["recipe.yaml", "training.pt", "weights.safetensors"]


def test_the_last_and_the_best_checkpoint_are_kept(tiny_recipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = CycleGAN.training_step

    def worse_and_worse(self: CycleGAN, batch: Any, clock: Clock) -> Mapping[str, torch.Tensor]:
        return {**step(self, batch, clock), "distance": torch.tensor(abs(clock.images_seen - 3.5))}

    monkeypatch.setattr(CycleGAN, "training_step", worse_and_worse)
    train(recipe(tiny_recipe, "every.checkpoint=2", "training.best=distance"), Path("run"))
    run = RunFolder(Path("run"))
    assert [p.name for p in run.checkpoint_folders()] == ["000000004", "000000008"]
    assert run.best() == run.checkpoints / "000000004"
    assert json.loads(run.best_file.read_text())["value"] == pytest.approx(1.0)
    assert not list(run.checkpoints.glob(".*"))


class Steps(TrainingListener):
    """Counts the steps."""

    def __init__(self) -> None:
        self.count = 0

    def stepped(self, clock: Clock, means: object) -> None:
        self.count += 1


def test_an_unknown_best_scalar_is_refused_at_the_first_step(tiny_recipe: Path) -> None:
    steps = Steps()
    with pytest.raises(
        RecipeError, match=r"training.best: generator/cycel is not a logged scalar; did you mean generator/cycle\?"
    ):
        train(recipe(tiny_recipe, "training.best=generator/cycel"), Path("run"), steps)
    assert steps.count == 0, "nothing learned is lost"


def test_where_networks_take_turns_it_is_refused_after_the_last_turn(tmp_path: Path) -> None:
    tiny = ["method.width=4", "method.critic_width=4", "method.critic_steps=3", "training.batch_size=2"]
    short = ["data.image_size=16", "data.resize=20", "training.images=8", "every.checkpoint=8", "every.samples=8"]
    run = load_recipe("cwgan-gp-atelier", [*tiny, *short, "training.best=generator/adversarial"])
    train(run, tmp_path / "good")
    steps = Steps()
    with pytest.raises(
        RecipeError, match=r"training.best: generator/advers is not a logged scalar; did you mean generator/adv"
    ):
        train(
            load_recipe("cwgan-gp-atelier", [*tiny, *short, "training.best=generator/advers"]), tmp_path / "bad", steps
        )
    assert steps.count == 2


def test_a_finished_run_is_left_alone(tiny_recipe: Path) -> None:
    checkpoint = train(recipe(tiny_recipe), Path("run"))
    before = {path: path.stat().st_mtime_ns for path in Path("run").rglob("*") if path.name != ".lock"}
    assert train(recipe(tiny_recipe), Path("run")) == checkpoint
    assert {path: path.stat().st_mtime_ns for path in Path("run").rglob("*") if path.name != ".lock"} == before


def test_a_corrected_command_may_use_the_folder_of_the_mistaken_one(tiny_recipe: Path) -> None:
    for mistake in ("data.photos=gone", "training.batch_size=6", "data.image_size=20", "training.best=nonsense"):
        with pytest.raises(ImpastoError):
            train(recipe(tiny_recipe, mistake), Path("run"))
    train(recipe(tiny_recipe), Path("run"))
    kinds = [entry["kind"] for entry in RunFolder(Path("run")).journal()]
    assert kinds.count("start") == 1


def test_an_interrupted_interval_is_no_candidate_for_the_best(tiny_recipe: Path) -> None:
    overrides = ["every.checkpoint=3", "training.best=generator/cycle", "training.images=9"]
    train(recipe(tiny_recipe, *overrides), Path("whole"))
    for images in (1, 4, 5):
        stopping_at(recipe(tiny_recipe, *overrides), Path("run"), images)
    train(recipe(tiny_recipe, *overrides), Path("run"))
    assert Path("run/checkpoints/best.json").read_text() == Path("whole/checkpoints/best.json").read_text()


def test_a_folder_of_another_recipe_is_refused(tiny_recipe: Path) -> None:
    train(recipe(tiny_recipe), Path("run"))
    with pytest.raises(RunError, match=r"run contains a run of another recipe \(method.width: 4 here, 8 there\)"):
        train(recipe(tiny_recipe, "method.width=8"), Path("run"))
    Path("other").mkdir()
    Path("other/thesis.txt").write_text("precious")
    with pytest.raises(RunError, match="other exists and is not a run folder"):
        train(recipe(tiny_recipe), Path("other"))
    assert [p.name for p in Path("other").iterdir()] == ["thesis.txt"]


def test_two_trainings_in_one_folder_are_refused(tiny_recipe: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    Path("run").mkdir()
    with Path("run/.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(RunError, match="another process is training in run"):
            train(recipe(tiny_recipe), Path("run"))


def test_a_nan_stops_the_run_and_names_the_last_good_checkpoint(
    tiny_recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = CycleGAN.training_step

    def broken(self: CycleGAN, batch: Any, clock: Clock) -> Mapping[str, torch.Tensor]:
        scalars = step(self, batch, clock)
        return {**scalars, "generator/cycle": torch.tensor(torch.nan)} if clock.images_seen == 5 else scalars

    with monkeypatch.context() as patched:
        patched.setattr(CycleGAN, "training_step", broken)
        with pytest.raises(
            TrainingDivergedError, match=r"loss generator/cycle became NaN .*is run/checkpoints/000000004;"
        ):
            train(recipe(tiny_recipe), Path("run"))
    assert train(recipe(tiny_recipe), Path("run")).name == "000000008"


def test_infinite_weights_are_never_saved(tiny_recipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = CycleGAN.training_step

    def broken(self: CycleGAN, batch: Any, clock: Clock) -> Mapping[str, torch.Tensor]:
        scalars = step(self, batch, clock)
        if clock.images_seen == 3:
            with torch.no_grad():
                next(self.to_photo.parameters()).fill_(torch.inf)
        return scalars

    monkeypatch.setattr(CycleGAN, "training_step", broken)
    with pytest.raises(TrainingDivergedError, match=r"the weight to_photo\..* there is no checkpoint yet"):
        train(recipe(tiny_recipe), Path("run"))
    assert RunFolder(Path("run")).latest() is None


def test_broken_weights_of_discriminators_are_never_saved_either(
    tiny_recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = CycleGAN.training_step

    def broken(self: CycleGAN, batch: Any, clock: Clock) -> Mapping[str, torch.Tensor]:
        scalars = step(self, batch, clock)
        if clock.images_seen == 7:
            with torch.no_grad():
                next(self.photo_adversary.network.parameters()).fill_(torch.nan)
        return scalars

    monkeypatch.setattr(CycleGAN, "training_step", broken)
    with pytest.raises(
        TrainingDivergedError, match=r"the weight discriminator_photos\..* is run/checkpoints/000000004"
    ):
        train(recipe(tiny_recipe), Path("run"))


@pytest.mark.parametrize("file", ["weights.safetensors", "training.pt"])
@pytest.mark.parametrize("left", [0.0, 0.5, 0.99])
def test_a_checkpoint_cut_off_is_named_and_the_older_one_offered(file: str, left: float, tiny_recipe: Path) -> None:
    overrides = ["every.checkpoint=4", "training.best=generator/cycle", "training.images=12"]
    last = stopping_at(recipe(tiny_recipe, *overrides), Path("run"), 8)
    older = last.with_name("000000004")
    if not older.exists():
        shutil.copytree(last, older)
    whole = (last / file).read_bytes()
    (last / file).write_bytes(whole[: int(len(whole) * left)])
    with pytest.raises(CheckpointError, match=r"000000008 is damaged \(.+\); delete it to resume from 000000004"):
        train(recipe(tiny_recipe, *overrides), Path("run"))
    assert last.exists()
    shutil.rmtree(older)
    with pytest.raises(CheckpointError, match="delete it to start this run again"):
        train(recipe(tiny_recipe, *overrides), Path("run"))


def test_files_of_others_in_a_run_are_left_alone(tiny_recipe: Path) -> None:
    stopping_at(recipe(tiny_recipe), Path("run"), 5)
    Path("run/samples/favourite.png").write_text("mine")
    Path("run/checkpoints/notes").mkdir()
    train(recipe(tiny_recipe), Path("run"))
    assert Path("run/samples/favourite.png").exists()


def test_entries_of_images_not_saved_are_dropped_on_resuming(tiny_recipe: Path) -> None:
    train(recipe(tiny_recipe), Path("run"))
    run = RunFolder(Path("run"))
    shutil.rmtree(run.checkpoints)
    with run.journal_file.open("a") as file:
        file.write('{"kind": "scalars", "images_se')  # as a power cut leaves it
    train(recipe(tiny_recipe), Path("run"))
    seen = [e["images_seen"] for e in run.journal() if e["kind"] == "scalars"]
    assert seen == list(range(1, 9))


def test_fewer_pictures_than_a_batch(tiny_recipe: Path) -> None:
    with pytest.raises(DataError, match=r"5 training pictures are fewer than a batch of 6; add pictures, or lower"):
        train(recipe(tiny_recipe, "training.batch_size=6", "training.images=12"), Path("run"))


def test_a_picture_that_breaks_during_the_run_loses_nothing(tiny_recipe: Path, collection: Path) -> None:
    broken = collection / "paintings" / "01.png"
    broken.write_bytes(broken.read_bytes()[:200])  # the header is whole, so only decoding finds it
    with pytest.raises(PictureError, match=r"01.png is cut off or damaged"):
        train(recipe(tiny_recipe), Path("run"))
    picture(101, 37, 31).save(broken)
    resumed = train(recipe(tiny_recipe), Path("run"))
    assert_same_checkpoint(train(recipe(tiny_recipe), Path("whole")), resumed)


def test_a_full_disk_is_reported_and_the_last_checkpoint_kept(
    tiny_recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bytes = Path.write_bytes
    full = [False]

    def limited(self: Path, data: Any) -> int:
        if full[0] and self.name == "training.pt":
            raise OSError(28, "No space left on device")
        full[0] = full[0] or self.name == "training.pt"
        return write_bytes(self, data)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", limited)
        with pytest.raises(OutputError, match=r"000000008 cannot be written \(No space left on device\); free some"):
            train(recipe(tiny_recipe), Path("run"))
    run = RunFolder(Path("run"))
    assert [p.name for p in run.checkpoint_folders()] == ["000000004"]
    assert train(recipe(tiny_recipe), Path("run")).name == "000000008"


def test_samples_and_checkpoints_never_change_learning(tiny_recipe: Path) -> None:
    from safetensors.torch import load_file

    often = train(recipe(tiny_recipe, "every.samples=1", "every.checkpoint=1"), Path("often"))
    seldom = train(recipe(tiny_recipe, "every.samples=100", "every.checkpoint=100", "data.workers=1"), Path("seldom"))
    mine, theirs = (load_file(folder / "weights.safetensors") for folder in (often, seldom))
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_images_too_small_for_the_discriminators(tiny_recipe: Path) -> None:
    with pytest.raises(RecipeError, match=r"data.image_size: cyclegan's discriminators need 24 pixels, not 20"):
        train(recipe(tiny_recipe, "data.image_size=20"), Path("run"))


def test_cuda_that_is_not_there(tiny_recipe: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    with pytest.raises(ImpastoError, match="no CUDA device"):
        train(recipe(tiny_recipe, "training.accelerator=cuda"), Path("run"))
