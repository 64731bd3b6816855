"""The commands. Bodies import what they need, so that help does not wait for torch."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Annotated, Literal

import typer

from impasto import __version__
from impasto.cli.console import complaints, console, escape
from impasto.cli.data_app import data
from impasto.cli.figure_app import figure
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

app.add_typer(data)
app.add_typer(figure)

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


@app.command(help=TRAIN_HELP, no_args_is_help=True)
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


PAINT_HELP = """Paint photos, or paint from noise what labels ask for: it depends on the painter.

Photos may be of any size; each painting has its photo's size.

  impasto paint holiday/ --painter engraver

  impasto paint --painter runs/styles --label ukiyo_e --count 16 --seed 3

  impasto paint --painter runs/styles --mix ukiyo_e=0.6,impressionism=0.4

Several --label paint as many of each; of a painter that knows styles and genres they ask for both at once. Each
painting carries how it was made, see `impasto about`. Painters: see `impasto painters`.
"""


@app.command(help=PAINT_HELP, no_args_is_help=True)
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
            help="Paint at this short side: smaller for a coarser brush. At most 1200 unless said; own: the photo's "
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
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where to compute.")] = "auto",
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


EXPORT_HELP = """Write a painter as a model that other programs run, for pictures of any size.

  impasto export impressionist

  impasto export runs/monet --format torch --output monet.pt2

It is held against the painter itself before it is written. onnx runs in ONNX Runtime and what is built on it; torch is
a program of torch.export, which PyTorch loads without impasto.
"""


@app.command(help=EXPORT_HELP, no_args_is_help=True)
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


@app.command(help=PUSH_HELP, no_args_is_help=True)
def push(
    painter: Annotated[str, typer.Argument(metavar="PAINTER", help="A painter's name or a run folder.")],
    name: Annotated[str, typer.Argument(metavar="USER/NAME", help="The model's name on the hub.")],
    private: Annotated[bool, typer.Option("--private", help="Seen only by you, where it is new.")] = False,
) -> None:
    from impasto.cli.painters import push_command

    push_command(painter, name, private=private)


EVALUATE_HELP = """Judge pictures, a run or a painter against other pictures.

WHAT and --against are folders or archives in any layout, or a part of one: DIR:test, DIR:style=cubism. WHAT may also be
a run or a painter, which then paints what is needed; --against may be a .safetensors file of saved statistics.

  impasto evaluate runs/monet --photos photos:test --against monets:test --metrics fid,kid,ssim

  impasto evaluate my/paintings --against monets --memorised monets:train --metrics fid,mifid --copies copies.html
"""


@app.command(help=EVALUATE_HELP, no_args_is_help=True)
def evaluate(
    what: Annotated[str, typer.Argument(metavar="WHAT", help="A folder, archive, run or painter.")],
    against: Annotated[
        str | None, typer.Option(metavar="REFERENCE", help="Real pictures, or statistics of them.")
    ] = None,
    metrics: Annotated[
        str, typer.Option(help="Several of fid, fid-by-class, kid, mifid, is, prdc, top1, ssim, colour.")
    ] = "fid,kid",
    features: Annotated[
        str,
        typer.Option(
            help="inception-2015 (of published figures), inception-2015-clean, inception-imagenet, dinov2, or a "
            "classifier's run folder; without weights random-inception or pixels, not comparable."
        ),
    ] = "inception-2015",
    weights: Annotated[Path | None, typer.Option(metavar="FILE", help="The features' weights, where offline.")] = None,
    precision: Annotated[
        Literal["fp32", "bf16"], typer.Option(help="bf16 is faster; published figures are fp32.")
    ] = "fp32",
    photos: Annotated[
        str | None, typer.Option(metavar="DIR", help="What a painter of photos paints; its run's own unless said.")
    ] = None,
    images: Annotated[
        int | None, typer.Option(min=2, help="At most so many of WHAT, drawn at random; from noise, just so many.")
    ] = None,
    size: Annotated[
        int | None, typer.Option(min=16, help="Short side of the photos, pixels; the scale learned at unless said.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="The label that is the class.")] = None,
    memorised: Annotated[
        str | None, typer.Option(metavar="DIR", help="What may have been copied, for mifid; REFERENCE unless said.")
    ] = None,
    mifid_threshold: Annotated[
        float, typer.Option(min=0, max=1, help="mifid punishes mean distances below; 0.1 is Kaggle's, for Inception.")
    ] = 0.1,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the record there.")] = None,
    save_statistics: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep WHAT's statistics as .safetensors, for --against.")
    ] = None,
    copies: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page of the nearest training pictures.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    allow_small: Annotated[
        bool, typer.Option("--allow-small", help="Give out a FID of fewer than 100 images.")
    ] = False,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where to compute.")] = "auto",
) -> None:
    from impasto.cli.evaluate import Wanted, evaluate_command
    from impasto.evaluation.subject import Wishes

    evaluate_command(
        Wanted(
            what=what,
            against=against,
            metrics=metrics,
            features=features,
            weights=weights,
            precision=precision,
            device=device,
            wishes=Wishes(label, photos, images, size, seed),
            allow_small=allow_small,
            memorised=memorised,
            mifid_threshold=mifid_threshold,
            json_file=json_file,
            statistics_file=save_statistics,
            copies_page=copies,
        )
    )


SUBMIT_HELP = """Paint photos into the file for Kaggle's "I'm Something of a Painter Myself", or check such a file.

  impasto submit runs/monet --photos gan-getting-started/photo_jpg --output images.zip

  impasto submit --check images.zip

