"""The commands. Bodies import what they need, so that help does not wait for torch."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from impasto import __version__
from impasto.cli.console import complaints, console, escape
from impasto.cli.data_app import data
from impasto.cli.figure_app import figure
from impasto.cli.judging_app import judging
from impasto.cli.options import DeviceName
from impasto.errors import ImpastoError

app = typer.Typer(
    name="impasto",
    help="Train art-making models on your own pictures, and paint with them.",
    epilog="First steps: impasto demo. What can be trained, and what it costs: impasto recipes.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

LEARN, LOOK_UP = "Learn and paint", "Look up"

app.add_typer(figure, rich_help_panel=LEARN)
app.add_typer(data, rich_help_panel=LOOK_UP)
app.add_typer(judging)

TRAIN_HELP = """Train RECIPE, or go on where its run folder stands.

RECIPE is a name that `impasto recipes` lists, or a YAML file. Any setting can be changed by its dotted path:

  impasto train cyclegan-atelier data.style=mosaic --run runs/mosaic

  impasto train cyclegan-landscape data.photos=my/photos data.paintings=my/monets training.images=50000

Ctrl-C finishes the step and saves; the same command goes on from there, exactly.
"""


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
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


@app.command(help=TRAIN_HELP, no_args_is_help=True, rich_help_panel=LEARN)
def train(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="Name of a recipe, or a YAML file.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH=VALUE]...", help="Settings to change, by dotted path.")
    ] = None,
    run: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Run folder; runs/RECIPE unless said. An existing one goes on.")
    ] = None,
    accept_changed_data: Annotated[
        bool, typer.Option("--accept-changed-data", help="Go on although the pictures changed since the run began.")
    ] = False,
) -> None:
    from impasto.cli.training import train_command

    train_command(recipe, overrides or [], run, accept_changed_data=accept_changed_data)


PAINT_HELP = """Paint photos, or paint from noise: the painter decides what it takes.

Photos may have any size. Each painting has the size of its photo.

  impasto paint holiday/ --painter engraver

  impasto paint --painter styles --class ukiyo_e --count 16 --seed 3

  impasto paint --painter styles --mix ukiyo_e=0.6,impressionism=0.4 --set truncation=0.7

Several --class options paint that many of each class. With a painter of styles and genres they are combined. Each
painting records how it was made; see `impasto about`.
"""


@app.command(help=PAINT_HELP, no_args_is_help=True, rich_help_panel=LEARN)
def paint(
    photos: Annotated[
        list[Path] | None, typer.Argument(metavar="[PHOTO_OR_FOLDER]...", help="Pictures, or folders of them.")
    ] = None,
    painter: Annotated[
        str | None,
        typer.Option(metavar="NAME_OR_RUN", help="A painter's name or a run folder. Default: the newest finished run."),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the paintings.")] = Path(
        "paintings"
    ),
    style: Annotated[
        Path | None, typer.Option(metavar="PICTURE", help="Paint in the style of this picture, with painters that can.")
    ] = None,
    classes: Annotated[
        list[str] | None, typer.Option("--class", metavar="NAME", help="From noise: a class. Default: all in turn.")
    ] = None,
    mix: Annotated[
        str | None, typer.Option(metavar="NAME=WEIGHT,...", help="From noise: several classes in one painting.")
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(min=1, max=100_000, help="From noise: paintings of each. Default: 16, or all classes once."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="An option of the method; `impasto about PAINTER` lists them."
        ),
    ] = None,
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
        Literal["png", "jpeg", "webp"] | None, typer.Option(help="File format. Default: the photo's, or PNG.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing paintings.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Random seed; moves the dabs of `impressionist`.")] = 0,
    device: DeviceName = "auto",
    max_megapixels: Annotated[float, typer.Option(min=0.01, help="Refuse photos with more pixels.")] = 200.0,
) -> None:
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


EXPORT_HELP = """Write a painter as a model that other programs run, for pictures of any size.

  impasto export impressionist

  impasto export runs/monet --format torch --output monet.pt2

It is held against the painter itself before it is written. onnx runs in ONNX Runtime and what is built on it; torch is
a program of torch.export, which PyTorch loads without impasto.
"""


@app.command(help=EXPORT_HELP, no_args_is_help=True, rich_help_panel=LEARN)
def export(
    painter: Annotated[str, typer.Argument(metavar="PAINTER", help="A painter's name or a run folder.")],
    format: Annotated[Literal["onnx", "torch"], typer.Option(help="What to write.")] = "onnx",  # noqa: A002
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where; PAINTER.onnx or PAINTER.pt2 unless said.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write again what is already there.")] = False,
) -> None:
    from impasto.cli.export import export_command

    export_command(painter, format, output, overwrite=overwrite)


PUSH_HELP = """Publish a painter on the Hugging Face hub, with its card; say `hf auth login` once before.

  impasto push runs/monet ada/monet

Weights, recipe and card go out; of paths in the recipe only the last part.
"""


@app.command(help=PUSH_HELP, no_args_is_help=True, rich_help_panel=LEARN)
def push(
    painter: Annotated[str, typer.Argument(metavar="PAINTER", help="A painter's name or a run folder.")],
    name: Annotated[str, typer.Argument(metavar="USER/NAME", help="The model's name on the hub.")],
    private: Annotated[bool, typer.Option("--private", help="Seen only by you, where it is new.")] = False,
) -> None:
    from impasto.cli.painters import push_command

    push_command(painter, name, private=private)


@app.command(no_args_is_help=True, rich_help_panel=LOOK_UP)
def about(
    what: Annotated[str, typer.Argument(metavar="PICTURE_OR_PAINTER", help="A painting, or a painter's name or run.")],
) -> None:
    """Print how a painting was made, or a painter's card: what it learned from, and its limits."""
    from impasto.cli.painters import about_command

    about_command(what)


@app.command(rich_help_panel=LOOK_UP)
def painters() -> None:
    """List the painters that come with impasto and those trained in runs/."""
    from impasto.cli.painters import painters_command

    painters_command()


@app.command(rich_help_panel=LOOK_UP)
def recipes(
    name: Annotated[str | None, typer.Argument(metavar="[RECIPE]", help="Print this recipe's YAML.")] = None,
) -> None:
    """List what can be trained and what it costs, or print one recipe."""
    from impasto.cli.recipes import recipes_command

    recipes_command(name)


@app.command(rich_help_panel=LEARN)
def demo(
    output: Annotated[Path, typer.Option(metavar="DIR", help="Where everything goes.")] = Path("impasto-demo"),
    style: Annotated[
        Literal["strokes", "points", "mosaic", "hatching", "flat"], typer.Option(help="The style to learn.")
    ] = "hatching",
) -> None:
    """Paint some photos, then watch a small model learn to: three minutes of training and a page. No download."""
    from impasto.cli.demo import demo_command

    demo_command(output, style)
