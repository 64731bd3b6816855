"""`impasto paint`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from impasto.cli.options import (
    ClassNames,
    DeviceName,
    Megapixels,
    OverwriteSwitch,
    PainterChoice,
    PaintSettings,
    SeedNumber,
    output_folder,
)


def paint(
    photos: Annotated[
        list[Path] | None, typer.Argument(metavar="PHOTO_OR_FOLDER", help="Pictures, or folders of them.")
    ] = None,
    painter: PainterChoice = None,
    output: Annotated[Path, output_folder("Folder of the paintings.")] = Path("paintings"),
    style: Annotated[
        Path | None, typer.Option(metavar="PICTURE", help="Paint in the style of this picture, with painters that can.")
    ] = None,
    classes: ClassNames = None,
    mix: Annotated[
        str | None, typer.Option(metavar="CLASS=WEIGHT,...", help="From noise: several classes in one painting.")
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(min=1, max=100_000, help="From noise: paintings of each. Default: 16, or all classes once."),
    ] = None,
    settings: PaintSettings = None,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="PIXELS|own",
            help="Paint at this short side: smaller for a coarser brush. own: the photo's. Default: the photo's, at "
            "most 800. The photo's size is kept.",
        ),
    ] = None,
    strength: Annotated[
        float, typer.Option(min=0, max=1, help="0 is the photo, 1 is the painting; values between mix both.")
    ] = 1.0,
    colours: Annotated[
        Literal["painted", "keep"], typer.Option(help="keep: the painting takes its photo's palette.")
    ] = "painted",
    format: Annotated[  # noqa: A002
        Literal["png", "jpeg", "webp"] | None,
        typer.Option(help="Format of the file. Default: the photo's, or PNG."),
    ] = None,
    overwrite: OverwriteSwitch = False,
    seed: SeedNumber = 0,
    device: DeviceName = "auto",
    max_megapixels: Megapixels = 200.0,
) -> None:
    """Paint photos, or paint from noise: the painter decides what it takes.

    Photos may have any size. Each painting has the size of its photo.

      impasto paint holiday/ --painter engraver

      impasto paint --painter styles --class ukiyo_e --count 16 --seed 3

      impasto paint --painter styles --mix ukiyo_e=0.6,impressionism=0.4 --set truncation=0.7

    Several --class options paint that many of each class. With a painter of styles and genres they are combined.
    Without --class, all classes take turns. Each painting records how it was made; see `impasto about`.
    """
    from impasto.cli.painting import PromptOptions, brush_size, paint_command
    from impasto.painting.paint_picture import PhotoOptions

    options = PhotoOptions(
        size=brush_size(size),
        strength=strength,
        colours=colours,
        kind=None if format is None else {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP"}[format],  # type: ignore[arg-type]
        overwrite=overwrite,
        seed=seed,
        max_megapixels=max_megapixels,
    )
    asked = PromptOptions(photos or (), style, classes or (), mix, count, settings or ())
    paint_command(painter, output, options, device, asked)
