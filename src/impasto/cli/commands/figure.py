"""`impasto figure`: figures of a painter's classes, and a map of a collection's classes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from impasto.cli.options import (
    ClassNames,
    DeviceName,
    FeaturesName,
    FeaturesWeights,
    LabelName,
    OverwriteSwitch,
    PainterChoice,
    PaintSettings,
    PrecisionName,
    SeedNumber,
    output_file,
)
from impasto.painting import counts

figure = typer.Typer(
    name="figure",
    help="Draw figures: classes mixed, swept and interpolated by a painter, and distances between classes.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

NeededClasses = Annotated[
    list[str],
    typer.Option("--class", metavar="CLASS", help="A class, such as cubism. May be given several times."),
]
Rows = Annotated[int, typer.Option(min=1, max=100, help="Rows, each from another latent.")]
Columns = Annotated[int, typer.Option(min=1, max=100, help="Paintings in a row.")]


@figure.command()
def mixing(
    painter: PainterChoice = None,
    output: Annotated[Path, output_file("The picture.")] = Path("mixing.png"),
    seed: SeedNumber = 0,
    mixture: Annotated[
        Literal["sum", "mean"], typer.Option(help="sum: both classes with weight 1, as published. mean: with 0.5.")
    ] = "sum",
    label: LabelName = None,
    class_: ClassNames = None,
    classifier: Annotated[
        str | None, typer.Option(metavar="RUN", help="Run of a classifier that measures how much of both it sees.")
    ] = None,
    settings: PaintSettings = None,
    device: DeviceName = "auto",
    overwrite: OverwriteSwitch = False,
) -> None:
    """Paint every pair of classes mixed, all from one latent."""
    from impasto.cli.figure import FigureOptions, mixing_command

    options = FigureOptions(painter, output, seed, settings or (), device, overwrite)
    mixing_command(options, mixture, label, class_ or [], classifier)


@figure.command()
def sweep(
    painter: PainterChoice = None,
    output: Annotated[Path, output_file("The picture.")] = Path("sweep.png"),
    seed: SeedNumber = 0,
    rows: Rows = counts.SWEEP_ROWS,
    label: LabelName = None,
    class_: ClassNames = None,
    settings: PaintSettings = None,
    device: DeviceName = "auto",
    overwrite: OverwriteSwitch = False,
) -> None:
    """Paint every class from the same latents, one row for each latent."""
    from impasto.cli.figure import FigureOptions, sweep_command

    sweep_command(FigureOptions(painter, output, seed, settings or (), device, overwrite), label, class_ or [], rows)


@figure.command()
def classes(
    painter: PainterChoice = None,
    output: Annotated[Path, output_file("The picture.")] = Path("classes.png"),
    seed: SeedNumber = 0,
    columns: Columns = counts.IN_A_ROW,
    label: LabelName = None,
    class_: ClassNames = None,
    settings: PaintSettings = None,
    device: DeviceName = "auto",
    overwrite: OverwriteSwitch = False,
) -> None:
    """Paint one row for each class."""
    from impasto.cli.figure import FigureOptions, classes_command

    classes_command(
        FigureOptions(painter, output, seed, settings or (), device, overwrite), label, class_ or [], columns
    )


@figure.command()
def gallery(
    class_: NeededClasses,
    painter: PainterChoice = None,
    output: Annotated[Path, output_file("The picture.")] = Path("gallery.png"),
    seed: SeedNumber = 0,
    count: Annotated[
        int, typer.Option(min=1, max=2000, help="Number of paintings, rounded up to whole rows.")
    ] = counts.GALLERY,
    columns: Annotated[
        int | None, typer.Option(min=1, max=100, help="Paintings in a row. Default: about as many as rows.")
    ] = None,
    settings: PaintSettings = None,
    device: DeviceName = "auto",
    overwrite: OverwriteSwitch = False,
) -> None:
    """Paint one class many times."""
    from impasto.cli.figure import FigureOptions, gallery_command

    gallery_command(FigureOptions(painter, output, seed, settings or (), device, overwrite), class_, count, columns)


@figure.command()
def truncation(
    painter: PainterChoice = None,
    output: Annotated[Path, output_file("The picture.")] = Path("truncation.png"),
    seed: SeedNumber = 0,
    columns: Annotated[
        int | None, typer.Option(min=1, max=100, help="Paintings in a row. Default: every class, but at least 10.")
    ] = None,
    label: LabelName = None,
    class_: ClassNames = None,
    settings: PaintSettings = None,
    device: DeviceName = "auto",
    overwrite: OverwriteSwitch = False,
) -> None:
    """Paint the same latents truncated more and more: from variety to the typical."""
    from impasto.cli.figure import FigureOptions, truncation_command

    truncation_command(
        FigureOptions(painter, output, seed, settings or (), device, overwrite), label, class_ or [], columns
    )


@figure.command()
def interpolation(
    class_: NeededClasses,
    to_class: Annotated[
        list[str], typer.Option("--to-class", metavar="CLASS", help="The class at the end of the strip.")
    ],
    painter: PainterChoice = None,
    output: Annotated[Path, output_file("The picture.")] = Path("interpolation.png"),
    seed: SeedNumber = 0,
    rows: Rows = counts.INTERPOLATION_ROWS,
    columns: Columns = counts.INTERPOLATION_STEPS,
    settings: PaintSettings = None,
    device: DeviceName = "auto",
    overwrite: OverwriteSwitch = False,
) -> None:
    """Paint strips from one class to another."""
    from impasto.cli.figure import FigureOptions, interpolation_command

    options = FigureOptions(painter, output, seed, settings or (), device, overwrite)
    interpolation_command(options, class_, to_class, rows, columns)


@figure.command()
def walk(
    painter: PainterChoice = None,
    output: Annotated[Path, output_file("The film: .gif, or .mp4 (needs impasto\\[video]).")] = Path("walk.gif"),
    seed: SeedNumber = 0,
    to_seed: Annotated[
        int | None, typer.Option("--to-seed", min=0, help="Seed of the latent to walk to. Default: --seed.")
    ] = None,
    class_: ClassNames = None,
    to_class: Annotated[
        list[str] | None,
        typer.Option("--to-class", metavar="CLASS", help="The class to walk to. Default: --class."),
    ] = None,
    frames: Annotated[
        int, typer.Option(min=2, max=2000, help="Frames of the way there and back, 20 a second.")
    ] = counts.FRAMES,
    settings: PaintSettings = None,
    device: DeviceName = "auto",
    overwrite: OverwriteSwitch = False,
) -> None:
    """Write a film that walks between two latents, two classes or both, and back."""
    from impasto.cli.figure import FigureOptions
    from impasto.cli.film import walk_command

    options = FigureOptions(painter, output, seed, settings or (), device, overwrite)
    walk_command(options, to_seed, class_ or [], to_class or [], frames)


@figure.command(no_args_is_help=True)
def distances(
    collection: Annotated[str, typer.Argument(metavar="DIR", help="A collection with classes, or a part of one.")],
    output: Annotated[Path, output_file("The picture, a PNG.")] = Path("distances.png"),
    label: LabelName = None,
    metrics: Annotated[
        Literal["kid", "fid"],
        typer.Option(metavar="METRIC", help="Metric of the distances, fid or kid. kid suits classes of any size."),
    ] = "kid",
    features: FeaturesName = "inception-2015",
    features_weights: FeaturesWeights = None,
    precision: PrecisionName = "fp32",
    seed: SeedNumber = 0,
    device: DeviceName = "auto",
    overwrite: OverwriteSwitch = False,
) -> None:
    """Draw how far the classes of a collection, such as styles, are from one another."""
    from impasto.cli.distances import DistancesOptions, distances_command

    distances_command(
        DistancesOptions(
            collection, output, label, metrics, features, features_weights, precision, seed, device, overwrite
        )
    )
