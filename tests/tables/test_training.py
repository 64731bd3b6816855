"""Training what a table shows: each run once, painters part of the way kept, and what cannot be gone on with."""

import os
import shutil
import signal
from fractions import Fraction
from pathlib import Path

import pytest

from impasto.engine.interrupts import InterruptedTraining
from impasto.engine.listener import TrainingListener
from impasto.engine.train import train
from impasto.errors import RecipeError, RunError
from impasto.painting.painters import load_painter
from impasto.recipe import load_recipe
from impasto.tables.table_file import load_table
from impasto.tables.training import PlannedRun, _Keeping, planned_runs, train_run


class Steps(TrainingListener):
    """Counts steps, and presses Ctrl-C after some."""

    def __init__(self, stop_after: int = 0) -> None:
        self.count, self.stop_after = 0, stop_after

    def stepped(self, clock, means) -> None:
        self.count += 1
        if self.count == self.stop_after:
            os.kill(os.getpid(), signal.SIGINT)


def test_what_keeps_painters_passes_on_all_that_is_heard() -> None:
    told = {name for name, member in vars(TrainingListener).items() if callable(member) and not name.startswith("_")}
    assert told <= vars(_Keeping).keys()
    assert "alarmed" in told


def planned(table_file: str, *overrides: str, folder: str = "runs") -> PlannedRun:
    (run,) = planned_runs(load_table(table_file, overrides), Path(folder))
    return run


def trained(run: PlannedRun, stop_after: int = 0) -> int:
    steps = Steps(stop_after)
    train_run(run, steps)
    return steps.count


def test_a_painter_part_of_the_way_is_kept_and_nothing_is_trained_twice(table_file: str) -> None:
    run = planned(table_file)
    assert trained(run) == 8
    half, whole = (load_painter(run.painter(after)) for after in (Fraction(1, 2), None))
    assert (half.images_seen, whole.images_seen) == (32, 64)
    assert half.fingerprint != whole.fingerprint
    again = planned(table_file)
    assert again.finished
    assert trained(again) == 0


@pytest.mark.parametrize("stop_after", [2, 4, 6])
def test_a_table_goes_on_where_it_was_stopped(table_file: str, stop_after: int) -> None:
    with pytest.raises(InterruptedTraining):
        trained(planned(table_file), stop_after)
    run = planned(table_file)
    assert trained(run) == 8 - stop_after
    whole = planned(table_file, folder="others")
    trained(whole)
    for after in (Fraction(1, 2), None):
        assert load_painter(run.painter(after)).fingerprint == load_painter(whole.painter(after)).fingerprint


def test_a_checkpoint_that_was_not_yet_kept_is_kept_when_going_on(table_file: str) -> None:
    with pytest.raises(InterruptedTraining):
        trained(planned(table_file), stop_after=4)
    shutil.rmtree("runs/painter/kept")
    run = planned(table_file)
    trained(run)
    assert load_painter(run.painter(Fraction(1, 2))).images_seen == 32


def test_moments_fall_on_checkpoints_whatever_the_budget(table_file: str) -> None:
    text = Path(table_file).read_text()
    Path(table_file).write_text(text.replace("after: 1/2, published", "after: 5/8, published"))
    for images, interval, kept in (
        (80, 10, {Fraction(5, 8): 56, Fraction(1, 2): 40}),
        (800, 100, {Fraction(5, 8): 504, Fraction(1, 2): 400}),
        (100_000, 2_500, {Fraction(5, 8): 62_504, Fraction(1, 2): 50_000}),
    ):
        run = planned(table_file, f"training.images={images}", "every.checkpoint=3_000")
        assert run.recipe.every.checkpoint == interval, "as the recipe's or shorter"
        assert run.kept == kept, "after the batch of 8 that reaches a multiple of it"


def test_a_run_that_was_trained_by_itself_did_not_keep_its_painters(table_file: str) -> None:
    train(load_recipe("painter.yaml"), Path("runs/painter"))
    with pytest.raises(RunError, match=r"runs/painter .* did not keep its painter of 32 images.* another --runs"):
        planned(table_file)


def test_a_folder_of_another_recipe_is_refused_before_training(table_file: str) -> None:
    train(load_recipe("painter.yaml", ["training.images=8"]), Path("runs/painter"))
    with pytest.raises(RunError, match=r"training.images: 8 here, 64 there") as told:
        planned(table_file)
    assert "--run " not in str(told.value), "an option of another command"


def test_what_a_recipe_does_not_know_is_told(table_file: str) -> None:
    with pytest.raises(
        RecipeError,
        match=r"^painter \(painter.yaml\): training.imags: not an option of training; did you mean images\?",
    ):
        planned(table_file, "training.imags=3")
    with pytest.raises(RunError, match="painter: training.devices is 2, .* set training.devices=1"):
        planned(table_file, "training.devices=2")


def test_a_second_stage_needs_its_first(table_file: str) -> None:
    with pytest.raises(RunError, match="painter starts from elsewhere, which is not trained; put it earlier"):
        planned(table_file, "training.start_from=elsewhere")
