"""The recipes and tables that come with impasto, as text. Listing them needs neither torch nor pydantic."""

from __future__ import annotations

import importlib.resources
from importlib.resources.abc import Traversable
from pathlib import Path

from impasto.errors import RecipeError, did_you_mean


def shipped_recipes() -> list[str]:
    """Return the names of the recipes that come with impasto."""
    return _names(_recipes())


def shipped_tables() -> list[str]:
    """Return the names of the tables that come with impasto."""
    return _names(_tables())


def read_shipped(name: str) -> str:
    """Return the YAML text of a shipped recipe. Raises RecipeError for an unknown name."""
    return _read(_recipes(), name, "recipe", "impasto list recipes")


def read_shipped_table(name: str) -> str:
    """Return the YAML text of a shipped table. Raises RecipeError for an unknown name."""
    return _read(_tables(), name, "table", "impasto list tables")


def _recipes() -> Traversable:
    return importlib.resources.files("impasto") / "recipes"


def _tables() -> Traversable:
    return _recipes() / "tables"


def _names(folder: Traversable) -> list[str]:
    return sorted(Path(file.name).stem for file in folder.iterdir() if file.name.endswith(".yaml"))


def _read(folder: Traversable, name: str, kind: str, lister: str) -> str:
    names = _names(folder)
    if name not in names:
        hint = did_you_mean(name, names)
        raise RecipeError(name, [f"no such {kind}{hint} ({lister} lists them; a file must end in .yaml)"])
    return (folder / f"{name}.yaml").read_text(encoding="utf-8")
