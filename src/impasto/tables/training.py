"""Trains the runs of a table, each in its own folder. Finished runs are not trained again.

A run is trained exactly as by `impasto train`, and its folder is an ordinary run folder. In addition, `kept/` holds the
painters that the table shows before the end of training: weights and recipe.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from impasto.clock import Clock
from impasto.engine.claim import check_folder
from impasto.engine.listener import TrainingListener
from impasto.engine.start import start_is_ready
from impasto.engine.train import train
from impasto.errors import RecipeError, RunError
from impasto.files import replacing_folder
from impasto.recipe import Recipe, load_recipe
from impasto.run_folder import RECIPE, WEIGHTS, RunFolder
from impasto.tables.options import RunOptions, Table

KEPT = "kept"


@dataclass(frozen=True)
class PlannedRun:
    """A run that a table needs."""

    name: str
    recipe: Recipe
    folder: RunFolder
    kept: Mapping[Fraction, int]
    """Images seen when a painter is kept, by share of training."""

    @property
    def finished(self) -> bool:
        """Whether training is complete."""
        return self.folder.latest() is not None and self.folder.told_finished()

    def painter(self, after: Fraction | None) -> Path:
        """Return the folder of the painter after a share of training. Default: the run's best or last painter.

        Raises RunError if there is no checkpoint.
        """
        if after is not None and after in self.kept:
            return _kept_at(self.folder, self.kept[after])
        at_the_end = self.folder.best()
        if at_the_end is None:
            raise RunError(f"{self.folder.path} has no checkpoint; run impasto table again to train it")
        return at_the_end


def planned_runs(table: Table, folder: Path) -> list[PlannedRun]:
    """Return the runs of a table in training order. Each has a sub-folder of `folder`.

    Everything is checked before the first run is trained. Raises RecipeError for mistakes in recipes, and RunError for
    run folders that cannot be resumed.
    """
    runs = [_planned(table, name, folder) for name in table.runs]
    for place, run in enumerate(runs):
        _check_start(run, list(table.runs)[:place])
        check_folder(run.folder, run.recipe)
        _check_devices(run)
        _check_kept(run)
    return runs


def train_run(run: PlannedRun, listener: TrainingListener, *, accept_changed_data: bool = False) -> None:
    """Train a run to its end, from its latest checkpoint. Does nothing for a finished run.

    A resumed run must find the same pictures as before, unless changed data is accepted.

    Raises the errors of `train`, and InterruptedTraining after Ctrl-C.
    """
    keeping = _Keeping(listener, run.folder, frozenset(run.kept.values()))
    for checkpoint in run.folder.checkpoint_folders():  # an earlier session may have stopped after saving it
        keeping.keep(checkpoint)
    if not run.finished:
        train(run.recipe, run.folder, keeping, accept_changed_data=accept_changed_data)


def _planned(table: Table, name: str, folder: Path) -> PlannedRun:
    options = table.runs[name]
    recipe = _recipe(name, options, options.settings)
    moments = table.moments(name)
    if not moments:
        return PlannedRun(name, recipe, RunFolder(folder / name), {})
    interval, kept = _schedule(moments, recipe)
    recipe = _recipe(name, options, [*options.settings, f"every.checkpoint={interval}"])
    return PlannedRun(name, recipe, RunFolder(folder / name), kept)


def _recipe(name: str, options: RunOptions, settings: Sequence[str]) -> Recipe:
    """Load a run's recipe. Mistakes are reported with the run's name."""
    source = options.recipe or name
    try:
        return load_recipe(source, settings)
    except RecipeError as error:
        raise RecipeError(name if source == name else f"{name} ({source})", error.problems) from error


def _schedule(moments: set[Fraction], recipe: Recipe) -> tuple[int, dict[Fraction, int]]:
    """Return a checkpoint interval, at most the recipe's, and the images seen at the checkpoint of each moment.

    A checkpoint is saved after the batch that reaches a multiple of the interval.
    """
    images, batch_size = recipe.training.images, recipe.training.batch_size
    parts = math.lcm(*(moment.denominator for moment in moments))
    parts *= math.ceil(images / parts / recipe.every.checkpoint)
    interval = max(1, images // parts)
    reached = {moment: int(moment * parts) * interval for moment in moments}
    return interval, {moment: math.ceil(mark / batch_size) * batch_size for moment, mark in reached.items()}


def _check_start(run: PlannedRun, earlier: Sequence[str]) -> None:
    wanted = run.recipe.training.start_from
    begun = run.folder.latest() is not None
    if wanted is not None and not begun and wanted not in earlier and start_is_ready(wanted, run.folder) is None:
        raise RunError(f"{run.name} starts from {wanted}, which is not trained; put it earlier in the table's runs")


def _check_devices(run: PlannedRun) -> None:
    if run.recipe.training.devices > 1 and not run.finished:
        raise RunError(
            f"{run.name}: training.devices is {run.recipe.training.devices}, but a table trains on one device; "
            "set training.devices=1"
        )


def _check_kept(run: PlannedRun) -> None:
    """Raise RunError if training has passed a moment without keeping its painter."""
    latest = run.folder.latest()
    seen = 0 if latest is None else int(latest.name)
    for images in run.kept.values():
        is_there = any((folder / WEIGHTS).is_file() for folder in _places(run.folder, images))
        if images <= seen and not is_there:
            raise RunError(
                f"{run.folder.path} was trained without this table and did not keep its painter of {images:,} images, "
                "which the table shows; use another --runs folder to train it again"
            )


def _places(folder: RunFolder, images: int) -> Sequence[Path]:
    return _kept_at(folder, images), folder.checkpoints / f"{images:09d}"


def _kept_at(folder: RunFolder, images: int) -> Path:
    return folder.path / KEPT / f"{images:09d}"


class _Keeping(TrainingListener):
    """Copies painters when they are saved, because later checkpoints replace them. Forwards events to a listener."""

    def __init__(self, listener: TrainingListener, folder: RunFolder, moments: frozenset[int]) -> None:
        self.listener, self.folder, self.moments = listener, folder, moments

    def started(
        self, recipe: Recipe, run: RunFolder, clock: Clock, facts: Mapping[str, str], classes: Mapping[str, int]
    ) -> None:
        self.listener.started(recipe, run, clock, facts, classes)

    def noted(self, note: str) -> None:
        self.listener.noted(note)

    def stepped(self, clock: Clock, means: Mapping[str, float] | None) -> None:
        self.listener.stepped(clock, means)

    def measured(self, clock: Clock, metrics: Mapping[str, float]) -> None:
        self.listener.measured(clock, metrics)

    def alarmed(self, clock: Clock, alarm: str) -> None:
        self.listener.alarmed(clock, alarm)

    def saved(self, path: Path) -> None:
        self.listener.saved(path)
        if path.parent == self.folder.checkpoints:
            self.keep(path)

    def keep(self, checkpoint: Path) -> None:
        """Copy the painter of a checkpoint at one of the moments, unless it is already kept."""
        images = int(checkpoint.name)
        target = _kept_at(self.folder, images)
        if images not in self.moments or target.exists():
            return
        with replacing_folder(target) as folder:
            for name in (WEIGHTS, RECIPE):
                shutil.copyfile(checkpoint / name, folder / name)
