"""`impasto export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from impasto.cli.options import OverwriteSwitch, PainterName, output_file


def export(
    painter: PainterName,
    format: Annotated[Literal["onnx", "torch"], typer.Option(help="Format of the file.")] = "onnx",  # noqa: A002
    output: Annotated[Path | None, output_file("The model. Default: PAINTER.onnx or PAINTER.pt2.")] = None,
    overwrite: OverwriteSwitch = False,
) -> None:
    """Write a painter as a model that other programs run, for pictures of any size.

    The model is compared with the painter before it is written. onnx: for ONNX Runtime and programs that build on it.
    torch: a program of torch.export, which PyTorch loads without impasto.

      impasto export impressionist

      impasto export runs/monet --format torch --output monet.pt2
    """
    from impasto.cli.export import export_command

    export_command(painter, format, output, overwrite=overwrite)
