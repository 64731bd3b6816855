"""Every shipped recipe: it loads, its name begins with its method, it says what it does; and all were seen."""

import importlib.resources

import pytest

from impasto.data.datasets import DATASETS
from impasto.methods import METHODS
from impasto.recipe import load_recipe
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


def test_all_recipes_are_seen() -> None:
    folder = importlib.resources.files("impasto") / "recipes"
    files = [file.name for file in folder.iterdir() if file.name.endswith(".yaml")]
    assert len(files) == len(shipped_recipes()) == 31
    assert {name.split("-")[0] for name in shipped_recipes()} <= {method.split("-")[0] for method in METHODS}


@pytest.mark.parametrize("name", shipped_recipes())
def test_recipe(name: str) -> None:
    recipe = load_recipe(name, NEEDS.get(name, []))
    assert name.startswith(recipe.method.name)
    assert recipe.about is not None
    assert recipe.data.kind in DATASETS
    assert recipe.training.images % recipe.training.batch_size == 0
    assert f"impasto train {name}" in read_shipped(name), "the exact command stands at the head"


def test_every_method_has_a_recipe_that_needs_no_download() -> None:
    embedded = {
        recipe.method.name
        for name in shipped_recipes()
        if (recipe := load_recipe(name, NEEDS.get(name, []))).data.kind == "atelier"
    }
    assert embedded == set(METHODS)
