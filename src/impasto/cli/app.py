"""The command line: its commands in order, and how mistakes end a command."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Annotated, NoReturn

import typer

from impasto import __version__
from impasto.cli.commands.compare import compare
from impasto.cli.commands.data import data
from impasto.cli.commands.demo import demo
from impasto.cli.commands.evaluate import evaluate
from impasto.cli.commands.export import export
from impasto.cli.commands.figure import distances, figure
from impasto.cli.commands.look_up import about, list_
from impasto.cli.commands.paint import paint
from impasto.cli.commands.publish import publish
from impasto.cli.commands.quiz import quiz
from impasto.cli.commands.table import table
from impasto.cli.commands.train import train
from impasto.cli.console import complaints, console, escape
from impasto.cli.help_text import LongHelp, OrderedGroup
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


app.command(rich_help_panel=START)(demo)
app.command("list", rich_help_panel=START)(list_)
app.command(rich_help_panel=START, no_args_is_help=True)(about)
app.add_typer(data, rich_help_panel=MAKE)
app.command(cls=LongHelp, rich_help_panel=MAKE, no_args_is_help=True)(train)
app.command(cls=LongHelp, rich_help_panel=MAKE, no_args_is_help=True)(paint)
app.add_typer(figure, rich_help_panel=MAKE)
app.command(cls=LongHelp, rich_help_panel=MEASURE, no_args_is_help=True)(evaluate)
app.command(rich_help_panel=MEASURE, no_args_is_help=True)(compare)
app.command(cls=LongHelp, rich_help_panel=MEASURE, no_args_is_help=True)(quiz)
app.command(cls=LongHelp, rich_help_panel=MEASURE)(table)
app.command(cls=LongHelp, rich_help_panel=SHARE, no_args_is_help=True)(export)
app.add_typer(publish, rich_help_panel=SHARE)
app.command(hidden=True, no_args_is_help=True)(distances)  # scripts call it so; it is `impasto figure distances`
