"""`impasto publish kaggle`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from impasto.cli.bars import counting_bar
from impasto.cli.console import complaints, console, escape
from impasto.cli.options import Device
from impasto.cli.outputs import check_new
from impasto.errors import ImpastoError
from impasto.evaluation.submission import (
    CHECKS,
    Submission,
    SubmissionOptions,
    requirement,
    validate_submission,
    write_submission,
)
from impasto.hardware import chosen_device
from impasto.painting.painters import load_painter

USAGE = "use impasto publish kaggle PAINTER --photos DIR --output images.zip, or impasto publish kaggle --check FILE"


def kaggle_command(
    painter: str | None,
    photos: Path | None,
    output: Path | None,
    check: Path | None,
    settings: SubmissionOptions,
    device: Device,
) -> None:
    """Write a submission and check it, or check an existing one; exit code 1 if the contest would refuse it."""
    if check is not None:
        if painter is not None or photos is not None or output is not None:
            raise ImpastoError(f"--check goes with nothing else; {USAGE}")
        _check(check, settings, stopped="Stopped before everything was checked.")
        return
    if painter is None or photos is None or output is None:
        given = {"PAINTER": painter, "--photos": photos, "--output": output}
        missing = " and ".join(name for name, value in given.items() if value is None)
        raise ImpastoError(f"impasto publish kaggle needs {missing}; {USAGE}")
    if output.suffix.lower() != ".zip":
        raise ImpastoError(f"--output: {output} must end in .zip, as the contest's images.zip does")
    check_new(output, overwrite=settings.overwrite)
    _write(painter, photos, output, settings, device)
    _check(
        output,
        settings,
        stopped=f"Stopped; {output} is written, but not checked: impasto publish kaggle --check {output}",
    )


def _write(name: str, photos: Path, output: Path, settings: SubmissionOptions, device: Device) -> None:
    painter = load_painter(name, chosen_device(device, "--device"))
    console.print(f"Painting with [bold]{escape(painter.name)}[/] ({painter.recipe.method.name})")
    with _counted(f"Stopped; {output} was not written.") as progress:
        written = write_submission(photos, painter, output, settings, progress)
    for reason in written.left_out:
        complaints.print(f"[yellow]left out:[/] {escape(reason)}")
    size = output.stat().st_size / 1e6
    console.print(f"{written.count:,} paintings in {escape(str(output))} ({size:,.1f} MB)")


def _check(file: Path, settings: SubmissionOptions, stopped: str) -> None:
    with _counted(stopped) as progress:
        submission = validate_submission(file, settings.limits, progress)
    _print_ticks(submission, settings)
    if submission.problems:
        raise typer.Exit(1)


def _print_ticks(submission: Submission, settings: SubmissionOptions) -> None:
    wrong = {problem.check: problem.message for problem in submission.problems}
    for check in CHECKS:
        if check in wrong:
            console.print(f"[bold red]✗[/] {escape(wrong[check])}")
        else:
            found = f" ({submission.count:,} found)" if check == "count" else ""
            console.print(f"[green]✓[/] {requirement(check, settings.limits)}{found}")


@contextmanager
def _counted(stopped: str) -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar; yield a function that moves it. Ctrl-C prints `stopped` and ends with code 130."""
    with counting_bar(console) as bar:
        task = bar.add_task("reading the list", total=None)
        try:
            yield lambda stage, done, total: bar.update(task, description=stage, completed=done, total=total)
        except KeyboardInterrupt:
            complaints.print(escape(stopped))
            raise typer.Exit(130) from None
