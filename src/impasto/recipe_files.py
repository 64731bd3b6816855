"""The recipes that come with impasto, as text: listing them needs neither torch nor pydantic."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

from impasto.errors import RecipeError, did_you_mean


def shipped_recipes() -> list[str]:
    """Return the names of the recipes that come with impasto."""
    folder = importlib.resources.files("impasto") / "recipes"
    return sorted(Path(file.name).stem for file in folder.iterdir() if file.name.endswith(".yaml"))


def read_shipped(name: str) -> str:
    """Return a shipped recipe's YAML text; raise RecipeError when there is none of that name."""
    names = shipped_recipes()
    if name not in names:
        hint = did_you_mean(name, names)
        raise RecipeError(name, [f"no such recipe{hint} (impasto recipes lists them; a file must end in .yaml)"])
    return (importlib.resources.files("impasto") / "recipes" / f"{name}.yaml").read_text(encoding="utf-8")
