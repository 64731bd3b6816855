"""Training the runs of a table: each in its own folder, and a finished one only once.

A run learns exactly as `impasto train` would let it, and its folder is like any other. Only the painters that a table
shows part of the way are kept beside its checkpoints, in `kept/`, two files each.
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
    """Images seen at which a painter is kept, by the share of training."""

    @property
    def finished(self) -> bool:
        """Whether training has finished."""
        return self.folder.latest() is not None and self.folder.told_finished()

    def painter(self, after: Fraction | None) -> Path:
        """Return the folder of the painter after a share of training; at the end the run's best or last one.

        Raises RunError where it was not kept.
        """
        if after is not None and after in self.kept:
            return _kept_at(self.folder, self.kept[after])
        at_the_end = self.folder.best()
        if at_the_end is None:
            raise RunError(f"{self.folder.path} has no checkpoint; start the table again, which trains it")
        return at_the_end


def planned_runs(table: Table, folder: Path) -> list[PlannedRun]:
    """Return the runs of a table, in the order in which they are trained, each in a sub-folder of `folder`.

    Raises RecipeError for what their recipes do not know and RunError for folders that cannot be gone on with: all
    before the first is trained.
    """
    runs = [_planned(table, name, folder) for name in table.runs]
    for place, run in enumerate(runs):
        _check_start(run, list(table.runs)[:place])
        check_folder(run.folder, run.recipe)
        _check_devices(run)
        _check_kept(run)
    return runs


def train_run(run: PlannedRun, listener: TrainingListener, *, accept_changed_data: bool = False) -> None:
    """Train a run to its end, from its last checkpoint. Does nothing for a finished run.

    It goes on with the pictures it began with only, unless changed ones are accepted.

    Raises what `train` raises, InterruptedTraining after Ctrl-C among it.
    """
    keeping = _Keeping(listener, run.folder, frozenset(run.kept.values()))
    for checkpoint in run.folder.checkpoint_folders():  # one saved just before an earlier session was stopped
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
    """Load a run's recipe. Errors begin with the run's name."""
    source = options.recipe or name
    try:
        return load_recipe(source, settings)
    except RecipeError as error:
        raise RecipeError(name if source == name else f"{name} ({source})", error.problems) from error


def _schedule(moments: set[Fraction], recipe: Recipe) -> tuple[int, dict[Fraction, int]]:
    """Return an interval for checkpoints, as the recipe's or shorter, and the one that falls on each moment.

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
        raise RunError(f"{run.name} starts from {wanted}, which is not trained; name it before in the table's runs")


def _check_devices(run: PlannedRun) -> None:
    if run.recipe.training.devices > 1 and not run.finished:
        raise RunError(
            f"{run.name}: training.devices is {run.recipe.training.devices}, and a table trains on one device; "
            "set training.devices=1"
        )


def _check_kept(run: PlannedRun) -> None:
    """Raise RunError if training is past a moment and its painter was not kept."""
    latest = run.folder.latest()
    seen = 0 if latest is None else int(latest.name)
    for images in run.kept.values():
        is_there = any((folder / WEIGHTS).is_file() for folder in _places(run.folder, images))
        if images <= seen and not is_there:
            raise RunError(
                f"{run.folder.path} was trained without this table and did not keep its painter of {images:,} images, "
                "which is shown here; choose another --runs folder, where it is trained anew"
            )


def _places(folder: RunFolder, images: int) -> Sequence[Path]:
    return _kept_at(folder, images), folder.checkpoints / f"{images:09d}"


def _kept_at(folder: RunFolder, images: int) -> Path:
    return folder.path / KEPT / f"{images:09d}"


class _Keeping(TrainingListener):
    """Keeps painters when they are saved, because later checkpoints replace them. Informs another listener."""

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
        """Copy the painter of a checkpoint at one of the moments, unless it is there."""
        images = int(checkpoint.name)
        target = _kept_at(self.folder, images)
        if images not in self.moments or target.exists():
            return
        with replacing_folder(target) as folder:
            for name in (WEIGHTS, RECIPE):
                shutil.copyfile(checkpoint / name, folder / name)
