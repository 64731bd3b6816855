"""Completion in the shell: names of recipes, tables, painters and settings, without loading torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer
import yaml

from impasto.cli.names import painter_names, trainable_recipes
from impasto.errors import ImpastoError
from impasto.recipe_files import read_shipped, shipped_recipes, shipped_tables

SHARED: Mapping[str, tuple[str, ...]] = {
    "data": ("image_size", "resize", "crop", "flip", "max_megapixels", "workers", "cache"),
    "training": (
        "images", "start_from", "batch_size", "seed", "schedule", "ema_halflife_images", "precision", "accelerator",
        "devices", "channels_last", "fast_cpu", "compile", "best",
    ),
    "every": ("scalars", "samples", "checkpoint", "metrics"),
    "evaluation": ("metrics", "images", "features", "weights"),
}  # fmt: skip
"""Settings that every recipe has. Their models need torch, so they are listed here; a test compares the two."""


def recipes(incomplete: str) -> list[str]:
    """Complete the name of a recipe that can be trained."""
    return _starting(incomplete, trainable_recipes())


def tables(incomplete: str) -> list[str]:
    """Complete a table's name."""
    return _starting(incomplete, shipped_tables())


def painters(incomplete: str) -> list[str]:
    """Complete a painter's name or that of a run in `runs/`."""
    return _starting(incomplete, painter_names())


def things(incomplete: str) -> list[str]:
    """Complete the name of anything that `impasto about` knows."""
    return _starting(incomplete, sorted({*painter_names(), *shipped_recipes(), *shipped_tables()}))


def collections(incomplete: str) -> list[str]:
    """Complete the name of a collection that `impasto data get` fetches."""
    from impasto.curation.catalogue import ENTRIES

    return _starting(incomplete, [entry.name for entry in ENTRIES])


def settings(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete a dotted path: settings of the recipe with their values, then those that every recipe has."""
    return _starting(incomplete, _settings_of(str(ctx.params.get("recipe", ""))))


def _settings_of(recipe: str) -> Iterator[str]:
    tree = {block: values for block, values in _tree(recipe).items() if block != "about"}
    given = list(_paths(tree))
    yield from given
    known = {setting.partition("=")[0] for setting in given}
    for block, names in SHARED.items():
        for path in (f"{block}.{name}" for name in names):
            if not any(other == path or other.startswith(f"{path}.") for other in known):
                yield f"{path}="


def _tree(name: str) -> dict[str, Any]:
    """Return the settings of a recipe, by name or YAML file; empty where there are none to be read."""
    try:
        text = read_shipped(name) if name in shipped_recipes() else Path(name).read_text(encoding="utf-8")
        tree = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError, ImpastoError):
        return {}
    return tree if isinstance(tree, dict) else {}


def _paths(tree: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Yield `path=value` for every value of nested blocks; lists have no value, since shells read their brackets."""
    for name, value in tree.items():
        path = f"{above}{name}"
        if isinstance(value, dict):
            yield from _paths(value, f"{path}.")
        elif isinstance(value, bool):
            yield f"{path}={str(value).lower()}"
        else:
            yield f"{path}={value}" if isinstance(value, str | int | float) and " " not in str(value) else f"{path}="


def _starting(incomplete: str, words: Iterable[str]) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]
