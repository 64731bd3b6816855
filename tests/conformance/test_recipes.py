"""Every shipped recipe: it loads, its name begins with its method, it says what it does; and all were seen."""

import importlib.resources

import pytest

from impasto.data.datasets import DATASETS
from impasto.methods import METHODS
from impasto.painting.painters import untrained_painters
from impasto.recipe import load_painter_recipe, load_recipe
from impasto.recipe_files import read_shipped, shipped_recipes

NEEDS = {
    "cut-landscape": ["data.photos=photos", "data.paintings=paintings"],
    "cut-impressionist": ["data.photos=photos", "data.paintings=paintings"],
    "cyclegan-landscape": ["data.photos=photos", "data.paintings=paintings"],
    "inception-classifier-styles": ["data.path=styles"],
    **{
        name: ["data.path=paintings"]
        for name in (
            "cdcgan-folder",
            "cwgan-gp-folder",
            "gantor-v1-folder-64",
            "gantor-v1-folder-256",
            "gantor-v2-folder-64",
            "gantor-v2-folder-256",
        )
    },
}
"""Settings that only the user can know."""
UNTRAINED = untrained_painters()


def test_all_recipes_are_seen() -> None:
    """The count keeps recipes from being lost silently."""
    folder = importlib.resources.files("impasto") / "recipes"
    files = [file.name for file in folder.iterdir() if file.name.endswith(".yaml")]
    assert len(files) == len(shipped_recipes()) >= 31
    assert {name.split("-")[0] for name in shipped_recipes()} <= {method.split("-")[0] for method in METHODS}


@pytest.mark.parametrize("name", shipped_recipes())
def test_recipe(name: str) -> None:
    if name in UNTRAINED:
        recipe, command = load_painter_recipe(name), f"--painter {name}"
    else:
        recipe, command = load_recipe(name, NEEDS.get(name, [])), f"impasto train {name}"
        assert recipe.data.kind in DATASETS
        assert recipe.training.images % recipe.training.batch_size == 0
    assert name.startswith(recipe.method.name)
    assert recipe.about is not None
    assert command in read_shipped(name), "the comment at the top has the exact command"


def test_every_method_has_a_recipe_that_needs_no_download() -> None:
    trained = [name for name in shipped_recipes() if name not in UNTRAINED]
    recipes = [load_recipe(name, NEEDS.get(name, [])) for name in trained]
    embedded = {recipe.method.name for recipe in recipes if recipe.data.kind == "atelier"}
    assert embedded | {load_painter_recipe(name).method.name for name in UNTRAINED} == set(METHODS)
