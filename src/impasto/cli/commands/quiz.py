"""`impasto quiz`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from impasto.cli.options import DeviceName, OverwriteSwitch, PaintedPhotos, SeedNumber, output_file


def quiz(
    what: Annotated[
        list[str],
        typer.Argument(metavar="GENERATED", help="A folder, archive, run or painter. With --score: files of answers."),
    ],
    against: Annotated[str | None, typer.Option(metavar="REFERENCE", help="Real pictures.")] = None,
    output: Annotated[Path, output_file("The page. The key is written beside it.")] = Path("quiz.html"),
    each: Annotated[int, typer.Option(min=1, max=200, help="Number of real pictures, and of generated ones.")] = 20,
    photos: PaintedPhotos = None,
    overwrite: OverwriteSwitch = False,
    seed: SeedNumber = 0,
    device: DeviceName = "auto",
    score: Annotated[bool, typer.Option("--score", help="Score files of answers instead of making a page.")] = False,
    key: Annotated[Path, typer.Option(metavar="FILE", help="The key of the quiz, for --score.")] = Path(
        "quiz-key.json"
    ),
) -> None:
    """Make a page on which people tell real pictures from generated ones, and score their answers.

    The page works offline, and people save their answers from it. Keep the key to yourself: it holds the solution.

      impasto quiz runs/monet --photos photos:test --against monets:test

      impasto quiz --score answers-*.json --key quiz-key.json
    """
    from impasto.cli.quiz import QuizOptions, quiz_command, score_command

    if score:
        score_command([Path(file) for file in what], key)
    else:
        quiz_command(what, QuizOptions(against, output, each, photos, seed, device, overwrite))
