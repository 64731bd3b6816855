"""Names of painters and runs, read from folders alone: listing and completing them must not load torch."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

RUNS = Path("runs")
"""Where runs go, relative to the current folder."""


def shipped_painters() -> list[Path]:
    """Return the folders of the painters that come with impasto."""
    folder = Path(str(importlib.resources.files("impasto") / "painters"))
    return sorted(path.parent for path in folder.glob("*/weights.safetensors"))


def runs() -> list[Path]:
    """Return the run folders in `runs/` that have a checkpoint, by name."""
    return sorted({path.parent.parent.parent for path in RUNS.glob("*/checkpoints/*/weights.safetensors")})


def painter_names() -> list[str]:
    """Return the names of the painters that come with impasto and of the runs, classifiers included."""
    return sorted({path.name for path in [*shipped_painters(), *runs()]})
