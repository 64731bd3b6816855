"""`impasto painters`, `impasto about` and `impasto push`."""

from __future__ import annotations

from pathlib import Path

from impasto.cli.console import complaints, console, escape
from impasto.errors import ImpastoError, PainterError, PictureError
from impasto.painting.card import card_of, painted_from
from impasto.painting.paint_files import KIND_OF
from impasto.painting.painters import (
    RUNS,
    LoadedPainter,
    find_painter,
    load_painter,
    runs_of_painters,
    shipped_painters,
)
from impasto.painting.publish import push_painter
from impasto.painting.signature import read_signature


def painters_command() -> None:
    """Print what each painter paints from, and where it is."""
    for folder in shipped_painters().values():  # not by name: a run may have the same
        _print_line(load_painter(folder), "comes with impasto")
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
    console.print(f"  {painter.images_seen:,} images seen; paints from {escape(painted_from(painter))}")


def about_command(what: str) -> None:
    """Print a painting's signature or a painter's card."""
    if Path(what).is_file():
        _print_signature(Path(what))
        return
    try:
        _, folder = find_painter(what)
    except PainterError as error:
        if Path(what).suffix.lower() in KIND_OF:
            raise PictureError(f"{what} does not exist; check the path") from error
        raise PainterError(f"{what} is no picture, and {error}") from error
    console.print(card_of(load_painter(what), folder), markup=False, highlight=False, end="")


def _print_signature(picture: Path) -> None:
    for name, value in read_signature(picture).items():
        console.print(f"{name:12} {escape(str(value))}")


def push_command(painter: str, name: str, *, private: bool) -> None:
    """Publish a painter and print its address."""
    folder = find_painter(painter)[1]
    address = push_painter(load_painter(painter), folder, name, private=private)
    console.print(f"published: {escape(address)}")