The contest asks for 7,000 to 10,000 different paintings of 256 x 256 pixels, in a file named images.zip. Of each photo
the middle is painted. A check leaves with 1 where something is wrong.
"""


@app.command(help=SUBMIT_HELP, no_args_is_help=True)
def submit(
    run: Annotated[str | None, typer.Argument(metavar="RUN", help="A run folder or a painter's name.")] = None,
    photos: Annotated[Path | None, typer.Option(metavar="DIR", help="A folder or zip of photos.")] = None,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="The new file, such as images.zip.")] = None,
    check: Annotated[Path | None, typer.Option(metavar="FILE", help="Check this file; nothing is painted.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="For painters that use chance.")] = 0,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where to compute.")] = "auto",
    max_megapixels: Annotated[float, typer.Option(min=0.01, help="Leave out photos with more pixels.")] = 200.0,
) -> None:
    from impasto.cli.submit import submit_command
    from impasto.evaluation.submission import SubmissionSettings

    submit_command(run, photos, output, check, SubmissionSettings(seed, max_megapixels), device)


@app.command(no_args_is_help=True)
def distances(
    collection: Annotated[str, typer.Argument(metavar="DIR", help="A collection with classes, or a part of one.")],
    label: Annotated[str | None, typer.Option(help="The label that is the class.")] = None,
    metric: Annotated[Literal["kid", "fid"], typer.Option(help="kid suits classes of any size.")] = "kid",
    features: Annotated[str, typer.Option(help="As for impasto evaluate.")] = "inception-2015",
    weights: Annotated[Path | None, typer.Option(metavar="FILE", help="The features' weights, where offline.")] = None,
    precision: Annotated[Literal["fp32", "bf16"], typer.Option(help="As for impasto evaluate.")] = "fp32",
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where to compute.")] = "auto",
    output: Annotated[Path, typer.Option(metavar="FILE", help="The picture, a PNG.")] = Path("distances.png"),
) -> None:
    """Draw how far the classes of a collection are from one another, such as styles."""
    from impasto.cli.distances import distances_command

    distances_command(collection, label, metric, features, weights, precision, device, output)


QUIZ_HELP = """Let people say which pictures are real and which were painted by a machine, and score what they say.

  impasto quiz runs/monet --photos photos:test --against monets:test

  impasto quiz --score answers-*.json --key quiz-key.json

