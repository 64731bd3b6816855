"""Options that several commands share: one name, one meaning, one help text. Light, because help must not load torch.

Options that name a file or folder to write begin with `--output`. The main one is `--output`, or `-o`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from impasto.cli import completion

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["fp32", "bf16"]


def output_file(help: str) -> Any:  # noqa: A002
    """Return the declaration of `--output FILE`."""
    return typer.Option("--output", "-o", metavar="FILE", help=help)


def output_folder(help: str) -> Any:  # noqa: A002
    """Return the declaration of `--output DIR`."""
    return typer.Option("--output", "-o", metavar="DIR", help=help)


OverwriteSwitch = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]
SeedNumber = Annotated[int, typer.Option("--seed", min=0, help="Random seed. The same seed gives the same result.")]
DeviceName = Annotated[Device, typer.Option("--device", help="Where to compute. auto: on a GPU if there is one.")]
PrecisionName = Annotated[
    Precision, typer.Option("--precision", help="bf16 is faster; published figures are computed in fp32.")
]
Megapixels = Annotated[
    float, typer.Option("--max-megapixels", min=0.01, help="Do not decode pictures with more megapixels.")
]

RecipeName = Annotated[
    str,
    typer.Argument(metavar="RECIPE", help="Name of a recipe, or a YAML file.", autocompletion=completion.recipes),
]
Settings = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATH=VALUE", help="Settings to change, by dotted path.", autocompletion=completion.settings
    ),
]
RunFolder = Annotated[
    Path | None,
    typer.Option("--run", metavar="DIR", help="Run folder. An existing run goes on. Default: runs/RECIPE."),
]
RunsFolder = Annotated[Path, typer.Option("--runs", metavar="DIR", help="Folder of the run folders.")]
AcceptChangedData = Annotated[
    bool, typer.Option("--accept-changed-data", help="Go on although the pictures changed since the run began.")
]

PainterName = Annotated[
    str,
    typer.Argument(metavar="PAINTER", help="A painter's name, or a run folder.", autocompletion=completion.painters),
]
PainterChoice = Annotated[
    str | None,
    typer.Option(
        "--painter",
        metavar="PAINTER",
        help="A painter's name, or a run folder. Default: the newest finished run.",
        autocompletion=completion.painters,
    ),
]
PaintedPhotos = Annotated[
    str | None,
    typer.Option(
        "--photos", metavar="DIR", help="Photos to paint, if the painter paints photos. Default: those of its run."
    ),
]
ClassNames = Annotated[
    list[str] | None,
    typer.Option("--class", metavar="CLASS", help="A class, such as cubism. May be given several times."),
]
PaintSettings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="An option of the method. `impasto about PAINTER` lists them."),
]
LabelName = Annotated[
    str | None,
    typer.Option("--label", metavar="LABEL", help="Label column, such as style. Default: class, or the first one."),
]
FeaturesName = Annotated[
    str,
    typer.Option(
        "--features",
        metavar="FEATURES",
        help="inception-2015 (as published figures use), inception-2015-clean, inception-imagenet, dinov2, or a "
        "classifier's run folder. Without a download: random-inception or pixels; their figures compare with nothing "
        "published.",
    ),
]
FeaturesWeights = Annotated[
    Path | None,
    typer.Option("--features-weights", metavar="FILE", help="File of the features' weights. Default: fetched once."),
]
LayoutName = Annotated[
    str | None,
    typer.Option("--layout", metavar="LAYOUT", help="How the pictures are laid out. Default: recognised."),
]
