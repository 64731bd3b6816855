"""`impasto about`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from impasto.cli.console import complaints, console, escape
from impasto.cli.names import RUNS, painter_names
from impasto.errors import ImpastoError, PainterError, PictureError, did_you_mean
from impasto.recipe_files import read_shipped, read_shipped_table, shipped_recipes, shipped_tables

Kind = Literal["painting", "painter", "recipe", "table"]


def about_command(what: str, kind: Kind | None) -> None:
    """Print a painting's signature, a painter's card, or the YAML of a recipe or table.

    A painter comes before a recipe of the same name: a run has its recipe's name by default. Recipes and tables are
    printed without torch.
    """
    is_painting = Path(what).is_file() and Path(what).suffix not in (".yaml", ".yml")  # a recipe may be a painter
    if kind == "painting" or (kind is None and is_painting):
        _print_signature(Path(what))
    elif kind == "painter":
        _print_painter(what)
    elif kind == "recipe":
        _print(read_shipped(what))
    elif kind == "table":
        _print(read_shipped_table(what))
    else:
        _print_by_name(what)


def _print_by_name(name: str) -> None:
    found: Kind | None = "recipe" if name in shipped_recipes() else "table" if name in shipped_tables() else None
    if found is not None and not (name in painter_names() or Path(name).exists() or (RUNS / name).exists()):
        about_command(name, found)
        return
    try:
        _print_painter(name)
    except ImpastoError as error:
        if found is None:
            raise _unknown(name) if isinstance(error, PainterError) and not _is_run(name) else error from error
        about_command(name, found)  # a run of a classifier, or one without a checkpoint yet
        return
    if found is not None:
        complaints.print(
            f"[yellow]note:[/] {escape(name)} is also a {found}: impasto about {escape(name)} --kind {found}"
        )


def _is_run(name: str) -> bool:
    return Path(name).is_dir() or (RUNS / name).is_dir()


def _unknown(name: str) -> ImpastoError:
    from impasto.painting.paint_files import KIND_OF

    if Path(name).suffix.lower() in KIND_OF:
        return PictureError(f"{name} does not exist; check the path")
    known = [*painter_names(), *shipped_recipes(), *shipped_tables()]
    return ImpastoError(f"there is no painting, painter, recipe or table {name}{did_you_mean(name, known)}")


def _print_painter(name: str) -> None:
    """Print the card of a painter, and its paint options with their values."""
    from impasto.painting.card import card_of
    from impasto.painting.option_list import listed_options
    from impasto.painting.painters import find_painter, load_painter

    found, painter = find_painter(name), load_painter(name)
    _print(card_of(painter, found))
    options = listed_options(painter)
    if options:
        console.print("\nOptions, changed by impasto paint --set NAME=VALUE:")
    for option in options:
        console.print(f"  [bold]{option.name}[/] = {escape(option.value)}\n    {escape(option.about)}")


def _print(text: str) -> None:
    console.print(text, markup=False, end="")


def _print_signature(picture: Path) -> None:
    from impasto.painting.signature import read_signature

    for name, value in read_signature(picture).items():
        console.print(f"{name:12} {escape(str(value))}")
