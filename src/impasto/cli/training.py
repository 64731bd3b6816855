"""`impasto train`."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from impasto.cli.console import console, escape
from impasto.cli.progress import TrainingProgress
from impasto.data.batches import Images
from impasto.engine.interrupts import InterruptedTraining
from impasto.engine.train import train
from impasto.method import Classifier, Painter
from impasto.methods import METHODS
from impasto.recipe import Recipe, load_recipe


def train_command(name: str, overrides: Sequence[str], run: Path | None, *, accept_changed_data: bool) -> None:
    """Train a recipe and say how to use what was learned, or how to go on."""
    recipe = load_recipe(name, overrides)
    folder = run or Path("runs") / Path(name).stem
    progress = TrainingProgress(console)
    speaks = os.environ.get("LOCAL_RANK", "0") == "0"
    try:
        checkpoint = train(recipe, folder, progress, accept_changed_data=accept_changed_data)
    except InterruptedTraining as stop:
        progress.stop()
        if speaks:
            console.print(f"Stopped at {stop.images_seen:,} of {recipe.training.images:,} images; everything is saved.")
            console.print(f"Go on with: impasto {escape(shlex.join(sys.argv[1:]))}")
        raise typer.Exit(stop.exit_code) from None
    finally:
        progress.stop()
    if speaks:
        console.print(f"Finished: {escape(str(checkpoint))}")
        console.print(_what_next(recipe, escape(shlex.quote(str(folder)))))


def _what_next(recipe: Recipe, folder: str) -> str:
    method = METHODS[recipe.method.name]
    if issubclass(method, Classifier):
        return f"Judge with it: impasto evaluate PAINTINGS --metrics is,top1 --features {folder}"
    if issubclass(method, Painter) and method.prompt_type is Images:
        return f"Paint with it: impasto paint PHOTO --painter {folder}"
    return f"Look at what it learned: {folder}/samples"
