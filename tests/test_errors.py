import inspect

import impasto.errors
from impasto.errors import ImpastoError, RecipeError, did_you_mean


def test_the_tree_in_the_docstring_is_complete() -> None:
    tree = impasto.errors.__doc__ or ""
    classes = [c for _, c in inspect.getmembers(impasto.errors, inspect.isclass) if c.__module__ == "impasto.errors"]
    assert len(classes) == 10
    for error in classes:
        assert error.__name__ in tree
        assert issubclass(error, ImpastoError)


def test_did_you_mean() -> None:
    assert did_you_mean("bach_size", ["batch_size", "seed"]) == "; did you mean batch_size?"
    assert did_you_mean("xyz", ["b", "a"]) == "; there are a, b"
    assert did_you_mean("xyz", []) == ""


def test_a_recipe_error_lists_every_problem() -> None:
    error = RecipeError("mine.yaml", ["a: wrong", "b: missing"])
    assert str(error) == "mine.yaml: a: wrong\nmine.yaml: b: missing"
    assert error.problems == ("a: wrong", "b: missing")
