"""`impasto table`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from impasto.cli import completion
from impasto.cli.options import AcceptChangedData, DeviceName, RunsFolder, output_folder


def table(
    name: Annotated[
        str | None,
        typer.Argument(metavar="TABLE", help="Name of a table, or a YAML file.", autocompletion=completion.tables),
    ] = None,
    overrides: Annotated[list[str] | None, typer.Argument(metavar="PATH=VALUE", help="Settings to change.")] = None,
    runs: RunsFolder = Path("runs"),
    output: Annotated[Path | None, output_folder("Folder of the table. Default: tables/TABLE.")] = None,
    device: DeviceName = "auto",
    accept_changed_data: AcceptChangedData = False,
) -> None:
    """Reproduce a paper's table or figures, and show the published values beside ours.

    Without TABLE: list the tables. PATH=VALUE changes a setting of every run, RUN:PATH=VALUE of one (RUN may hold *),
    evaluator.PATH=VALUE of the evaluation, figures.NAME.PATH=VALUE of a figure:

      impasto table gantor-table1-folder data.path=my/styles

      impasto table gantor-table2 data.path=datasets/wikiart 'gantor-*:training.images=100000' evaluator.images=2000

    Only missing runs are trained. Ctrl-C saves. The same command then goes on where it stopped.
    """
    if name is None:
        from impasto.cli.listing import list_command

        list_command("tables")
    else:
        from impasto.cli.table import table_command

        table_command(name, overrides or [], runs, output, device, accept_changed_data=accept_changed_data)
