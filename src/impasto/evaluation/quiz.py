"""Real or painted? A quiz for people, and the score of their answers (docs/methods/evaluation.md).

It shows the same number of real and generated pictures, in random order, all of one size. A painted picture called
painted is a hit, and a real one called painted is a false alarm.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Annotated, Literal, NamedTuple, TypeVar

import torch
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from impasto.chance import generator
from impasto.data.transforms import centre_crop, resized
from impasto.errors import EvaluationError, PictureError
from impasto.evaluation.images import Drawn, ImageSet
from impasto.evaluation.top1 import Share, wilson
from impasto.validation import mistakes

EACH = 20
"""Default number of real pictures, and of generated ones."""
LARGEST_SIDE = 256
"""Largest side of a picture in the quiz, pixels."""

Kind = Literal["real", "painted"]
Sheet = TypeVar("Sheet", "Key", "Answers")


def _printable(text: str) -> str:
    """Replace characters that cannot be saved or that control a terminal: names come from other people."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _half_real(pictures: tuple[Shown, ...]) -> tuple[Shown, ...]:
    if 2 * sum(shown.kind == "real" for shown in pictures) != len(pictures):
        raise ValueError("half of the pictures must be real")
    return pictures


Name = Annotated[str, AfterValidator(_printable)]


class _Sheet(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Shown(_Sheet):
    """One picture of the quiz."""

    kind: Kind
    name: Name


class Key(_Sheet):
    """The right answers, in the order of the page."""

    quiz: str
    """Identifies the quiz."""
    generated: Name
    against: Name
    seed: int
    pictures: Annotated[tuple[Shown, ...], Field(min_length=2), AfterValidator(_half_real)]


class Answers(_Sheet):
    """The answers of one person, in the order of the page."""

    quiz: str
    name: Annotated[Name, Field(min_length=1, max_length=200)]
    answers: tuple[Kind, ...]


@dataclass(frozen=True, eq=False)
class Quiz:
    """The pictures and the key."""

    key: Key
    pictures: Sequence[Tensor]
    """uint8 [3, S, S] each, of one size, in the order of the page."""


class Score(NamedTuple):
    """How well real and painted pictures were distinguished."""

    name: str
    hits: int
    """Painted pictures called painted."""
    painted: int
    false_alarms: int
    """Real pictures called painted."""
    real: int

    @property
    def accuracy(self) -> Share:
        """The share of right answers with its Wilson interval, which assumes independent answers."""
        right, of = self.hits + self.real - self.false_alarms, self.painted + self.real
        return Share(right / of, wilson(right, of), right, of)

    @property
    def d_prime(self) -> float:
        """Sensitivity index d': distance of real and painted pictures in standard deviations; 0 for guessing.

        z(hit rate) - z(false alarm rate). Half an answer is added to each cell so that rates of 0 and 1 are finite: the
        log-linear correction of Hautus, "Corrections for extreme proportions", 1995.
        """
        z = NormalDist().inv_cdf
        return z((self.hits + 0.5) / (self.painted + 1)) - z((self.false_alarms + 0.5) / (self.real + 1))


def draw_quiz(
    generated: ImageSet,
    real: ImageSet,
    each: int = EACH,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Quiz:
    """Return a quiz of `each` generated and `each` real pictures, drawn and ordered at random.

    Each is cropped to its centre square and resized to the shortest side among them, at most `LARGEST_SIDE`. None is
    enlarged, so neither size nor blur gives an answer away. Unreadable pictures are skipped. The order depends on the
    images and the seed, so that the key of one quiz does not reveal another with the same seed.

    Raises EvaluationError if there are too few pictures.
    """
    sides: dict[Kind, ImageSet] = {"painted": generated, "real": real}
    for images in sides.values():
        _check_count(images, len(images), each)
    cards: list[tuple[Shown, Tensor]] = []
    for kind, images in sides.items():
        for name, square in _squares(images, each, seed):
            cards.append((Shown(kind=kind, name=name), square))
            if progress is not None:
                progress(len(cards), 2 * each)
    side = min(square.shape[-1] for _, square in cards)
    chance = generator(seed, "quiz", generated.digest, real.digest)
    order = [cards[place] for place in torch.randperm(len(cards), generator=chance).tolist()]
    pictures = [resized(square, side, side) for _, square in order]
    shown = tuple(card for card, _ in order)
    identity = _identity(shown, pictures)
    return Quiz(Key(quiz=identity, generated=generated.name, against=real.name, seed=seed, pictures=shown), pictures)


def _squares(images: ImageSet, count: int, seed: int) -> Iterator[tuple[str, Tensor]]:
    """Yield names and centre squares of `count` readable images, drawn at random, of LARGEST_SIDE at most.

    Images from noise are random already and come in batches: of these the first are taken.
    """
    chance = generator(seed, "quiz", images.digest)
    places = range(len(images)) if isinstance(images, Drawn) else torch.randperm(len(images), generator=chance).tolist()
    found = 0
    for place in places:
        try:
            picture = images.picture(place)
        except PictureError:
            continue
        shortest = min(picture.shape[1:])
        side = min(shortest, LARGEST_SIDE)
        yield images.names[place], resized(centre_crop(picture, shortest), side, side)
        found += 1
        if found == count:
            return
    _check_count(images, found, count)


def _check_count(images: ImageSet, found: int, needed: int) -> None:
    if found < needed:
        raise EvaluationError(
            f"{images.name} has {found} readable pictures and the quiz needs {needed} of each kind; "
            "use a larger collection, or fewer pictures with --each"
        )


def _identity(shown: Sequence[Shown], pictures: Sequence[Tensor]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for card, picture in zip(shown, pictures, strict=True):
        digest.update(f"{card.kind} {tuple(picture.shape)} ".encode() + picture.numpy().tobytes())
    return digest.hexdigest()


# Answers


def read_key(file: Path) -> Key:
    """Return the key of a quiz. Raises EvaluationError for a missing or damaged file."""
    return _read(file, Key, "the key of a quiz")


def read_answers(files: Sequence[Path], key: Key) -> list[Answers]:
    """Return each person's answers to the quiz of this key.

    Raises EvaluationError for a damaged file, for answers to another quiz, and for two files of one person.
    """
    by_name: dict[str, Path] = {}
    sheets = []
    for file in files:
        sheet = _read(file, Answers, "a file of answers")
        if sheet.quiz != key.quiz:
            raise EvaluationError(f"{file} answers another quiz ({sheet.quiz}, not {key.quiz}); pass that quiz's key")
        if len(sheet.answers) != len(key.pictures):
            raise EvaluationError(
                f"{file} is damaged: it has {len(sheet.answers)} answers to {len(key.pictures)} pictures; save it again"
            )
        if sheet.name in by_name:
            raise EvaluationError(
                f"{by_name[sheet.name]} and {file} are both by {sheet.name}; leave one out, or change the name in it"
            )
        by_name[sheet.name] = file
        sheets.append(sheet)
    return sheets


def score(answers: Answers, key: Key) -> Score:
    """Return the score of one person."""
    called = [shown.kind for shown, answer in zip(key.pictures, answers.answers, strict=True) if answer == "painted"]
    each = len(key.pictures) // 2
    return Score(answers.name, called.count("painted"), each, called.count("real"), each)


def pooled(scores: Sequence[Score]) -> Score:
    """Return the score of the answers of all people, at least one."""
    return Score("all", *(sum(counts) for counts in zip(*(score[1:] for score in scores), strict=True)))


def verdict(score: Score) -> str:
    """Return the meaning of a score in a sentence. Guessing is right half the time."""
    low, high = score.accuracy.interval
    if low > 0.5:
        return "Painted and real pictures can be distinguished: more answers are right than by guessing."
    if high < 0.5:
        return "Painted and real pictures are mistaken for each other: fewer answers are right than by guessing."
    return "The answers are no better than guessing: painted and real pictures cannot be distinguished."


def _read(file: Path, sheet: type[Sheet], what: str) -> Sheet:
    try:
        return sheet.model_validate_json(file.read_bytes())
    except OSError as error:
        raise EvaluationError(f"{file} cannot be read ({error.strerror}); check the path") from error
    except ValidationError as error:
        wrong = _printable(mistakes(error, sheet, whole=what)[0])
        raise EvaluationError(f"{file} is not {what}, or damaged ({wrong}); save it again or leave it out") from error
