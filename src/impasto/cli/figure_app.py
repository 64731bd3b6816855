"""`impasto figure`: the figures of papers, from a painter of labels. Bodies import what they need, as in app.py."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from impasto.cli.options import DeviceName
from impasto.painting import counts

figure = typer.Typer(
    name="figure",
    help="Draw figures with a painter that paints from labels: mixed classes, sweeps, galleries, walks.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

PainterName = Annotated[
    str | None,
    typer.Option("--painter", metavar="NAME_OR_RUN", help="A run or painter; the newest finished run unless said."),
]
Seed = Annotated[int, typer.Option(min=0, help="Of the latents.")]
Truncation = Annotated[
    float | None,
    typer.Option(help="Keep latents within this of 0, such as 0.7: more usual paintings, less variety."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is already there.")]
AttributeName = Annotated[
    str | None, typer.Option("--attribute", help="Of several, the one whose classes are shown; the first unless said.")
]
Others = Annotated[
    list[str] | None,
    typer.Option(
        "--label", metavar="NAME", help="A class of another attribute, for all paintings; its first unless said."
    ),
]
Wanted = Annotated[
    list[str],
    typer.Option("--label", metavar="NAME", help="A class; of several attributes one of each, its first unless said."),
]
Rows = Annotated[int, typer.Option(min=1, max=100, help="Latents, one for each row.")]
Columns = Annotated[int, typer.Option(min=1, max=100, help="Paintings in a row.")]


@figure.command()
def mixing(
    painter: PainterName = None,
    output: Annotated[Path, typer.Option(metavar="FILE", help="The picture.")] = Path("mixing.png"),
    seed: Seed = 0,
    weights: Annotated[
        Literal["sum", "mean"], typer.Option(help="sum asks for both classes in full, as published; mean for halves.")
    ] = "sum",
    attribute: AttributeName = None,
    label: Others = None,
    judge: Annotated[
        str | None, typer.Option(metavar="RUN", help="A classifier that says how much of both classes it sees.")
    ] = None,
    truncation: Truncation = None,
    device: DeviceName = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Paint every pair of classes mixed, from one latent."""
    from impasto.cli.figure import FigureWishes, mixing_command

    wishes = FigureWishes(painter, output, seed, truncation, device, overwrite)
    mixing_command(wishes, weights, attribute, label or [], judge)


@figure.command()
def sweep(
    painter: PainterName = None,
    output: Annotated[Path, typer.Option(metavar="FILE", help="The picture.")] = Path("sweep.png"),
    seed: Seed = 0,
    rows: Rows = counts.SWEEP_ROWS,
    attribute: AttributeName = None,
    label: Others = None,
    truncation: Truncation = None,
    device: DeviceName = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Paint the same noise in every class: a row for each latent."""
    from impasto.cli.figure import FigureWishes, sweep_command

    sweep_command(FigureWishes(painter, output, seed, truncation, device, overwrite), attribute, label or [], rows)


@figure.command()
def classes(
    painter: PainterName = None,
    output: Annotated[Path, typer.Option(metavar="FILE", help="The picture.")] = Path("classes.png"),
    seed: Seed = 0,
    columns: Columns = counts.IN_A_ROW,
    attribute: AttributeName = None,
    label: Others = None,
    truncation: Truncation = None,
    device: DeviceName = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Paint a row for each class."""
    from impasto.cli.figure import FigureWishes, classes_command

    classes_command(FigureWishes(painter, output, seed, truncation, device, overwrite), attribute, label or [], columns)


@figure.command()
def gallery(
    label: Wanted,
    painter: PainterName = None,
    output: Annotated[Path, typer.Option(metavar="FILE", help="The picture.")] = Path("gallery.png"),
    seed: Seed = 0,
    count: Annotated[int, typer.Option(min=1, max=2000, help="Paintings, made up to whole rows.")] = (counts.GALLERY),
    columns: Annotated[
        int | None, typer.Option(min=1, max=100, help="Paintings in a row; about a square unless said.")
    ] = None,
    truncation: Truncation = None,
    device: DeviceName = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Paint one class many times."""
    from impasto.cli.figure import FigureWishes, gallery_command

    gallery_command(FigureWishes(painter, output, seed, truncation, device, overwrite), label, count, columns)


@figure.command()
def truncation(
    painter: PainterName = None,
    output: Annotated[Path, typer.Option(metavar="FILE", help="The picture.")] = Path("truncation.png"),
    seed: Seed = 0,
    columns: Annotated[
        int | None, typer.Option(min=1, max=100, help="Paintings in a row; every class, and 10 or more, unless said.")
    ] = None,
    attribute: AttributeName = None,
    label: Others = None,
    device: DeviceName = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Paint the same latents kept ever nearer to 0: from variety to what is usual."""
    from impasto.cli.figure import FigureWishes, truncation_command

    truncation_command(FigureWishes(painter, output, seed, None, device, overwrite), attribute, label or [], columns)


@figure.command()
def interpolation(
    label: Wanted,
    to_label: Annotated[list[str], typer.Option(metavar="NAME", help="Where the strip ends.")],
    painter: PainterName = None,
    output: Annotated[Path, typer.Option(metavar="FILE", help="The picture.")] = Path("interpolation.png"),
    seed: Seed = 0,
    rows: Rows = counts.INTERPOLATION_ROWS,
    steps: Annotated[int, typer.Option(min=2, max=100, help="Paintings from one end to the other.")] = (
        counts.INTERPOLATION_STEPS
    ),
    truncation: Truncation = None,
    device: DeviceName = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Paint strips from one class to another."""
    from impasto.cli.figure import FigureWishes, interpolation_command

    interpolation_command(
        FigureWishes(painter, output, seed, truncation, device, overwrite), label, to_label, rows, steps
    )


@figure.command()
def walk(
    painter: PainterName = None,
    output: Annotated[Path, typer.Option(metavar="FILE", help="A .gif, or an .mp4 (needs impasto\\[video]).")] = Path(
        "walk.gif"
    ),
    seed: Annotated[int, typer.Option(min=0, help="The latent to begin with.")] = 0,
    to_seed: Annotated[int | None, typer.Option(min=0, help="The latent to walk to; the same unless said.")] = None,
    label: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="The class to begin with; the first unless said.")
    ] = None,
    to_label: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Walk to this class; the same unless said.")
    ] = None,
    frames: Annotated[int, typer.Option(min=2, max=2000, help="Of the way there and back, 20 a second.")] = (
        counts.FRAMES
    ),
    truncation: Truncation = None,
    device: DeviceName = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Write a film that walks between two latents or two classes and back."""
    from impasto.cli.figure import FigureWishes, walk_command

    wishes = FigureWishes(painter, output, seed, truncation, device, overwrite)
    walk_command(wishes, to_seed, label or [], to_label or [], frames)
