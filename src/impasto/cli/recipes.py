"""`impasto recipes`."""

from __future__ import annotations

import yaml

from impasto.cli.console import console
from impasto.recipe_files import read_shipped, shipped_recipes


def recipes_command(name: str | None) -> None:
    """Print what each recipe does, needs and costs; or one recipe as it stands."""
    if name is not None:
        console.print(read_shipped(name), markup=False, end="")
        return
    for recipe in shipped_recipes():
        about = yaml.safe_load(read_shipped(recipe))["about"]
        console.print(f"[bold]{recipe}[/]\n  {about['does']}")
        console.print(f"  data: {about['data']}\n  cost: {about['cost']}\n")
    console.print("Train one: impasto train RECIPE [PATH=VALUE]...   See its settings: impasto recipes RECIPE")
