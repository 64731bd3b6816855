"""`impasto list`, and `impasto table` without a table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from rich.text import Text

from impasto.cli.console import complaints, console, escape
from impasto.cli.names import runs, shipped_painters, trainable_recipes, untrained_painters
from impasto.errors import ImpastoError
from impasto.recipe_files import read_shipped, read_shipped_table, shipped_tables

Kind = Literal["recipes", "painters", "tables", "data"]


def list_command(kind: Kind | None) -> None:
    """List one kind of things in full; without a kind, recipes and painters in a line each."""
    if kind is None:
        _list_briefly()
    elif kind == "recipes":
        _list_recipes()
    elif kind == "painters":
        _list_painters()
    elif kind == "tables":
        _list_tables()
    else:
        from impasto.cli.data_get import list_collections

        list_collections()


def _list_briefly() -> None:
    """Name recipes and painters, each with a sentence. Loads no torch."""
    recipes = {name: _about(read_shipped(name))["does"] for name in trainable_recipes()}
    painters = {folder.name: _sentence_of(folder / "README.md") for folder in shipped_painters()}
    untrained = {name: _about(read_shipped(name))["does"] for name in untrained_painters()}
    trained = {str(run): _sentence_of_recipe(run / "recipe.yaml") for run in runs()}
    _print_names("Recipes", "impasto train RECIPE", recipes)
    _print_names("Painters", "impasto paint PHOTO --painter PAINTER", {**painters, **untrained, **trained})
    console.print("More about each: impasto list recipes, impasto list painters; one of them: impasto about NAME")
    console.print("Papers' tables: impasto list tables   Collections to download: impasto list data")


def _print_names(title: str, use: str, sentences: Mapping[str, str]) -> None:
    width = max(map(len, sentences))
    console.print(f"[bold]{title}[/]  [dim]{escape(use)}[/]")
    for name, sentence in sentences.items():
        line = Text(f"  {name:{width}}  {' '.join(sentence.split())}")
        if console.is_terminal:
            console.print(line, no_wrap=True, overflow="ellipsis", soft_wrap=False)
        else:
            console.print(line)
    console.print()


def _about(text: str) -> dict[str, Any]:
    about: dict[str, Any] = yaml.safe_load(text)["about"]
    return about


def _sentence_of(card: Path) -> str:
    """Return the first sentence of a painter's card, after the heading."""
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    paragraph = next((part for part in text.split("\n\n")[1:] if part.strip()), "")
    return re.split(r"(?<=\.)\s", paragraph.strip())[0]


def _sentence_of_recipe(recipe: Path) -> str:
    """Return what a run's recipe says of itself; nothing where it cannot be read."""
    try:
        return str(_about(recipe.read_text(encoding="utf-8"))["does"])
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError, KeyError, TypeError):
        return ""


def _list_recipes() -> None:
    for name in trainable_recipes():
        about = _about(read_shipped(name))
        console.print(f"[bold]{name}[/]\n  {escape(about['does'])}")
        _print_needs(about)
    console.print("Train one: impasto train RECIPE [PATH=VALUE]...   Its settings: impasto about RECIPE", markup=False)


def _list_tables() -> None:
    for name in shipped_tables():
        text = read_shipped_table(name)
        about = _about(text)
        console.print(f"[bold]{name}[/]\n  {escape(about['does'])}\n  {escape(yaml.safe_load(text)['source'])}")
        _print_needs(about)
    console.print(
        "Make one: impasto table TABLE [PATH=VALUE]...   It trains what is missing. Stop with Ctrl-C, go on later.",
        markup=False,
    )


def _print_needs(about: Mapping[str, str]) -> None:
    console.print(f"  data: {escape(about['data'])}\n  cost: {escape(about['cost'])}\n")


def _list_painters() -> None:
    """Print what each painter paints from, and where it is."""
    from impasto.painting.card import painted_from
    from impasto.painting.painters import RUNS, LoadedPainter, load_painter, runs_of_painters

    def print_line(painter: LoadedPainter, where: str) -> None:
        console.print(f"[bold]{escape(painter.name)}[/] ({painter.recipe.method.name}; {where})")
        learned = f"{painter.images_seen:,} images seen; " if painter.images_seen else ""
        console.print(f"  {learned}paints from {escape(painted_from(painter))}")

    for folder in shipped_painters():  # not by name: a run may have the same
        print_line(load_painter(folder), "comes with impasto")
    for name in untrained_painters():
        print_line(load_painter(name), "comes with impasto, without training")
    for run in runs_of_painters(RUNS):
        try:
            if run.best() is None:
                continue  # nothing saved yet
            painter = load_painter(run.path)
        except ImpastoError as error:
            complaints.print(f"[yellow]left out:[/] {escape(str(error))}")
            continue
        print_line(painter, escape(str(run.path)))
    console.print(
        "Paint with one: impasto paint [PHOTO]... --painter PAINTER   Its card: impasto about PAINTER", markup=False
    )
