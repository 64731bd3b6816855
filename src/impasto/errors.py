"""Every error impasto raises on purpose.

ImpastoError              a mistake the user can mend: one clear sentence, exit code 2
├── RecipeError           a recipe or an override says something impossible; lists every mistake
├── DataError             a collection of pictures is missing, too small or in disorder
│   └── PictureError      one picture cannot be read
├── PainterError          no such painter, or its files are incomplete
├── RunError              a run folder cannot be used as asked
│   └── CheckpointError   a checkpoint is damaged or does not fit
├── OutputError           a file or folder cannot be written
├── EvaluationError       what was asked of the judge cannot be measured, or not so that it means anything
└── TrainingDivergedError a loss became NaN or infinite
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

MOST_NAMED = 40
"""Known words that a message lists."""


class ImpastoError(Exception):
    """A mistake with a remedy; its text is one sentence that names the file or field and what to do."""


class RecipeError(ImpastoError):
    """A recipe with mistakes, each told by its dotted path."""

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__("\n".join([f"{source}: {problem}" for problem in problems]))


class DataError(ImpastoError):
    """A collection of pictures is missing, too small or in disorder."""


class PictureError(DataError):
    """One picture cannot be read."""


class PainterError(ImpastoError):
    """No such painter, or its files are incomplete."""


class RunError(ImpastoError):
    """A run folder cannot be used as asked."""


class CheckpointError(RunError):
    """A checkpoint is damaged or does not fit."""


class OutputError(ImpastoError):
    """A file or folder cannot be written."""


class EvaluationError(ImpastoError):
    """What was asked of the judge cannot be measured, or not so that it means anything."""


class TrainingDivergedError(ImpastoError):
    """A loss became NaN or infinite."""


@contextmanager
def naming(place: str) -> Iterator[None]:
    """Let the sentence of a PainterError or PictureError begin with the option, field or file that it is about."""
    try:
        yield
    except (PainterError, PictureError) as error:
        raise type(error)(f"{place}: {error}") from error


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean X?` for the nearest known word, or a list of the known words when none is near."""
    known = sorted(known)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]}?"
    if not known:
        return ""
    more = f" and {len(known) - MOST_NAMED} more" if len(known) > MOST_NAMED else ""
    return f"; there {'is' if len(known) == 1 else 'are'} {', '.join(known[:MOST_NAMED])}{more}"
