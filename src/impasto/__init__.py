"""Train, compare and use art-making models on your own pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["load_painter", "load_recipe", "paint_files", "train"]

if TYPE_CHECKING:
    from impasto.engine.train import train
    from impasto.painting.paint_files import paint_files
    from impasto.painting.painters import load_painter
    from impasto.recipe import load_recipe

_HOMES = {
    "load_painter": "impasto.painting.painters",
    "load_recipe": "impasto.recipe",
    "paint_files": "impasto.painting.paint_files",
    "train": "impasto.engine.train",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `import impasto` itself loads no torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'impasto' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
