"""`impasto paint`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from impasto.cli.bars import counted
from impasto.cli.console import complaints, console, escape
from impasto.cli.options import Device
from impasto.data.batches import ImageSpec
from impasto.errors import ImpastoError, PainterError, naming
from impasto.hardware import chosen_device
from impasto.method import LatentPainter
from impasto.painting.latents import drawn_latents
from impasto.painting.paint_files import paint_files
from impasto.painting.paint_labels import LabelSettings, Series, paint_labels, round_the_classes
from impasto.painting.paint_picture import PaintSettings, Size
from impasto.painting.painters import LoadedPainter, load_painter
from impasto.painting.prompts import mixed, requested, short_names

MOST_CLASSES_NAMED = 10
SMALLEST_BRUSH = 16
"""Short side, pixels, below which a picture is not painted."""


@dataclass(frozen=True)
class LabelWishes:
    """What a user may say to a painter that paints from labels."""

    labels: Sequence[str]
    mix: str | None
    count: int | None
    truncation: float | None

    def said(self) -> str | None:
        """Return the first of these options that was given."""
        given = {
            "--label": self.labels or None,
            "--mix": self.mix,
            "--count": self.count,
            "--truncation": self.truncation,
        }
        return next((option for option, value in given.items() if value is not None), None)


def paint_command(
    photos: Sequence[Path],
    name: str | None,
    output: Path,
    settings: PaintSettings,
    device: Device,
    wishes: LabelWishes,
) -> None:
    """Paint from photos or from labels, whichever the painter paints from."""
    option = wishes.said()
    if photos and option:
        raise ImpastoError(f"photos and {option} do not go together: a painter paints from photos or from labels")
    if wishes.labels and wishes.mix:
        raise ImpastoError("--label and --mix do not go together; say one of them (--mix a=1 is --label a)")
    painter = load_painter(name, chosen_device(device, "--device"))
    typed = shlex.quote(name or painter.name)
    if isinstance(painter.painter, LatentPainter):
        if photos:
            raise PainterError(f"{painter.name} paints from labels, not from photos; say {_example(typed, painter)}")
        _paint_labels(painter, output, settings, wishes)
    elif option:
        raise PainterError(
            f"{painter.name} paints from photos and knows no {option}; say impasto paint PHOTO --painter {typed}"
        )
    elif not photos:
        raise PainterError(f"{painter.name} paints from photos; say which: impasto paint PHOTO --painter {typed}")
    else:
        _paint_photos(photos, painter, output, settings)


def brush_size(said: str | None) -> Size | None:
    """Return what --size says; raise ImpastoError where that is neither a number of pixels nor `own`."""
    if said is None:
        return None
    if said == "own":
        return "own"
    if not said.isascii() or not said.isdecimal() or int(said) < SMALLEST_BRUSH:
        raise ImpastoError(
            f"--size: {said} is no short side to paint at; say a number of pixels, {SMALLEST_BRUSH} or more, or own"
        )
    return int(said)


def _paint_photos(photos: Sequence[Path], painter: LoadedPainter, output: Path, settings: PaintSettings) -> None:
    """Paint and say what was painted, what was there already and what could not be read."""
    console.print(f"Painting with [bold]{escape(painter.name)}[/] ({painter.recipe.method.name})")
    with counted("painted", "what was painted is kept") as progress:
        outcome = paint_files(photos, painter, output, settings, progress)
    for error in outcome.unreadable:
        complaints.print(f"[yellow]skipped:[/] {escape(str(error))}")
    unreadable = f", {len(outcome.unreadable)} unreadable" if outcome.unreadable else ""
    console.print(_said(outcome.painted, outcome.present, output) + unreadable)


def _paint_labels(painter: LoadedPainter, output: Path, settings: PaintSettings, wishes: LabelWishes) -> None:
    """Paint what was asked for and say where it is."""
    if settings.size is not None:
        raise ImpastoError(f"--size: {painter.name} paints at {painter.spec.size} pixels; leave it out")
    for option, said in {"--strength": settings.strength < 1, "--colours": settings.colours != "painted"}.items():
        if said:
            raise ImpastoError(f"{option}: {painter.name} paints from labels, without a photo to keep; leave it out")
    with naming("--truncation"):
        drawn_latents(1, settings.seed, range(1), wishes.truncation)  # before any work
    series, notes = _series(painter.spec, wishes)
    console.print(f"Painting with [bold]{escape(painter.name)}[/] ({painter.recipe.method.name})")
    for note in notes:
        console.print(f"  [yellow]note:[/] {escape(note)}")
    how = LabelSettings(wishes.count, settings.seed, wishes.truncation, settings.kind or "PNG", settings.overwrite)
    with counted("painted", "what was painted is kept") as progress:
        outcome = paint_labels(series, painter, output, how, progress)
    console.print(_said(outcome.painted, outcome.present, output))
    for sheet in outcome.sheets:
        console.print(f"  together: {escape(str(sheet))}")


def _series(spec: ImageSpec, wishes: LabelWishes) -> tuple[list[Series], list[str]]:
    """Return what to paint, and what should be said about it."""
    if wishes.mix is not None:
        request, notes = mixed(spec, wishes.mix)
        return [Series(request.name, [request])], notes
    if wishes.labels:
        with naming("--label"):
            return [Series(request.name, [request]) for request in requested(spec, wishes.labels)], []
    return [round_the_classes(spec, wishes.count)], []


def _said(painted: Sequence[Path], present: Sequence[Path], output: Path) -> str:
    there = f", {len(present)} already there (--overwrite paints them again)" if present else ""
    return f"{len(painted)} painted into {escape(str(output))}{there}"


def _example(typed: str, painter: LoadedPainter) -> str:
    names = short_names(painter.spec)
    more = ", ..." if len(names) > MOST_CLASSES_NAMED else ""
    known = ", ".join(names[:MOST_CLASSES_NAMED])
    return f"impasto paint --painter {typed} --label NAME, where NAME is one of {known}{more}"
