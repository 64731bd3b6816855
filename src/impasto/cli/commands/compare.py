"""`impasto compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from impasto.cli.options import OverwriteSwitch, output_file


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Run folders, finished or not.")],
    output: Annotated[Path, output_file("The page.")] = Path("compare.html"),
    overwrite: OverwriteSwitch = False,
) -> None:
    """Show runs side by side on one page: samples, metrics, curves, settings that differ."""
    from impasto.cli.compare import compare_command

    compare_command(runs, output, overwrite=overwrite)
