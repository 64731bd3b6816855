"""The command line: its commands in order, and how mistakes end a command."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from impasto import __version__
from impasto.cli.commands.compare import compare
from impasto.cli.commands.data import data
from impasto.cli.commands.demo import demo
from impasto.cli.commands.evaluate import evaluate
from impasto.cli.commands.export import export
from impasto.cli.commands.figure import distances, figure
from impasto.cli.commands.look_up import about, list_
from impasto.cli.commands.publish import publish
from impasto.cli.commands.quiz import quiz
from impasto.cli.commands.table import table
from impasto.cli.commands.train import train
from impasto.cli.console import complaints, console, escape
from impasto.cli.help_text import LongHelp, OrderedGroup
from impasto.cli.options import DeviceName
from impasto.errors import ImpastoError

START, MAKE, MEASURE, SHARE = "Start here", "Train and paint", "Measure and compare", "Share"

app = typer.Typer(
    cls=OrderedGroup,
    name="impasto",
    help="Train art-making models on your own pictures, and paint with them.",
    epilog="First steps: impasto demo. What can be trained, and what it costs: impasto list recipes.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run a command; a mistake with a remedy becomes one clear line and exit code 2."""
    # Before torch loads OpenMP: threads that wait by spinning for long starve every other program, and each other when
    # there is one; waiting some microseconds keeps most of the speed alone and several times more beside others.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    warnings.filterwarnings("ignore", module="PIL")  # odd tags in scans; what cannot be read is told in our words
    try:
        _run()
    except SystemExit as left:
        if "LOCAL_RANK" in os.environ:
            _leave(left.code)
        raise


def _leave(code: int | str | None) -> NoReturn:
    """End this process, which is one of several, at once; the code is a SystemExit's.

    A thread of Gloo may still hold a tensor of the last collective; giving it back while the interpreter is taken down
    aborts the process (https://github.com/pytorch/pytorch/pull/179291), and no call waits for that thread.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def _run() -> None:
    try:
        app()
    except ImpastoError as error:
        if os.environ.get("LOCAL_RANK", "0") == "0":  # of several processes one complains
            complaints.print(f"[bold red]impasto:[/] {escape(str(error))}")
        sys.exit(2)


def _version(wanted: bool) -> None:
    if wanted:
        console.print(f"impasto {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


PAINT_HELP = """Paint photos, or paint from noise what labels ask for: it depends on the painter.

Photos may be of any size; each painting has its photo's size.

  impasto paint holiday/ --painter engraver

  impasto paint --painter runs/styles --label ukiyo_e --count 16 --seed 3

  impasto paint --painter runs/styles --mix ukiyo_e=0.6,impressionism=0.4

Several --label paint as many of each; of a painter that knows styles and genres they ask for both at once. Each
painting carries how it was made, see `impasto about`. Painters: see `impasto painters`.
"""


@app.command(cls=LongHelp, help=PAINT_HELP, no_args_is_help=True, rich_help_panel=MAKE)
def paint(
    photos: Annotated[
        list[Path] | None, typer.Argument(metavar="[PHOTO_OR_FOLDER]...", help="Pictures, or folders of them.")
    ] = None,
    painter: Annotated[
        str | None,
        typer.Option(
            metavar="NAME_OR_RUN", help="A painter's name or a run folder; the newest finished run unless said."
        ),
    ] = None,
    output: Annotated[Path, typer.Option(metavar="DIR", help="Where the paintings go.")] = Path("paintings"),
    label: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="From noise: a class; all of them in turn unless said.")
    ] = None,
    mix: Annotated[
        str | None, typer.Option(metavar="NAME=WEIGHT,...", help="From noise: several classes in one painting.")
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(min=1, max=100_000, help="From noise: paintings of each; 16, or all classes once, unless said."),
    ] = None,
    truncation: Annotated[
        float | None, typer.Option(help="From noise: keep latents within this of 0, such as 0.7, for less variety.")
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="PIXELS|own",
            help="Paint at this short side: smaller for a coarser brush. At most 800 unless said; own: the photo's "
            "own. The photo's size is kept.",
        ),
    ] = None,
    strength: Annotated[
        float, typer.Option(min=0, max=1, help="How much of the painting, and how little of the photo, is seen.")
    ] = 1.0,
    colours: Annotated[
        Literal["painted", "keep"], typer.Option(help="keep: the painting takes its photo's palette.")
    ] = "painted",
    format: Annotated[  # noqa: A002
        Literal["png", "jpeg", "webp"] | None, typer.Option(help="File format; the photo's own, or PNG, unless said.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Paint again what is already there.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="For painters that use chance.")] = 0,
    device: DeviceName = "auto",
    max_megapixels: Annotated[float, typer.Option(min=0.01, help="Refuse photos with more pixels.")] = 200.0,
) -> None:
    from impasto.cli.painting import LabelWishes, brush_size, paint_command
    from impasto.painting.paint_picture import PaintSettings

    settings = PaintSettings(
        size=brush_size(size),
        strength=strength,
        colours=colours,
        kind=None if format is None else {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP"}[format],  # type: ignore[arg-type]
        overwrite=overwrite,
        seed=seed,
        max_megapixels=max_megapixels,
    )
    wishes = LabelWishes(label or (), mix, count, truncation)
    paint_command(photos or [], painter, output, settings, device, wishes)


app.command(rich_help_panel=START)(demo)
app.command("list", rich_help_panel=START)(list_)
app.command(rich_help_panel=START, no_args_is_help=True)(about)
app.add_typer(data, rich_help_panel=MAKE)
app.command(cls=LongHelp, rich_help_panel=MAKE, no_args_is_help=True)(train)
app.add_typer(figure, rich_help_panel=MAKE)
app.command(cls=LongHelp, rich_help_panel=MEASURE, no_args_is_help=True)(evaluate)
app.command(rich_help_panel=MEASURE, no_args_is_help=True)(compare)
app.command(cls=LongHelp, rich_help_panel=MEASURE, no_args_is_help=True)(quiz)
app.command(cls=LongHelp, rich_help_panel=MEASURE)(table)
app.command(cls=LongHelp, rich_help_panel=SHARE, no_args_is_help=True)(export)
app.add_typer(publish, rich_help_panel=SHARE)
app.command(hidden=True, no_args_is_help=True)(distances)  # scripts call it so; it is `impasto figure distances`
