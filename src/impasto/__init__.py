"""Train, compare and use art-making models on your own pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "ImpastoError",
    "InterruptedTraining",
    "LoadedPainter",
    "MetricOptions",
    "Pictures",
    "Recipe",
    "Run",
    "TrainingListener",
    "evaluate",
    "load_classifier",
    "load_painter",
    "load_recipe",
    "open_extractor",
    "open_pictures",
    "open_run",
    "paint_files",
    "train",
]

if TYPE_CHECKING:
    from impasto.engine.interrupts import InterruptedTraining
    from impasto.engine.listener import TrainingListener
    from impasto.errors import ImpastoError
    from impasto.evaluation.evaluate import MetricOptions, evaluate
    from impasto.evaluation.extractors import open_extractor
    from impasto.evaluation.images import open_pictures
    from impasto.notebook.run import Run, open_run
    from impasto.notebook.training import train
    from impasto.painting.paint_files import paint_files
    from impasto.painting.painters import LoadedPainter, load_classifier, load_painter
    from impasto.painting.picture_grid import Pictures
    from impasto.recipe import Recipe, load_recipe

_HOMES = {
    "ImpastoError": "impasto.errors",
    "InterruptedTraining": "impasto.engine.interrupts",
    "LoadedPainter": "impasto.painting.painters",
    "Pictures": "impasto.painting.picture_grid",
    "MetricOptions": "impasto.evaluation.evaluate",
    "Recipe": "impasto.recipe",
    "Run": "impasto.notebook.run",
    "TrainingListener": "impasto.engine.listener",
    "evaluate": "impasto.evaluation.evaluate",
    "load_classifier": "impasto.painting.painters",
    "load_painter": "impasto.painting.painters",
    "load_recipe": "impasto.recipe",
    "open_extractor": "impasto.evaluation.extractors",
    "open_pictures": "impasto.evaluation.images",
    "open_run": "impasto.notebook.run",
    "paint_files": "impasto.painting.paint_files",
    "train": "impasto.notebook.training",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `import impasto` itself loads no torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'impasto' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Return the public names, so that completion finds them before they are imported."""
    return sorted({*globals(), *__all__})
