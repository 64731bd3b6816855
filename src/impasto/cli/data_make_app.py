"""`impasto data make`: a command for each kind of made data. Bodies import what they need, as in app.py."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from impasto.curation.made import Kind

make = typer.Typer(
    name="make",
    help="Make the second domain of a task from a folder of pictures: same names, PNG. Stopped, it goes on.",
    no_args_is_help=True,
)

Source = Annotated[Path, typer.Argument(metavar="SRC", help="A folder of pictures.")]
Target = Annotated[Path, typer.Argument(metavar="DST", help="A new folder, or one that the same command began.")]
Size = Annotated[int | None, typer.Option(min=16, max=8192, help="Short side, pixels; the pictures' own unless said.")]
Stretch = Annotated[
    bool, typer.Option("--stretch", help="Squares of --size, whatever the aspect ratio (as published).")
]
Pairs = Annotated[bool, typer.Option("--pairs", help="One file of each pair: made picture left, source right.")]
Unpaired = Annotated[
    bool, typer.Option("--unpaired", help="Half of the sources into trainA and testA, the others, made, into B.")
]
Seed = Annotated[int, typer.Option(min=0)]
Workers = Annotated[int | None, typer.Option(min=1, help="Threads; one for each processor unless said.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what was made with other settings.")]
Megapixels = Annotated[float, typer.Option(min=0.01, help="Refuse pictures with more pixels.")]


@make.command(no_args_is_help=True)
def grey(
    source: Source,
    target: Target,
    pairs: Pairs = False,
    unpaired: Unpaired = False,
    size: Size = None,
    stretch: Stretch = False,
    seed: Seed = 0,
    workers: Workers = None,
    overwrite: Overwrite = False,
    max_megapixels: Megapixels = 200.0,
) -> None:
    """Make grey pictures."""
    from impasto.curation.made import Grey

    _make(Grey(), source, target, pairs, unpaired, size, stretch, seed, workers, overwrite, max_megapixels)


@make.command(no_args_is_help=True)
def semantic(
    source: Source,
    target: Target,
    colours: Annotated[int, typer.Option(min=2, max=256, help="Colours of a map.")] = 4,
    blur: Annotated[Literal["before", "after", "after-raw", "none"], typer.Option(help="When to blur.")] = "before",
    blur_pixels: Annotated[float, typer.Option(min=0.1, help="Standard deviation; 4 is for --size 512.")] = 4.0,
    quantiser: Annotated[Literal["k-means", "pillow"], typer.Option(help="How to choose the colours.")] = "k-means",
    noise: Annotated[
        float, typer.Option(min=0, max=1, help="Share of pixels replaced by noise; published: 0.25.")
    ] = 0.0,
    noisy_images: Annotated[float, typer.Option(min=0, max=1, help="Share of pictures that get noise.")] = 1.0,
    palette: Annotated[
        str,
        typer.Option(help="Colours of noise: uniform, grey, own, low-saturation, or a list such as #c03020,#204080."),
    ] = "uniform",
    pairs: Pairs = False,
    unpaired: Unpaired = False,
    size: Size = None,
    stretch: Stretch = False,
    seed: Seed = 0,
    workers: Workers = None,
    overwrite: Overwrite = False,
    max_megapixels: Megapixels = 200.0,
) -> None:
    """Make maps of few colours, with or without noise (Tucker 2022)."""
    from impasto.curation.made import Semantic
    from impasto.curation.made.noise import read_palette

    kind = Semantic(
        colours=colours,
        blur=blur,
        blur_pixels=blur_pixels,
        quantiser=quantiser,
        noise=noise,
        noisy_images=noisy_images,
        palette=read_palette(palette),
    )
    _make(kind, source, target, pairs, unpaired, size, stretch, seed, workers, overwrite, max_megapixels)


@make.command(no_args_is_help=True)
def voxel(
    source: Source,
    target: Target,
    block: Annotated[int, typer.Option(min=4, max=256, help="Side of a block, in pixels.")] = 12,
    materials: Annotated[int, typer.Option(min=2, max=256, help="Colours of blocks in a picture.")] = 16,
    pairs: Pairs = False,
    unpaired: Unpaired = False,
    size: Size = None,
    stretch: Stretch = False,
    seed: Seed = 0,
    workers: Workers = None,
    overwrite: Overwrite = False,
    max_megapixels: Megapixels = 200.0,
) -> None:
    """Build pictures of blocks."""
    from impasto.curation.made import Voxel

    kind = Voxel(block=block, materials=materials)
    _make(kind, source, target, pairs, unpaired, size, stretch, seed, workers, overwrite, max_megapixels)


@make.command(no_args_is_help=True)
def mask(
    source: Source,
    target: Target,
    on: Annotated[
        Literal["faces", "middle", "regions"],
        typer.Option(help="Where: faces that are found, the middle (pictures cropped to a face), or anywhere."),
    ] = "faces",
    shape: Annotated[Literal["strokes", "ellipses", "rectangles"], typer.Option(help="Of a region.")] = "strokes",
    share: Annotated[float, typer.Option(min=0.01, max=0.9, help="Share of the picture that regions cover.")] = 0.25,
    pairs: Pairs = False,
    unpaired: Unpaired = False,
    size: Size = None,
    stretch: Stretch = False,
    seed: Seed = 0,
    workers: Workers = None,
    overwrite: Overwrite = False,
    max_megapixels: Megapixels = 200.0,
) -> None:
    """Mask faces, or paint over regions."""
    from impasto.curation.made import Mask

    kind = Mask(on=on, shape=shape, share=share)
    _make(kind, source, target, pairs, unpaired, size, stretch, seed, workers, overwrite, max_megapixels)


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
        raise ImpastoError("--pairs and --unpaired exclude one another; say one of them")
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
