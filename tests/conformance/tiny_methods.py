"""Every method with the settings that make it tiny, for the conformance tests."""

import ast
from pathlib import Path

from impasto.method import Learner
from impasto.methods import METHODS
from impasto.painter import Classifier, Painter
from impasto.recipe import Recipe, load_recipe
from impasto.recipe_files import shipped_recipes

METHOD_TESTS = Path(__file__).parents[1] / "methods"
COMMON = [
    *("training.images=8", "training.batch_size=1", "training.schedule={kind: constant}", "training.seed=5"),
    *("every.scalars=1", "every.samples=4", "every.checkpoint=4", "training.precision=fp32"),
]

ALL = sorted(METHODS)
LEARNERS = [name for name in ALL if issubclass(METHODS[name], Learner)]
PAINTERS = [name for name in ALL if issubclass(METHODS[name], Painter)]
UNTRAINED = [name for name in PAINTERS if name not in LEARNERS]
TRAINED_PAINTERS = [name for name in PAINTERS if name in LEARNERS]
CLASSIFIERS = [name for name in ALL if issubclass(METHODS[name], Classifier)]
VALIDATING = [name for name in LEARNERS if METHODS[name].validates]  # type: ignore[attr-defined]


def tiny_settings(name: str) -> list[str]:
    """Return the literal TINY of the method's own test file."""
    file = METHOD_TESTS / f"test_{name.replace('-', '_')}.py"
    for statement in ast.parse(file.read_text(encoding="utf-8")).body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == "TINY" for target in targets):
            settings: list[str] = ast.literal_eval(statement.value)  # type: ignore[attr-defined]
            return settings
    raise AssertionError(
        f"{file} has no TINY = [...]: the overrides that make {name} small enough to train in a second"
    )


def recipe_of(name: str) -> str:
    """Return the shipped recipe that needs no download: NAME-atelier, or NAME for a painter without training."""
    return next(recipe for recipe in (f"{name}-atelier", name) if recipe in shipped_recipes())


def tiny(name: str, *overrides: str) -> Recipe:
    measured = "every.metrics=4" if name in VALIDATING else "every.metrics=null"
    return load_recipe(recipe_of(name), [*COMMON, measured, *tiny_settings(name), *overrides])
