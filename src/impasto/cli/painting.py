"""`impasto paint`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from impasto.cli.bars import counted
from impasto.cli.console import complaints, console, escape
from impasto.cli.options import Device
from impasto.data.batches import ImageSpec
from impasto.data.prompts import ClassPrompt
from impasto.errors import ImpastoError, PainterError, naming
from impasto.hardware import chosen_device
from impasto.painting.class_requests import mixed, requested, short_names
from impasto.painting.option_list import with_options
from impasto.painting.paint_classes import ClassOptions, Series, paint_class_files, round_the_classes
from impasto.painting.paint_files import check_takes_photos, paint_files
from impasto.painting.paint_picture import SMALLEST_BRUSH, PhotoOptions, Size
from impasto.painting.painters import LoadedPainter, load_painter
from impasto.painting.usage import usage_of

MOST_CLASSES_NAMED = 10


@dataclass(frozen=True)
class PromptOptions:
    """What the user asks a painter to paint."""

    photos: Sequence[Path] = ()
    style: Path | None = None
    classes: Sequence[str] = ()
    mix: str | None = None
    count: int | None = None
    settings: Sequence[str] = field(default=())
    """Paint options of the method, as NAME=VALUE."""

    def first_for_classes(self) -> str | None:
        """Return the first option that was given and that only painters of classes take."""
        given = {"--class": self.classes or None, "--mix": self.mix, "--count": self.count}
        return next((option for option, value in given.items() if value is not None), None)


def paint_command(name: str | None, output: Path, options: PhotoOptions, device: Device, asked: PromptOptions) -> None:
    """Paint photos or classes, whichever the painter takes."""
    option = asked.first_for_classes()
    if asked.photos and option:
        raise ImpastoError(f"photos and {option} do not go together: a painter paints from photos or from classes")
    if asked.classes and asked.mix:
        raise ImpastoError("--class and --mix do not go together; use one of them (--mix a=1 is --class a)")
    painter = load_painter(name, chosen_device(device, "--device"))
    with naming("--set"):
        painter = with_options(painter, asked.settings)
    typed = shlex.quote(name or painter.name)
    command = usage_of(painter.painter).command_for(typed)
    if painter.painter.prompt_type is ClassPrompt:
        if asked.photos or asked.style:
            given = "classes" if painter.spec.classes else "noise"
            raise PainterError(f"{painter.name} paints from {given}, not from photos; use {_example(typed, painter)}")
        _paint_classes(painter, output, options, asked)
        return
    if option:
        raise PainterError(f"{painter.name} paints from photos and does not know {option}; use {command}")
    if not asked.photos:
        raise PainterError(f"{painter.name} paints from photos; name them: {command}")
    check_takes_photos(painter, asked.style)
    _paint_photos(painter, output, options, asked)


def brush_size(said: str | None) -> Size | None:
    """Return the value of --size; raise ImpastoError where it is neither a number of pixels nor `own`."""
    if said is None:
        return None
    if said == "own":
        return "own"
    if not said.isascii() or not said.isdecimal() or int(said) < SMALLEST_BRUSH:
        raise ImpastoError(
            f"--size: {said} is not a short side to paint at; use a number of pixels, {SMALLEST_BRUSH} or more, or own"
        )
    return int(said)


def _paint_photos(painter: LoadedPainter, output: Path, options: PhotoOptions, asked: PromptOptions) -> None:
    """Paint, and report what was painted, what was there already and what could not be read."""
    console.print(f"Painting with [bold]{escape(painter.name)}[/] ({painter.recipe.method.name})")
    with counted("painted", "what was painted is kept") as progress:
        outcome = paint_files(asked.photos, painter, output, options, progress, asked.style)
    for error in outcome.unreadable:
        complaints.print(f"[yellow]skipped:[/] {escape(str(error))}")
    unreadable = f", {len(outcome.unreadable)} unreadable" if outcome.unreadable else ""
    console.print(_summary(outcome.painted, outcome.present, output) + unreadable)


def _paint_classes(painter: LoadedPainter, output: Path, options: PhotoOptions, asked: PromptOptions) -> None:
    """Paint the classes and report where the paintings are."""
    if options.size is not None:
        raise ImpastoError(f"--size: {painter.name} paints at {painter.spec.size} pixels; leave it out")
    for option, given in {"--strength": options.strength < 1, "--colours": options.colours != "painted"}.items():
        if given:
            raise ImpastoError(f"{option}: {painter.name} paints from classes, without a photo to keep; leave it out")
    series, notes = _series(painter.spec, asked)
    console.print(f"Painting with [bold]{escape(painter.name)}[/] ({painter.recipe.method.name})")
    for note in notes:
        console.print(f"  [yellow]note:[/] {escape(note)}")
    how = ClassOptions(asked.count, options.seed, options.kind or "PNG", options.overwrite)
    with counted("painted", "what was painted is kept") as progress:
        outcome = paint_class_files(series, painter, output, how, progress)
    console.print(_summary(outcome.painted, outcome.present, output))
    for sheet in outcome.sheets:
        console.print(f"  together: {escape(str(sheet))}")


def _series(spec: ImageSpec, asked: PromptOptions) -> tuple[list[Series], list[str]]:
    """Return what to paint, and notes for the user."""
    if asked.mix is not None:
        request, notes = mixed(spec, asked.mix)
        return [Series(request.name, [request])], notes
    if asked.classes:
        with naming("--class"):
            return [Series(request.name, [request]) for request in requested(spec, asked.classes)], []
    return [round_the_classes(spec, asked.count)], []


def _summary(painted: Sequence[Path], present: Sequence[Path], output: Path) -> str:
    there = f", {len(present)} already there (--overwrite paints them again)" if present else ""
    return f"{len(painted)} painted into {escape(str(output))}{there}"


def _example(typed: str, painter: LoadedPainter) -> str:
    names = short_names(painter.spec)
    if not names:
        return f"impasto paint --painter {typed} --count 16"
    more = ", ..." if len(names) > MOST_CLASSES_NAMED else ""
    known = ", ".join(names[:MOST_CLASSES_NAMED])
    return f"impasto paint --painter {typed} --class NAME, where NAME is one of {known}{more}"
