"""`impasto demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from impasto.cli.options import output_folder

Style = Literal["strokes", "points", "mosaic", "hatching", "flat"]


def demo(
    style: Annotated[
        Style, typer.Argument(metavar="STYLE", help="strokes, points, mosaic, hatching or flat.")
    ] = "hatching",
    output: Annotated[Path, output_folder("Folder for the run, the paintings and the page.")] = Path("impasto-demo"),
) -> None:
    """Paint photos, train a small model for three minutes, and show both on a page. No download."""
    from impasto.cli.demo import demo_command

    demo_command(output, style)
