"""`impasto train`."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from impasto.cli.console import console, escape
from impasto.cli.progress import TrainingProgress
from impasto.engine.interrupts import InterruptedTraining
from impasto.engine.start import rehearse, start_is_ready
from impasto.engine.train import train
from impasto.methods import METHODS
from impasto.painter import Classifier, Painter
from impasto.painting.usage import usage_of
from impasto.recipe import Recipe, load_recipe
from impasto.recipe_files import shipped_recipes
from impasto.run_folder import RunFolder

OF_ONE_STAGE = frozenset({"data.image_size", "data.resize"})
OF_BOTH_STAGES = frozenset(
    {"method.width", "method.preset", "training.seed", "training.precision", "training.accelerator", "training.devices"}
)
"""Settings, beside those of the data, that a run passes on to the run it starts from."""


def train_command(name: str, overrides: Sequence[str], run: Path | None, *, accept_changed_data: bool) -> None:
    """Train a recipe, after the recipe it starts from; print how to use the result, or how to go on."""
    recipe = load_recipe(name, overrides)
    folder = run or Path("runs") / Path(name).stem
    _train_what_comes_first(recipe, folder, overrides, accept_changed_data=accept_changed_data)
    checkpoint = _train(recipe, folder, accept_changed_data=accept_changed_data)
    _print(f"Finished: {escape(str(checkpoint))}")
    _print(_what_next(recipe, escape(shlex.quote(str(folder)))))


def _train_what_comes_first(
    recipe: Recipe, folder: Path, overrides: Sequence[str], *, accept_changed_data: bool
) -> None:
    """Train the run that a new run starts from, if it is the run of a shipped recipe."""
    wanted = recipe.training.start_from
    if wanted is None or RunFolder(folder).latest() is not None:
        return
    ready = start_is_ready(wanted, RunFolder(folder))
    if ready is not None:
        _print(f"Starting from {escape(str(ready))}")
    elif wanted in shipped_recipes():
        before, first = folder.parent / wanted, load_recipe(wanted, _passed_on(overrides))
        rehearse(recipe, first, wanted)
        _print(f"Stage I comes first: {wanted}, in {escape(str(before))}")
        _train(first, before, accept_changed_data=accept_changed_data)
        _print(f"Now {escape(folder.name)}, starting from {escape(str(before))}")


def _passed_on(overrides: Sequence[str]) -> list[str]:
    paths = {override: override.partition("=")[0] for override in overrides}
    return [
        override
        for override, path in paths.items()
        if path in OF_BOTH_STAGES or (path.startswith("data.") and path not in OF_ONE_STAGE)
    ]


def _train(recipe: Recipe, folder: Path, *, accept_changed_data: bool) -> Path:
    """Train to the end and return the last checkpoint; when stopped, print how to go on and exit."""
    with shown_training(recipe) as progress:
        return train(recipe, folder, progress, accept_changed_data=accept_changed_data)


@contextmanager
def shown_training(recipe: Recipe, run: str = "") -> Iterator[TrainingProgress]:
    """Show progress; when stopped, print how to go on and exit. `run` is named where there are several."""
    progress = TrainingProgress(console)
    try:
        yield progress
    except InterruptedTraining as stop:
        progress.stop()
        of = f" in {escape(run)}" if run else ""
        _print(f"Stopped{of} at {stop.images_seen:,} of {recipe.training.images:,} images; everything is saved.")
        _print(f"Go on with: impasto {escape(shlex.join(sys.argv[1:]))}")
        raise typer.Exit(stop.exit_code) from None
    finally:
        progress.stop()


def _print(text: str) -> None:
    """Print, in the first of several processes only."""
    if os.environ.get("LOCAL_RANK", "0") == "0":
        console.print(text)


def _what_next(recipe: Recipe, folder: str) -> str:
    method = METHODS[recipe.method.name]
    if issubclass(method, Classifier):
        return f"Evaluate with it: impasto evaluate PAINTINGS --metrics is,top1 --features {folder}"
    if issubclass(method, Painter):
        return f"Paint with it: {usage_of(method).command_for(folder)}"
    return f"Look at what it learned: {folder}/samples"
