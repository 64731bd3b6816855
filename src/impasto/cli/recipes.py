"""`impasto recipes`."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

import yaml

from impasto.cli.console import console
from impasto.errors import RecipeError, did_you_mean


def recipes_command(name: str | None) -> None:
    """Print the table of recipes, or one recipe as it stands."""
    folder = importlib.resources.files("impasto") / "recipes"
    texts = {Path(f.name).stem: f.read_text(encoding="utf-8") for f in folder.iterdir() if f.name.endswith(".yaml")}
    if name is not None:
        if name not in texts:
            raise RecipeError(name, [f"no such recipe{did_you_mean(name, texts)}"])
        console.print(texts[name], markup=False, end="")
        return
    for recipe in sorted(texts):
        about = yaml.safe_load(texts[recipe])["about"]
        console.print(f"[bold]{recipe}[/]\n  {about['does']}")
        console.print(f"  data: {about['data']}\n  cost: {about['cost']}\n")
    console.print("Train one: impasto train RECIPE [PATH=VALUE]...   See its settings: impasto recipes RECIPE")
