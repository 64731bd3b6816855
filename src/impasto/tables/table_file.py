"""Reads a table file and applies the changes of the command line."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from impasto.errors import RecipeError, did_you_mean
from impasto.recipe_files import read_shipped_table, shipped_tables
from impasto.tables.contradictions import contradictions
from impasto.tables.options import Table
from impasto.validation import checked, yaml_value


def load_table(source: str, overrides: Sequence[str] = ()) -> Table:
    """Return a shipped table by name, or one from a YAML file, with the overrides of the command line.

    An override is `PATH=VALUE` for every run, `RUN:PATH=VALUE` for one run (with `*` for several),
    `evaluator.PATH=VALUE` or `figures.NAME.PATH=VALUE`. Overrides of recipes are checked when the recipe is loaded.

    Raises RecipeError with every mistake.
    """
    tree = _tree(source)
    for override in overrides:
        _apply(tree, source, override)
    table, mistakes = checked(Table, tree, whole="a table")
    if table is None:
        raise RecipeError(source, mistakes)
    if problems := list(contradictions(table)):
        raise RecipeError(source, problems)
    return table


def _tree(source: str) -> dict[str, Any]:
    """Return the YAML tree of a table file. Raises RecipeError if it cannot be read."""
    path = Path(source)
    is_file = path.suffix in (".yaml", ".yml") or (source not in shipped_tables() and path.is_file())
    try:
        text = path.read_text(encoding="utf-8") if is_file else read_shipped_table(source)
        tree = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(source, [f"cannot be read as a table ({error}); check the path"]) from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: 2024-13-45 looks like a date
        raise RecipeError(source, [f"is not YAML ({' '.join(str(error).split())}); fix that line"]) from error
    if not isinstance(tree, dict):
        raise RecipeError(source, ["is not a table; add the blocks about, source and runs"])
    return tree


def _apply(tree: dict[str, Any], source: str, override: str) -> None:
    """Apply an override to the evaluator, to a figure, or to the settings of the selected runs."""
    path, equals, text = override.partition("=")
    if not equals or not path:
        raise RecipeError(source, [f"{override!r} is not a setting; write it as a.dotted.path=value"])
    if path.startswith("evaluator.") and isinstance(evaluator := tree.get("evaluator"), dict):
        evaluator[path.removeprefix("evaluator.")] = yaml_value(text)
        return
    if path.startswith("figures."):
        _apply_to_figure(tree, source, override)
        return
    if path.partition(".")[0] in Table.model_fields:
        raise RecipeError(
            source, [f"{override}: only runs, evaluator and figures can be changed here; use your own table file"]
        )
    pattern, _, setting = path.rpartition(":")
    runs = tree.get("runs")
    names = [name for name in runs if isinstance(name, str)] if isinstance(runs, dict) else []
    chosen = [name for name in names if fnmatchcase(name, pattern or "*")]
    if names and not chosen:
        raise RecipeError(source, [f"{override}: there is no run {pattern}{did_you_mean(pattern, names)}"])
    for name in chosen:
        run = tree["runs"][name] or {}
        if isinstance(run, dict):
            tree["runs"][name] = {**run, "settings": [*(run.get("settings") or ()), f"{setting}={text}"]}


def _apply_to_figure(tree: dict[str, Any], source: str, override: str) -> None:
    path, _, text = override.partition("=")
    name, _, field = path.removeprefix("figures.").rpartition(".")
    found = tree.get("figures")
    figures = [figure for figure in found if isinstance(figure, dict)] if isinstance(found, list) else []
    chosen = next((figure for figure in figures if figure.get("name") == name), None)
    if chosen is None:
        hint = did_you_mean(name, [str(figure.get("name")) for figure in figures])
        raise RecipeError(source, [f"{override}: there is no figure {name or field}{hint}"])
    chosen[field] = yaml_value(text)