The page works without a network, and people save their answers from it. The key lies beside it: keep that to yourself.
"""


@app.command(help=QUIZ_HELP, no_args_is_help=True)
def quiz(
    what: Annotated[
        list[str], typer.Argument(metavar="GENERATED", help="A folder, archive, run or painter; or files of answers.")
    ],
    against: Annotated[str | None, typer.Option(metavar="REAL", help="Real pictures.")] = None,
    output: Annotated[Path, typer.Option(metavar="FILE", help="Where the page goes.")] = Path("quiz.html"),
    each: Annotated[int, typer.Option(min=1, max=200, help="So many real pictures, and so many generated.")] = 20,
    photos: Annotated[
        str | None, typer.Option(metavar="DIR", help="What a painter of photos paints; its run's own unless said.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the choice and the order.")] = 0,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where to compute.")] = "auto",
    score: Annotated[bool, typer.Option("--score", help="Score these files of answers; no page is made.")] = False,
    key: Annotated[Path, typer.Option(metavar="FILE", help="The key of the quiz, to score by.")] = Path(
        "quiz-key.json"
    ),
) -> None:
    from impasto.cli.quiz import QuizWishes, quiz_command, score_command

    if score:
        score_command([Path(file) for file in what], key)
    else:
        quiz_command(what, QuizWishes(against, output, each, photos, seed, device))


@app.command(no_args_is_help=True)
def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders, finished or not.")],
    output: Annotated[Path, typer.Option(metavar="FILE", help="Where the page goes.")] = Path("compare.html"),
) -> None:
    """Put runs side by side on one page: samples, measures, curves, settings that differ, time and memory."""
    from impasto.cli.compare import compare_command

    compare_command(runs, output)


TABLE_HELP = """Train what a paper's table or figures need, judge it, and set it beside what was published.

Without TABLE: list them. A setting goes to every run as PATH=VALUE, to one as RUN:PATH=VALUE (RUN may hold *), and to
the judge as judge.PATH=VALUE, to a figure as figures.NAME.PATH=VALUE:

  impasto table gantor-table1-folder data.path=my/styles

  impasto table gantor-table2 data.path=datasets/wikiart 'gantor-*:training.images=100000' judge.images=2000

Finished runs are not trained again. Ctrl-C saves; the same command goes on from there.
"""


@app.command(help=TABLE_HELP)
def table(
    name: Annotated[str | None, typer.Argument(metavar="[TABLE]", help="Name of a table, or a YAML file.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH=VALUE]...", help="Settings to change.")
    ] = None,
    runs: Annotated[Path, typer.Option(metavar="DIR", help="Where the runs are, or go.")] = Path("runs"),
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the table goes; tables/TABLE unless said.")
    ] = None,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where to judge.")] = "auto",
    accept_changed_data: Annotated[
        bool, typer.Option("--accept-changed-data", help="Go on although the pictures changed since a run began.")
    ] = False,
) -> None:
    if name is None:
        from impasto.cli.table_list import tables_command

        tables_command()
    else:
        from impasto.cli.table import table_command

        table_command(name, overrides or [], runs, output, device, accept_changed_data=accept_changed_data)


@app.command(no_args_is_help=True)
def about(
    what: Annotated[str, typer.Argument(metavar="PICTURE_OR_PAINTER", help="A painting, or a painter's name or run.")],
) -> None:
    """Print how a painting was made, or a painter's card: what it learned from, and its limits."""
    from impasto.cli.painters import about_command

    about_command(what)


@app.command()
def painters() -> None:
    """List the painters that come with impasto and those trained in runs/."""
    from impasto.cli.painters import painters_command

    painters_command()


@app.command()
def recipes(
    name: Annotated[str | None, typer.Argument(metavar="[RECIPE]", help="Print this recipe's YAML.")] = None,
) -> None:
    """List what can be trained and what it costs, or print one recipe."""
    from impasto.cli.recipes import recipes_command

    recipes_command(name)


@app.command()
def demo(
    output: Annotated[Path, typer.Option(metavar="DIR", help="Where everything goes.")] = Path("impasto-demo"),
    style: Annotated[
        Literal["strokes", "points", "mosaic", "hatching", "flat"], typer.Option(help="The style to learn.")
    ] = "hatching",
) -> None:
    """Paint some photos, then watch a small model learn to: three minutes of training and a page. No download."""
    from impasto.cli.demo import demo_command

    demo_command(output, style)
