"""Training from Python: settings as Python values, a bar in notebooks, the run as the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from impasto.engine.interrupts import InterruptedTraining
from impasto.engine.listener import TrainingListener
from impasto.engine.train import train as train_recipe
from impasto.errors import RecipeError, RunError
from impasto.notebook.progress import NotebookProgress, StoppedTraining, in_notebook
from impasto.notebook.run import Run
from impasto.recipe import Recipe, load_recipe, parse_recipe


def train(
    recipe: str | Path | Recipe,
    run: str | Path | None = None,
    settings: Mapping[str, Any] | Sequence[str] = (),
    *,
    listener: TrainingListener | None = None,
    accept_changed_data: bool = False,
) -> Run:
    """Train from the start, or from where the run folder stands, to the end; return the run.

    `recipe` is a shipped recipe's name, a YAML file or a Recipe. `settings` change it by dotted path:
    `{"training.images": 1000}`, or `["training.images=1000"]` as on the command line. `run` is the run folder; default:
    `runs/` and the recipe's name. In a notebook the default listener shows a bar and the latest sample sheet.

    An interrupt (Ctrl-C, or "interrupt the kernel") finishes the step, saves and raises InterruptedTraining; the same
    call goes on from there. Raises ImpastoError for mistakes with a remedy.
    """
    loaded = _loaded(recipe, settings)
    folder = _folder(recipe, run)
    if listener is not None or not in_notebook():
        train_recipe(loaded, folder, listener, accept_changed_data=accept_changed_data)
        return Run(folder)
    if loaded.training.devices > 1:
        raise RecipeError("recipe", ["training.devices: a notebook trains in one process; set 1, or use impasto train"])
    bar = NotebookProgress()
    try:
        train_recipe(loaded, folder, bar, accept_changed_data=accept_changed_data)
    except InterruptedTraining as stop:
        bar.stopped()
        raise StoppedTraining(stop.signal_number, stop.images_seen) from None
    return Run(folder)


def _loaded(recipe: str | Path | Recipe, settings: Mapping[str, Any] | Sequence[str]) -> Recipe:
    overrides = as_overrides(settings) if isinstance(settings, Mapping) else list(settings)
    if isinstance(recipe, Recipe):
        return parse_recipe(recipe.to_yaml(), "recipe", overrides)
    return load_recipe(recipe, overrides)


def _folder(recipe: str | Path | Recipe, run: str | Path | None) -> Path:
    if run is not None:
        return Path(run)
    if isinstance(recipe, Recipe):
        raise RunError("run: a Recipe has no name for its run folder; name the folder, such as runs/mine")
    return Path("runs") / Path(recipe).stem


def as_overrides(settings: Mapping[str, Any]) -> list[str]:
    """Return settings as the command line writes them; raise RecipeError for a value that no recipe can hold."""
    overrides, problems = [], []
    for path, value in settings.items():
        try:
            overrides.append(f"{path}={_as_yaml(value)}")
        except yaml.YAMLError:
            problems.append(f"{path}: {value!r} is no number, text, list or mapping; give one of these")
    if problems:
        raise RecipeError("settings", problems)
    return overrides


def _as_yaml(value: Any) -> str:
    """Return a value so that YAML reads the same one: 1e-5 as 1.0e-05, and the text `null` in quotes."""
    plain = fspath(value) if isinstance(value, PathLike) else value.item() if isinstance(value, np.generic) else value
    written: str = yaml.safe_dump(plain, default_flow_style=True, width=float("inf"), allow_unicode=True)
    return written.removesuffix("...\n").strip()
