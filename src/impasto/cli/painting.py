"""`impasto paint`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from impasto.cli.bars import counted
from impasto.cli.console import complaints, console, escape
from impasto.hardware import chosen_device
from impasto.painting.paint_files import PaintSettings, paint_files
from impasto.painting.painters import load_painter


def paint_command(
    photos: Sequence[Path],
    name: str | None,
    output: Path,
    settings: PaintSettings,
    device: Literal["auto", "cpu", "cuda"],
) -> None:
    """Paint and say what was painted, what was there already and what could not be read."""
    painter = load_painter(name, chosen_device(device, "--device"))
    console.print(f"Painting with [bold]{escape(painter.name)}[/] ({painter.recipe.method.name})")
    with counted("painted", "what was painted is kept") as progress:
        outcome = paint_files(photos, painter, output, settings, progress)
    for error in outcome.unreadable:
        complaints.print(f"[yellow]skipped:[/] {escape(str(error))}")
    parts = [f"{len(outcome.painted)} painted into {escape(str(output))}"]
    if outcome.present:
        parts.append(f"{len(outcome.present)} already there (--overwrite paints them again)")
    if outcome.unreadable:
        parts.append(f"{len(outcome.unreadable)} unreadable")
    console.print(", ".join(parts))
