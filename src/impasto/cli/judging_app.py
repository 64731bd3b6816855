"""The commands that judge. Bodies import what they need, as in app.py."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from impasto.cli.options import Device, DeviceName, PaintedPhotos, WeightsFile

judging = typer.Typer()
PANEL = "Judge and compare"

EVALUATE_HELP = """Judge pictures, a run or a painter against other pictures.

WHAT and --against are folders or archives in any layout, or a part of one: DIR:test, DIR:style=cubism. WHAT may also be
a run or a painter, which then paints what is needed; --against may be a .safetensors file of saved statistics.

  impasto evaluate runs/monet --photos photos:test --against monets:test --metrics fid,kid,ssim

  impasto evaluate my/paintings --against monets --memorised monets:train --metrics fid,mifid --copies copies.html
"""


@judging.command(help=EVALUATE_HELP, no_args_is_help=True, rich_help_panel=PANEL)
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
    weights: WeightsFile = None,
    precision: Annotated[
        Literal["fp32", "bf16"], typer.Option(help="bf16 is faster; published figures are fp32.")
    ] = "fp32",
    photos: PaintedPhotos = None,
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
    device: DeviceName = "auto",
) -> None:
    from impasto.cli.evaluate import Wanted, evaluate_command
    from impasto.evaluation.subject import SubjectOptions

    evaluate_command(
        Wanted(
            what=what,
            against=against,
            metrics=metrics,
            features=features,
            weights=weights,
            precision=precision,
            device=device,
            wishes=SubjectOptions(label, photos, images, size, seed),
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


@judging.command(help=SUBMIT_HELP, no_args_is_help=True, rich_help_panel=PANEL)
def submit(
    run: Annotated[str | None, typer.Argument(metavar="RUN", help="A run folder or a painter's name.")] = None,
    photos: Annotated[Path | None, typer.Option(metavar="DIR", help="A folder or zip of photos.")] = None,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="The new file, such as images.zip.")] = None,
    check: Annotated[Path | None, typer.Option(metavar="FILE", help="Check this file; nothing is painted.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="For painters that use chance.")] = 0,
    device: DeviceName = "auto",
    max_megapixels: Annotated[float, typer.Option(min=0.01, help="Leave out photos with more pixels.")] = 200.0,
) -> None:
    from impasto.cli.submit import submit_command
    from impasto.evaluation.submission import SubmissionOptions

    submit_command(run, photos, output, check, SubmissionOptions(seed, max_megapixels), device)


@judging.command(no_args_is_help=True, rich_help_panel=PANEL)
def distances(
    collection: Annotated[str, typer.Argument(metavar="DIR", help="A collection with classes, or a part of one.")],
    label: Annotated[str | None, typer.Option(help="The label that is the class.")] = None,
    metric: Annotated[Literal["kid", "fid"], typer.Option(help="kid suits classes of any size.")] = "kid",
    features: Annotated[str, typer.Option(help="As for impasto evaluate.")] = "inception-2015",
    weights: WeightsFile = None,
    precision: Annotated[Literal["fp32", "bf16"], typer.Option(help="As for impasto evaluate.")] = "fp32",
    device: DeviceName = "auto",
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


@judging.command(help=QUIZ_HELP, no_args_is_help=True, rich_help_panel=PANEL)
def quiz(
    what: Annotated[
        list[str], typer.Argument(metavar="GENERATED", help="A folder, archive, run or painter; or files of answers.")
    ],
    against: Annotated[str | None, typer.Option(metavar="REAL", help="Real pictures.")] = None,
    output: Annotated[Path, typer.Option(metavar="FILE", help="Where the page goes.")] = Path("quiz.html"),
    each: Annotated[int, typer.Option(min=1, max=200, help="So many real pictures, and so many generated.")] = 20,
    photos: PaintedPhotos = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the choice and the order.")] = 0,
    device: DeviceName = "auto",
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


@judging.command(no_args_is_help=True, rich_help_panel=PANEL)
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


@judging.command(help=TABLE_HELP, rich_help_panel=PANEL)
def table(
    name: Annotated[str | None, typer.Argument(metavar="[TABLE]", help="Name of a table, or a YAML file.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH=VALUE]...", help="Settings to change.")
    ] = None,
    runs: Annotated[Path, typer.Option(metavar="DIR", help="Where the runs are, or go.")] = Path("runs"),
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the table goes; tables/TABLE unless said.")
    ] = None,
    device: Annotated[Device, typer.Option(help="Where to judge.")] = "auto",
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
