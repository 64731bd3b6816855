"""Names of painters and runs, read from folders alone: listing and completing them must not load torch."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

from impasto.recipe_files import read_shipped, shipped_recipes

RUNS = Path("runs")
"""Where runs go, relative to the current folder."""


def shipped_painters() -> list[Path]:
    """Return the folders of the painters that come with impasto."""
    folder = Path(str(importlib.resources.files("impasto") / "painters"))
    return sorted(path.parent for path in folder.glob("*/weights.safetensors"))


def runs() -> list[Path]:
    """Return the run folders in `runs/` that have a checkpoint, by name."""
    return sorted({path.parent.parent.parent for path in RUNS.glob("*/checkpoints/*/weights.safetensors")})


def untrained_painters() -> list[str]:
    """Return the shipped recipes of painters that do not learn: those without a `training` block."""
    return [name for name in shipped_recipes() if "\ntraining:" not in read_shipped(name)]


def trainable_recipes() -> list[str]:
    """Return the shipped recipes that can be trained."""
    return [name for name in shipped_recipes() if "\ntraining:" in read_shipped(name)]


def painter_names() -> list[str]:
    """Return the names of the painters that come with impasto and of the runs, classifiers included."""
    return sorted({*untrained_painters(), *(path.name for path in [*shipped_painters(), *runs()])})
