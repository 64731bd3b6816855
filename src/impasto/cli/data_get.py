"""`impasto list data` and `impasto data get`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from impasto.cli.bars import LINE_SECONDS
from impasto.cli.console import complaints, console, escape
from impasto.curation.catalogue import ENTRIES, find
from impasto.curation.get import Got, HubOptions, default_folder, get, is_there, look_up


def list_collections() -> None:
    """Print the collections that can be fetched, with size and licence."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("name", no_wrap=True, style="bold")
    table.add_column("what it is")
    table.add_column("layout", no_wrap=True)
    table.add_column("size", no_wrap=True, justify="right")
    table.add_column("licence")
    for entry in ENTRIES:
        size = "by hand" if entry.by_hand else size_in_words(entry.size)
        table.add_row(entry.name, escape(entry.what), entry.layout, size, escape(entry.licence))
    console.print(table, soft_wrap=False)
    for source in dict.fromkeys(entry.source for entry in ENTRIES):
        names = [entry.name for entry in ENTRIES if entry.source == source]
        console.print(f"[dim]{escape(source)}: {', '.join(names)}[/]")
    console.print("\nFetch one: impasto data get NAME")
    console.print("Any dataset of pictures on the Hugging Face hub: impasto data get OWNER/NAME")


def get_command(
    name: str,
    output: Path | None,
    *,
    split: str | None,
    limit: int | None,
    size: int | None,
    keep_archive: bool,
    yes: bool,
) -> None:
    """Show a collection's terms and size, ask on a terminal unless `yes`, and fetch it."""
    entry = find(name)
    folder = output or default_folder(entry)
    if is_there(entry, folder):
        _print_result(Got(folder, was_there=True))
        return
    facts = look_up(name)
    console.print(f"[bold]{escape(entry.name)}[/]: {escape(entry.what)}")
    for label, text in (
        ("licence", facts.licence),
        ("rights", entry.rights),
        ("cite", entry.citation),
        ("from", entry.source),
        ("size", size_in_words(facts.size)),
        ("to", str(folder)),
    ):
        console.print(f"  {label:7} {escape(text)}")
    if not yes and sys.stdin.isatty():
        typer.confirm("Fetch it?", default=True, abort=True)
    with _FetchProgress(console, "pictures" if entry.hub else "bytes") as progress:
        try:
            got = get(
                entry,
                folder,
                options=HubOptions(split, limit, size),
                keep_archive=keep_archive,
                progress=progress.show,
            )
        except KeyboardInterrupt:
            complaints.print("Stopped; what was downloaded is kept, and the same command goes on from there.")
            raise typer.Exit(130) from None
    _print_result(got)


def _print_result(got: Got) -> None:
    words = "is there already" if got.was_there else "is ready"
    count = "" if got.pictures is None else f" with {got.pictures:,} pictures"
    console.print(f"{escape(str(got.folder))} {words}{count}")
    if got.unreadable:
        console.print(f"  {got.unreadable:,} rows were left out: their pictures are missing or in no known format")


def size_in_words(size: int | None) -> str:
    """Return a number of bytes in words: `305 MB`, `1.5 GB`."""
    if not size:
        return "unknown"
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}" if size < 10 * factor else f"{size / factor:.0f} {unit}"
    return f"{size} bytes"


class _FetchProgress:
    """Shows how far and how fast it goes, and the time left: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, console: Console, unit: str) -> None:
        self.console, self.unit = console, unit
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[amount]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self.tasks: dict[str, TaskID] = {}
        self.begun: dict[str, tuple[float, int]] = {}
        self.printed_at = time.monotonic()

    def __enter__(self) -> _FetchProgress:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def show(self, what: str, done: int, total: int | None) -> None:
        """Move the bar of `what`, or print a line when it is time."""
        now = time.monotonic()
        if what not in self.tasks:
            self.tasks[what] = self.bar.add_task(escape(what), total=total, completed=done, amount="")
            self.begun[what] = (now, done)
        since, first = self.begun[what]
        rate = (done - first) / max(now - since, 1e-9)
        amount = f"{self._amount(done)}{f' of {self._amount(total)}' if total else ''}, {self._amount(round(rate))}/s"
        self.bar.update(self.tasks[what], completed=done, total=total, amount=amount)
        if not self.console.is_terminal and now - self.printed_at > LINE_SECONDS:
            self.printed_at = now
            self.console.print(f"  {escape(what)}: {amount}")

    def _amount(self, number: int) -> str:
        return size_in_words(number) if self.unit == "bytes" else f"{number:,} {self.unit}"
