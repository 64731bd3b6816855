"""`impasto quiz`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import typer
from rich.table import Table

from impasto.cli.bars import counting_bar
from impasto.cli.console import complaints, console, escape
from impasto.cli.options import Device
from impasto.cli.outputs import check_new
from impasto.errors import ImpastoError
from impasto.evaluation.images import open_pictures
from impasto.evaluation.quiz import Score, draw_quiz, pooled, read_answers, read_key, score, verdict
from impasto.evaluation.subject import SubjectOptions, open_subject
from impasto.gallery.quiz_page import key_file, write_quiz
from impasto.hardware import chosen_device

USAGE = "use impasto quiz GENERATED --against REAL, or impasto quiz --score answers-*.json --key quiz-key.json"


@dataclass(frozen=True)
class QuizOptions:
    """Options of a new quiz."""

    against: str | None
    output: Path
    each: int
    photos: str | None
    seed: int
    device: Device
    overwrite: bool = False


def quiz_command(what: Sequence[str], options: QuizOptions) -> None:
    """Write a quiz and its key, and print what to do with them."""
    if len(what) != 1 or options.against is None:
        raise ImpastoError(f"a quiz needs one collection, run or painter and real pictures; {USAGE}")
    check_new(options.output, key_file(options.output), overwrite=options.overwrite)
    device = torch.device(chosen_device(options.device, "--device"))
    real = open_pictures(options.against)
    generated = open_subject(what[0], SubjectOptions(photos=options.photos, seed=options.seed), device)
    with counting_bar(console) as bar:
        task = bar.add_task("drawn", total=None)
        try:
            quiz = draw_quiz(
                generated,
                real,
                options.each,
                options.seed,
                lambda done, total: bar.update(task, completed=done, total=total),
            )
        except KeyboardInterrupt:
            complaints.print("Stopped; no quiz was written.")
            raise typer.Exit(130) from None
    key = escape(str(write_quiz(quiz, options.output, overwrite=options.overwrite)))
    console.print(f"{len(quiz.pictures)} pictures, half of them real; keep the key to yourself: {key}")
    console.print(f"Gather what people save, then: impasto quiz --score answers-*.json --key {key}")
    console.print(str(options.output.resolve()), markup=False)


def score_command(files: Sequence[Path], key_path: Path) -> None:
    """Print how well people told painted pictures from real ones: each person, and all together."""
    key = read_key(key_path)
    scores = [score(sheet, key) for sheet in read_answers(files, key)]
    overall = pooled(scores)
    console.print(table_of([*scores, overall] if len(scores) > 1 else scores))
    people = "1 person" if len(scores) == 1 else f"{len(scores)} people"
    sides = f"{escape(key.generated)} against {escape(key.against)}"
    console.print(f"[dim]{people}, {len(key.pictures)} pictures, half of them real: {sides}[/]")
    console.print("[dim]hits: painted pictures called painted; false alarms: real pictures called painted[/]")
    console.print(verdict(overall))


def table_of(scores: Sequence[Score]) -> Table:
    """Return the scores as a table, a row for each."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("who")
    for heading in ("right", "95 % interval", "hits", "false alarms", "d'"):
        table.add_column(heading, justify="right")
    for each in scores:
        right = each.accuracy
        table.add_row(
            escape(each.name),
            f"{right.value:.1%}",
            f"{right.interval.low:.1%} … {right.interval.high:.1%}",
            f"{each.hits} of {each.painted}",
            f"{each.false_alarms} of {each.real}",
            f"{each.d_prime:.2f}",
        )
    return table
