"""`impasto painters`, `impasto about` and `impasto push`."""

from __future__ import annotations

from pathlib import Path

from impasto.cli.console import complaints, console, escape
from impasto.errors import ImpastoError, PainterError, PictureError
from impasto.painting.card import card_of, painted_from
from impasto.painting.option_list import listed_options
from impasto.painting.paint_files import KIND_OF
from impasto.painting.painters import (
    RUNS,
    LoadedPainter,
    find_painter,
    load_painter,
    runs_of_painters,
    shipped_painters,
    untrained_painters,
)
from impasto.painting.publish import push_painter
from impasto.painting.signature import read_signature


def painters_command() -> None:
    """Print what each painter paints from, and where it is."""
    for folder in shipped_painters().values():  # not by name: a run may have the same
        _print_line(load_painter(folder), "comes with impasto")
    for name in untrained_painters():
        _print_line(load_painter(name), "comes with impasto, without training")
    for run in runs_of_painters(RUNS):
        try:
            if run.best() is None:
                continue  # nothing saved yet
            painter = load_painter(run.path)
        except ImpastoError as error:
            complaints.print(f"[yellow]left out:[/] {escape(str(error))}")
            continue
        _print_line(painter, escape(str(run.path)))
    console.print(
        "Paint with one: impasto paint [PHOTO]... --painter NAME   Its card: impasto about NAME", markup=False
    )


def _print_line(painter: LoadedPainter, where: str) -> None:
    console.print(f"[bold]{escape(painter.name)}[/] ({painter.recipe.method.name}; {where})")
    learned = f"{painter.images_seen:,} images seen; " if painter.images_seen else ""
    console.print(f"  {learned}paints from {escape(painted_from(painter))}")


def _print_options(painter: LoadedPainter) -> None:
    """Print the paint options of a painter with their values and what they do."""
    options = listed_options(painter)
    if not options:
        return
    console.print("\nOptions, changed by impasto paint --set NAME=VALUE:")
    for option in options:
        console.print(f"  [bold]{option.name}[/] = {escape(option.value)}\n    {escape(option.about)}")


def about_command(what: str) -> None:
    """Print a painting's signature or a painter's card."""
    if Path(what).is_file():
        _print_signature(Path(what))
        return
    try:
        found = find_painter(what)
    except PainterError as error:
        if Path(what).suffix.lower() in KIND_OF:
            raise PictureError(f"{what} does not exist; check the path") from error
        raise PainterError(f"{what} is no picture, and {error}") from error
    painter = load_painter(what)
    console.print(card_of(painter, found), markup=False, highlight=False, end="")
    _print_options(painter)


def _print_signature(picture: Path) -> None:
    for name, value in read_signature(picture).items():
        console.print(f"{name:12} {escape(str(value))}")


def push_command(painter: str, name: str, *, private: bool) -> None:
    """Publish a painter and print its address."""
    address = push_painter(load_painter(painter), find_painter(painter), name, private=private)
    console.print(f"published: {escape(address)}")
