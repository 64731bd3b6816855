"""Options that several commands share. Light: help does not wait for torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Device = Literal["auto", "cpu", "cuda"]
DeviceName = Annotated[Device, typer.Option(help="Where to compute.")]
WeightsFile = Annotated[Path | None, typer.Option(metavar="FILE", help="The features' weights, where offline.")]
PaintedPhotos = Annotated[
    str | None, typer.Option(metavar="DIR", help="What a painter of photos paints; its run's own unless said.")
]
