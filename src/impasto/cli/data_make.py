"""`impasto data make`."""

from __future__ import annotations

from pathlib import Path

from impasto.cli.bars import counted
from impasto.cli.console import complaints, console, escape
from impasto.curation.made import Kind
from impasto.curation.make import MakeOptions, Outcome, make_folder_of


def make_command(kind: Kind, source: Path, target: Path, settings: MakeOptions) -> None:
    """Make a folder and print how many pictures were made, present already or unreadable."""
    with counted("made", "what was made is kept") as progress:
        outcome = make_folder_of(kind, source, target, settings, progress)
    for error in outcome.unreadable:
        complaints.print(f"[yellow]skipped:[/] {escape(str(error))}")
    for note, count in sorted(outcome.notes.items()):
        console.print(f"  {count} {note}")
    console.print(_closing_line(kind, target, outcome))


def _closing_line(kind: Kind, target: Path, outcome: Outcome) -> str:
    parts = [f"{len(outcome.made)} made into {escape(str(target))} ({kind.kind})"]
    if outcome.present:
        parts.append(f"{len(outcome.present)} already there")
    if outcome.unreadable:
        parts.append(f"{len(outcome.unreadable)} unreadable")
    return ", ".join(parts)
