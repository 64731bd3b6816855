"""`impasto table`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.table import Table as RichTable

from impasto.cli.bars import counted, passes
from impasto.cli.console import console, escape
from impasto.cli.options import Device
from impasto.cli.training import shown_training
from impasto.files import write_text
from impasto.gallery.table_page import write_table_page
from impasto.hardware import chosen_device, keep_large_blocks
from impasto.tables.checking import check_plan
from impasto.tables.evaluator import TableEvaluator
from impasto.tables.figures import draw_figure
from impasto.tables.options import Table
from impasto.tables.result import Drawn, RowResult, TableResult
from impasto.tables.table_file import load_table
from impasto.tables.training import PlannedRun, planned_runs, train_run
from impasto.tables.wording import Grid, grids, remarks, to_markdown

KEPT = "what was trained, evaluated and drawn is kept"


def table_command(
    source: str,
    overrides: Sequence[str],
    runs: Path,
    output: Path | None,
    device: Device,
    *,
    accept_changed_data: bool,
) -> None:
    """Train what is missing, evaluate it, draw the figures, and print where everything is."""
    name = Path(source).stem
    folder = output or Path("tables") / name
    table = load_table(source, overrides)
    planned = planned_runs(table, runs)
    check_plan(source, table, planned)
    on = torch.device(chosen_device(device, "--device"))
    evaluator = None if table.evaluator is None else TableEvaluator(table.evaluator, planned, on)
    if evaluator is not None:
        evaluator.check_features(table.rows)
    for place, run in enumerate(planned, start=1):
        console.print(f"[bold]{place}/{len(planned)}[/] {escape(run.name)}{', finished' if run.finished else ''}")
        with shown_training(run.recipe, run.name) as progress:
            train_run(run, progress, accept_changed_data=accept_changed_data)
    keep_large_blocks()
    rows = [_evaluated(evaluator, table, place) for place in range(len(table.rows))] if evaluator is not None else []
    if rows:  # drawing may be stopped, or fail
        _write(TableResult(name, table, rows, {}), folder)
    result = TableResult(name, table, rows, _drawn(table, planned, folder, on, evaluator))
    page = _write(result, folder)
    _print_table(result)
    console.print(str(page.resolve()), markup=False)


def _evaluated(evaluator: TableEvaluator, table: Table, place: int) -> RowResult:
    row = table.rows[place]
    console.print(f"Evaluating {place + 1}/{len(table.rows)} {escape(row.name)}")
    with passes() as progress:
        return evaluator.evaluate(row, progress)


def _drawn(
    table: Table, planned: Sequence[PlannedRun], folder: Path, device: torch.device, evaluator: TableEvaluator | None
) -> dict[str, Drawn]:
    runs = {run.name: run for run in planned}
    found = {}
    for place, figure in enumerate(table.figures, start=1):
        console.print(f"Drawing {place}/{len(table.figures)} {escape(figure.caption)}")
        target = folder / f"{figure.name}.png"
        with counted("painted", KEPT, "the same command goes on from there") as progress:
            found[figure.name] = draw_figure(figure, runs[figure.run], target, device, evaluator, progress)
    return found


def _write(result: TableResult, folder: Path) -> Path:
    """Write the table as JSON, Markdown and HTML; return the page."""
    write_text(folder / "table.json", json.dumps(result.to_json(), indent=1) + "\n")
    write_text(folder / "table.md", to_markdown(result))
    return write_table_page(result, folder / "table.html")


def _print_table(result: TableResult) -> None:
    for grid in grids(result):
        console.print(_on_screen(grid))
        console.print()
    for remark in remarks(result):
        console.print(f"  [dim]{escape(remark)}[/]")


def _on_screen(grid: Grid) -> RichTable:
    table = RichTable(box=None, pad_edge=False, header_style="dim", title=escape(grid.title), title_justify="left")
    for place, column in enumerate(grid.columns):
        head = escape(column.replace(", ", "\n"))
        table.add_column(head, justify="right" if place else "left", overflow="fold")
    for row in grid.rows:
        table.add_row(*map(escape, row))
    return table
