"""Every error impasto raises on purpose.

ImpastoError              an error that the user can fix: one clear sentence, exit code 2
├── RecipeError           a recipe or an override is invalid; lists every mistake
├── DataError             a collection of pictures is missing, too small or inconsistent
│   └── PictureError      one picture cannot be read
├── PainterError          a painter does not exist, or its files are incomplete
├── RunError              a run folder cannot be used for this
│   └── CheckpointError   a checkpoint is damaged or does not match
├── OutputError           a file or folder cannot be written
├── EvaluationError       a metric cannot be computed, or would mean nothing
└── TrainingDivergedError a loss became NaN or infinite
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

MOST_NAMED = 40
"""Maximum number of known words in a message."""


class ImpastoError(Exception):
    """An error with a remedy. Its text is one sentence with the file or field and what to do."""


class RecipeError(ImpastoError):
    """A recipe with mistakes, each with its dotted path."""

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__("\n".join([f"{source}: {problem}" for problem in problems]))


class DataError(ImpastoError):
    """A collection of pictures is missing, too small or inconsistent."""


class PictureError(DataError):
    """One picture cannot be read."""


class PainterError(ImpastoError):
    """A painter does not exist, or its files are incomplete."""


class RunError(ImpastoError):
    """A run folder cannot be used for this."""


class CheckpointError(RunError):
    """A checkpoint is damaged or does not match."""


class OutputError(ImpastoError):
    """A file or folder cannot be written."""


class EvaluationError(ImpastoError):
    """A metric cannot be computed, or would mean nothing."""


class TrainingDivergedError(ImpastoError):
    """A loss became NaN or infinite."""


@contextmanager
def naming(place: str) -> Iterator[None]:
    """Prefix a PainterError or PictureError with the option, field or file that it is about."""
    try:
        yield
    except (PainterError, PictureError) as error:
        raise type(error)(f"{place}: {error}") from error


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean X?` for the nearest known word, or a list of the known words if none is near."""
    known = sorted(known)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]}?"
    if not known:
        return ""
    more = f" and {len(known) - MOST_NAMED} more" if len(known) > MOST_NAMED else ""
    return f"; there {'is' if len(known) == 1 else 'are'} {', '.join(known[:MOST_NAMED])}{more}"
