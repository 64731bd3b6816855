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
from impasto.errors import ImpastoError
from impasto.evaluation.images import open_pictures
from impasto.evaluation.quiz import Score, draw_quiz, pooled, read_answers, read_key, score, verdict
from impasto.evaluation.subject import SubjectOptions, open_subject
from impasto.gallery.quiz import write_quiz
from impasto.hardware import chosen_device

USAGE = "say impasto quiz GENERATED --against REAL, or impasto quiz --score answers-*.json --key quiz-key.json"


@dataclass(frozen=True)
class QuizWishes:
    """What the command line said of a new quiz."""

    against: str | None
    output: Path
    each: int
    photos: str | None
    seed: int
    device: Device


def quiz_command(what: Sequence[str], wishes: QuizWishes) -> None:
    """Write a quiz and its key, and say what to do with them."""
    if len(what) != 1 or wishes.against is None:
        raise ImpastoError(f"a quiz needs one collection, run or painter and real pictures; {USAGE}")
    device = torch.device(chosen_device(wishes.device, "--device"))
    real = open_pictures(wishes.against)
    generated = open_subject(what[0], SubjectOptions(photos=wishes.photos, seed=wishes.seed), device)
    with counting_bar(console) as bar:
        task = bar.add_task("drawn", total=None)
        try:
            quiz = draw_quiz(
                generated,
                real,
                wishes.each,
                wishes.seed,
                lambda done, total: bar.update(task, completed=done, total=total),
            )
        except KeyboardInterrupt:
            complaints.print("Stopped; no quiz was written.")
            raise typer.Exit(130) from None
    key = write_quiz(quiz, wishes.output)
    said = escape(str(key))
    console.print(f"{len(quiz.pictures)} pictures, half of them real; keep the key to yourself: {said}")
    console.print(f"Gather what people save, then: impasto quiz --score answers-*.json --key {said}")
    console.print(str(wishes.output.resolve()), markup=False)


def score_command(files: Sequence[Path], key_path: Path) -> None:
    """Say how well people told painted pictures from real ones: each of them, and all together."""
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
    """Return the figures, a row for each score."""
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
