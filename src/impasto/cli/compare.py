"""`impasto compare`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from impasto.cli.bars import counting_bar
from impasto.cli.console import complaints, console, escape
from impasto.cli.outputs import check_new
from impasto.gallery.comparison_page import write_comparison
from impasto.gallery.comparison_tables import state


def compare_command(runs: Sequence[Path], output: Path, *, overwrite: bool = False) -> None:
    """Write the page; print how far each run came, and the path of the page as the last line."""
    check_new(output, overwrite=overwrite)
    with counting_bar(console) as bar:
        task = bar.add_task("sample sheets", total=None)
        try:
            compared = write_comparison(runs, output, lambda done, total: bar.update(task, completed=done, total=total))
        except KeyboardInterrupt:
            complaints.print("Stopped; no page was written.")
            raise typer.Exit(130) from None
    for run in compared:
        console.print(f"[bold]{escape(run.name)}[/]: {run.images_seen:,} images, {state(run)}")
    console.print(str(output.resolve()), markup=False)
