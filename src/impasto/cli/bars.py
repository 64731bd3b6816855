"""Progress bars. Light: they do not need torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from impasto.cli.console import complaints, console, escape

LINE_SECONDS = 15.0
"""Time between two lines where there is no terminal."""


def counting_bar(console: Console) -> Progress:
    """Return a bar that counts files, with the time left."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def histogram_lines(counts: Mapping[str, int], most: int = 40) -> list[str]:
    """Return a line for each class with its count and a bar. Beyond `most`, one line counts the smaller classes."""
    if not counts:
        return []
    largest = max(counts.values())
    shown = dict(sorted(counts.items(), key=lambda pair: -pair[1])[:most]) if len(counts) > most else dict(counts)
    width = max(len(name) for name in shown)
    lines = [f"{name:{width}} {count:>7,} {'█' * max(1, round(30 * count / largest))}" for name, count in shown.items()]
    left = len(counts) - len(shown)
    return [*lines, f"… and {left} smaller classes"] if left else lines


@contextmanager
def counted(
    what: str, kept: str, then: str = "the same command goes on with the rest"
) -> Iterator[Callable[[float, int], None]]:
    """Show a bar, with `what` is done to files beside it; yield a function that moves it.

    Ctrl-C prints `Stopped; {kept}, and {then}.` and ends with code 130.
    """
    with counting_bar(console) as bar:
        task = bar.add_task(what, total=None)
        try:
            yield lambda done, total: bar.update(task, completed=done, total=total)
        except KeyboardInterrupt:
            complaints.print(f"Stopped; {kept}, and {then}.")
            raise typer.Exit(130) from None


@contextmanager
def passes() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar for each set of images that is measured; yield a function that moves it, given the set's name.

    Ctrl-C prints what is kept and ends with code 130.
    """
    with counting_bar(console) as bar:
        tasks: dict[str, TaskID] = {}

        def progress(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(f"measured {escape(name)}", total=total)
            bar.update(tasks[name], completed=done)

        try:
            yield progress
        except KeyboardInterrupt:
            complaints.print("Stopped; what was measured is kept, and the same command goes on from there.")
            raise typer.Exit(130) from None
