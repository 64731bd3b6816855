"""`impasto data make`: a command for each kind of made data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from impasto.cli.options import Megapixels, OverwriteSwitch, SeedNumber, output_folder
from impasto.cli.outputs import chosen_output

if TYPE_CHECKING:
    from impasto.curation.made import Kind

make = typer.Typer(
    name="make",
    help="Make the second domain of a task from a folder of pictures: PNG files of the same names.",
    no_args_is_help=True,
)

Source = Annotated[Path, typer.Argument(metavar="DIR", help="A folder of pictures.")]
Positional = Annotated[Path | None, typer.Argument(hidden=True, metavar="OUTPUT")]
Output = Annotated[Path | None, output_folder("A new folder, or one that the same command began.")]
Size = Annotated[
    int | None,
    typer.Option(metavar="PIXELS", min=16, max=8192, help="Short side, in pixels. Default: the pictures' own."),
]
Stretch = Annotated[
    bool, typer.Option("--stretch", help="Make squares of --size, whatever the aspect ratio (as published).")
]
Pairs = Annotated[
    bool, typer.Option("--pairs", help="Write one file for each pair: the made picture left, its source right.")
]
Unpaired = Annotated[
    bool,
    typer.Option("--unpaired", help="Put half of the sources into trainA and testA, and make B from the others."),
]
Workers = Annotated[int | None, typer.Option(min=1, help="Threads. Default: one for each processor.")]


@make.command(no_args_is_help=True)
def grey(
    source: Source,
    positional: Positional = None,
    output: Output = None,
    pairs: Pairs = False,
    unpaired: Unpaired = False,
    size: Size = None,
    stretch: Stretch = False,
    seed: SeedNumber = 0,
    workers: Workers = None,
    overwrite: OverwriteSwitch = False,
    max_megapixels: Megapixels = 200.0,
) -> None:
    """Make grey pictures."""
    from impasto.curation.made import Grey

    _make(
        Grey(),
        source,
        chosen_output(output, positional),
        pairs,
        unpaired,
        size,
        stretch,
        seed,
        workers,
        overwrite,
        max_megapixels,
    )


@make.command(no_args_is_help=True)
def semantic(
    source: Source,
    positional: Positional = None,
    output: Output = None,
    map_colours: Annotated[int, typer.Option(min=2, max=256, help="Number of colours of a map.")] = 4,
    blur: Annotated[
        Literal["before", "after", "after-raw", "none"], typer.Option(help="When to blur, if at all.")
    ] = "before",
    blur_pixels: Annotated[
        float, typer.Option(min=0.1, help="Standard deviation of the blur, in pixels. 4 suits --size 512.")
    ] = 4.0,
    quantiser: Annotated[
        Literal["k-means", "pillow"], typer.Option(help="Algorithm that chooses the colours.")
    ] = "k-means",
    noise: Annotated[
        float, typer.Option(min=0, max=1, help="Share of pixels replaced by noise. Published: 0.25.")
    ] = 0.0,
    noisy_images: Annotated[float, typer.Option(min=0, max=1, help="Share of pictures with noise.")] = 1.0,
    palette: Annotated[
        str,
        typer.Option(
            help="Colours of the noise: uniform, grey, own, low-saturation, or a list such as #c03020,#204080."
        ),
    ] = "uniform",
    pairs: Pairs = False,
    unpaired: Unpaired = False,
    size: Size = None,
    stretch: Stretch = False,
    seed: SeedNumber = 0,
    workers: Workers = None,
    overwrite: OverwriteSwitch = False,
    max_megapixels: Megapixels = 200.0,
) -> None:
    """Make maps of a few colours, with or without noise (Tucker 2022)."""
    from impasto.curation.made import Semantic
    from impasto.curation.made.noise import read_palette

    kind = Semantic(
        colours=map_colours,
        blur=blur,
        blur_pixels=blur_pixels,
        quantiser=quantiser,
        noise=noise,
        noisy_images=noisy_images,
        palette=read_palette(palette),
    )
    _make(
        kind,
        source,
        chosen_output(output, positional),
        pairs,
        unpaired,
        size,
        stretch,
        seed,
        workers,
        overwrite,
        max_megapixels,
    )


@make.command(no_args_is_help=True)
def voxel(
    source: Source,
    positional: Positional = None,
    output: Output = None,
    block: Annotated[int, typer.Option(min=4, max=256, help="Side of a block, in pixels.")] = 12,
    materials: Annotated[int, typer.Option(min=2, max=256, help="Number of block colours in a picture.")] = 16,
    pairs: Pairs = False,
    unpaired: Unpaired = False,
    size: Size = None,
    stretch: Stretch = False,
    seed: SeedNumber = 0,
    workers: Workers = None,
    overwrite: OverwriteSwitch = False,
    max_megapixels: Megapixels = 200.0,
) -> None:
    """Rebuild pictures from blocks."""
    from impasto.curation.made import Voxel

    kind = Voxel(block=block, materials=materials)
    _make(
        kind,
        source,
        chosen_output(output, positional),
        pairs,
        unpaired,
        size,
        stretch,
        seed,
        workers,
        overwrite,
        max_megapixels,
    )


@make.command(no_args_is_help=True)
def mask(
    source: Source,
    positional: Positional = None,
    output: Output = None,
    on: Annotated[
        Literal["faces", "middle", "regions"],
        typer.Option(help="faces: detected faces. middle: for pictures cropped to a face. regions: anywhere."),
    ] = "faces",
    shape: Annotated[Literal["strokes", "ellipses", "rectangles"], typer.Option(help="Shape of a region.")] = "strokes",
    share: Annotated[float, typer.Option(min=0.01, max=0.9, help="Share of the picture that regions cover.")] = 0.25,
    pairs: Pairs = False,
    unpaired: Unpaired = False,
    size: Size = None,
    stretch: Stretch = False,
    seed: SeedNumber = 0,
    workers: Workers = None,
    overwrite: OverwriteSwitch = False,
    max_megapixels: Megapixels = 200.0,
) -> None:
    """Mask faces, or paint over regions."""
    from impasto.curation.made import Mask

    kind = Mask(on=on, shape=shape, share=share)
    _make(
        kind,
        source,
        chosen_output(output, positional),
        pairs,
        unpaired,
        size,
        stretch,
        seed,
        workers,
        overwrite,
        max_megapixels,
    )


def _make(
    kind: Kind,
    source: Path,
    target: Path,
    pairs: bool,
    unpaired: bool,
    size: int | None,
    stretch: bool,
    seed: int,
    workers: int | None,
    overwrite: bool,
    max_megapixels: float,
) -> None:
    from impasto.cli.data_make import make_command
    from impasto.curation.make import MakeOptions
    from impasto.errors import ImpastoError

    if pairs and unpaired:
        raise ImpastoError("--pairs and --unpaired exclude each other; pass one of them")
    settings = MakeOptions(
        layout="pairs" if pairs else "unpaired" if unpaired else "alone",
        size=size,
        stretch=stretch,
        seed=seed,
        workers=workers,
        overwrite=overwrite,
        max_megapixels=max_megapixels,
    )
    make_command(kind, source, target, settings)
