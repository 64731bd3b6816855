"""Every method with the settings that make it tiny, for the conformance tests.

A method's own test file, `tests/methods/test_NAME.py`, may hold these literal lists:

TINY: recipe overrides that make the method train in a second
WITHOUT_GRADIENT: weights, such as `critic.score.bias`, whose gradient is zero for a good reason
MID_CYCLE: recipe overrides that make a run stop between two steps in which different networks learn
"""

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


def literal_of(method: str, constant: str) -> list[str]:
    """Return a literal list of the method's own test file; empty where it has none of this name."""
    file = METHOD_TESTS / f"test_{method.replace('-', '_')}.py"
    for statement in ast.parse(file.read_text(encoding="utf-8")).body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.Assign) and [t.id for t in targets if isinstance(t, ast.Name)] == [constant]:
            found: list[str] = ast.literal_eval(statement.value)
            return found
    return []


def tiny_settings(name: str) -> list[str]:
    """Return TINY: the recipe overrides that make a method small enough to train in a second."""
    settings = literal_of(name, "TINY")
    assert settings, f"tests/methods/test_{name.replace('-', '_')}.py needs TINY = [...], recipe overrides"
    return settings


def recipe_of(name: str) -> str:
    """Return the shipped recipe that needs no download: NAME-atelier, or NAME for a painter without training."""
    return next(recipe for recipe in (f"{name}-atelier", name) if recipe in shipped_recipes())


def tiny(name: str, *overrides: str) -> Recipe:
    measured = "every.metrics=4" if name in VALIDATING else "every.metrics=null"
    return load_recipe(recipe_of(name), [*COMMON, measured, *tiny_settings(name), *overrides])
