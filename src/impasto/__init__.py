"""Train, compare and use art-making models on your own pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "MetricOptions",
    "Run",
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
    from impasto.evaluation.evaluate import MetricOptions, evaluate
    from impasto.evaluation.extractors import open_extractor
    from impasto.evaluation.images import open_pictures
    from impasto.notebook import Run, open_run, train
    from impasto.painting.paint_files import paint_files
    from impasto.painting.painters import load_classifier, load_painter
    from impasto.recipe import load_recipe

_HOMES = {
    "MetricOptions": "impasto.evaluation.evaluate",
    "evaluate": "impasto.evaluation.evaluate",
    "load_classifier": "impasto.painting.painters",
    "open_extractor": "impasto.evaluation.extractors",
    "open_pictures": "impasto.evaluation.images",
    "load_painter": "impasto.painting.painters",
    "load_recipe": "impasto.recipe",
    "paint_files": "impasto.painting.paint_files",
    "Run": "impasto.notebook",
    "open_run": "impasto.notebook",
    "train": "impasto.notebook",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `import impasto` itself loads no torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'impasto' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Return the public names, so that completion finds them before they are imported."""
    return sorted([*globals(), *_HOMES])
