"""`impasto table`."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import torch
import typer
from rich.progress import TaskID
from rich.table import Table as RichTable

from impasto.cli.bars import counting_bar
from impasto.cli.console import complaints, console, escape
from impasto.cli.progress import TrainingProgress
from impasto.engine.interrupts import InterruptedTraining
from impasto.files import write_text
from impasto.gallery.table import write_table_page
from impasto.hardware import chosen_device, keep_large_blocks
from impasto.tables.drawing import draw_figure
from impasto.tables.measuring import TableJudge
from impasto.tables.result import RowResult, TableResult
from impasto.tables.table_file import Table, load_table
from impasto.tables.training import PlannedRun, planned_runs, train_run
from impasto.tables.wording import Grid, grids, remarks, to_markdown


def table_command(
    source: str, overrides: Sequence[str], runs: Path, output: Path | None, device: Literal["auto", "cpu", "cuda"]
) -> None:
    """Train what is missing, judge it, draw the figures, and say where everything is."""
    name = Path(source).stem
    folder = output or Path("tables") / name
    table = load_table(source, overrides)
    planned = planned_runs(table, runs)
    judged_on = torch.device(chosen_device(device, "--device"))
    judge = None if table.judge is None else TableJudge(table.judge, planned, judged_on)
    if judge is not None:
        judge.check_features(table.rows)
    for place, run in enumerate(planned, start=1):
        console.print(f"[bold]{place}/{len(planned)}[/] {escape(run.name)}{', finished' if run.finished else ''}")
        _train(run)
    keep_large_blocks()
    with _stoppable():
        rows = [_judged(judge, table, place) for place in range(len(table.rows))] if judge is not None else []
        figures = _drawn(table, planned, folder, judged_on)
    _write(TableResult(name, table, rows, figures), folder)


def _train(run: PlannedRun) -> None:
    progress = TrainingProgress(console)
    try:
        train_run(run, progress)
    except InterruptedTraining as stop:
        progress.stop()
        console.print(
            f"Stopped in {escape(run.name)} at {stop.images_seen:,} of {run.recipe.training.images:,} images; "
            "everything is saved."
        )
        console.print(f"Go on with: impasto {escape(shlex.join(sys.argv[1:]))}")
        raise typer.Exit(stop.exit_code) from None
    finally:
        progress.stop()


@contextmanager
def _stoppable() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        complaints.print("Stopped; what was trained and looked at is kept, and the same command goes on from there.")
        raise typer.Exit(130) from None


def _judged(judge: TableJudge, table: Table, place: int) -> RowResult:
    row = table.rows[place]
    console.print(f"Judging {place + 1}/{len(table.rows)} {escape(row.name)}")
    with _passes() as progress:
        return judge.judge(row, progress)


@contextmanager
def _passes() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar for each set of images that is looked at."""
    with counting_bar(console) as bar:
        tasks: dict[str, TaskID] = {}

        def progress(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(f"looked at {escape(name)}", total=total)
            bar.update(tasks[name], completed=done)

        yield progress


def _drawn(table: Table, planned: Sequence[PlannedRun], folder: Path, device: torch.device) -> dict[str, Path]:
    runs = {run.name: run for run in planned}
    found = {}
    for place, figure in enumerate(table.figures, start=1):
        console.print(f"Drawing {place}/{len(table.figures)} {escape(figure.caption)}")
        found[figure.name] = draw_figure(figure, runs[figure.run], folder / f"{figure.name}.png", device)
    return found


def _write(result: TableResult, folder: Path) -> None:
    """Write the table three times, for programs, for text and to look at; the page's path is the last line."""
    for grid in grids(result):
        console.print(_on_screen(grid))
        console.print()
    for remark in remarks(result):
        console.print(f"  [dim]{escape(remark)}[/]")
    write_text(folder / "table.json", json.dumps(result.to_json(), indent=1) + "\n")
    write_text(folder / "table.md", to_markdown(result))
    page = write_table_page(result, folder / "table.html")
    console.print(str(page.resolve()), markup=False)


def _on_screen(grid: Grid) -> RichTable:
    table = RichTable(box=None, pad_edge=False, header_style="dim", title=grid.title, title_justify="left")
    for place, column in enumerate(grid.columns):
        table.add_column(column.replace(", ", "\n"), justify="right" if place else "left", overflow="fold")
    for row in grid.rows:
        table.add_row(*map(escape, row))
    return table
