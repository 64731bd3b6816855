"""The search for copies: each generated picture is compared with all training pictures.

First coarsely, then the likeliest originals are placed over the picture (`evaluation/best_fit.py`). Features, where
there are any, are compared with all training pictures.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor
from torch.nn import functional as F

from impasto.chance import generator
from impasto.data.stream import decoded_ahead
from impasto.errors import EvaluationError
from impasto.evaluation.best_fit import best_fit, coarse_rmse, digest, thumbnail, views
from impasto.evaluation.copies import (
    Baseline,
    Copies,
    ExactCopy,
    FeatureMatch,
    Images,
    Nearest,
    PixelMatch,
    most_suspicious_first,
)

LIKELY = 8
"""Likely originals that are placed over a generated picture. In the measurement of `best_fit`, the original of a
training crop was among them in 98 of 100 cases, of a picture 10 % brighter in 97, and of one 30 % brighter in 57."""
SAMPLED = 256
"""Training pictures that are compared with all others, for the distances between different training pictures."""
ROWS, COLUMNS = 256, 2048
"""Pictures compared at a time: some tens of MB, however large the sets."""
TOGETHER = 32
"""Pictures read or compared between two reports of progress."""

Progress = Callable[[int, int], None]
"""Called with the number of pictures read or compared, and the number of all."""
T = TypeVar("T")


def find_copies(
    generated: Images,
    reference: Images,
    generated_features: Tensor | None = None,
    reference_features: Tensor | None = None,
    nearest: int = 3,
    progress: Progress | None = None,
) -> Copies:
    """Compare each generated picture with all training pictures; return the `nearest` of each and what it copies.

    Features are [N, d] and [M, d] of the same network, in the order of the pictures; without them only pixels count.
    Each picture takes about 4 KB of memory and 20 ms of one core.

    Raises EvaluationError for an empty set or features that do not fit, and PictureError for an unreadable picture.
    """
    features = _checked_features(generated, reference, generated_features, reference_features)
    sample = _sample(len(reference))
    report = _Report(2 * len(generated) + len(reference) + len(sample), progress)
    known = _read(reference, report)
    shown = _read(generated, report)
    found = _compared(shown, range(len(generated)), known, features, nearest, report)
    own = None if features is None else _Features(features.reference, features.reference)
    among_themselves = _compared(known, sample, known, own, 1, report)
    baseline = _baseline(among_themselves)
    return Copies(most_suspicious_first(found, baseline), len(reference), baseline)


class _Features(NamedTuple):
    generated: Tensor
    reference: Tensor


def _checked_features(
    generated: Images, reference: Images, generated_features: Tensor | None, reference_features: Tensor | None
) -> _Features | None:
    for images, what in ((generated, "generated"), (reference, "training")):
        if not len(images):
            raise EvaluationError(f"there are no {what} pictures to compare; check the path")
    if generated_features is None or reference_features is None:
        return None
    _check(generated_features, len(generated), "generated")
    _check(reference_features, len(reference), "training")
    ours, theirs = generated_features.shape[1], reference_features.shape[1]
    if ours != theirs:
        raise EvaluationError(
            f"features of {ours:,} and of {theirs:,} dimensions cannot be compared; compute both with one extractor"
        )
    return _Features(generated_features, reference_features)


def _check(features: Tensor, pictures: int, what: str) -> None:
    if len(features) != pictures:
        raise EvaluationError(
            f"there are {pictures:,} {what} pictures but features of {len(features):,}; compute the features again"
        )
    for first in range(0, pictures, COLUMNS):
        if not features[first : first + COLUMNS].isfinite().all():
            raise EvaluationError(f"features of the {what} pictures are not finite; compute them again, in fp32")


class _Report:
    """Counts what was done and tells the caller."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self.done, self.total, self.progress = 0, total, progress

    def add(self, count: int) -> None:
        self.done += count
        if self.progress is not None:
            self.progress(self.done, self.total)


class _Entry(NamedTuple):
    """What is kept of one picture."""

    digest: bytes
    mirrored_digest: bytes
    thumbnail: Tensor


class _Index(NamedTuple):
    """What is kept of all pictures of a set."""

    entries: Sequence[_Entry]
    views: Tensor
    """uint8 [N, VIEWS, 3, GRID, GRID]."""
    by_digest: Mapping[bytes, int]
    """The first picture with these pixels, by their digest."""


def _read(images: Images, report: _Report) -> _Index:
    def read(place: int) -> tuple[_Entry, Tensor]:
        picture = images.picture(place)
        small = thumbnail(picture)
        return _Entry(digest(picture), digest(picture.flip(-1)), small), views(small)

    entries, seen = zip(*_in_threads(read, range(len(images)), report), strict=True)
    by_digest = {entry.digest: place for place, entry in reversed(list(enumerate(entries)))}
    return _Index(entries, torch.stack(seen), by_digest)


def _in_threads(work: Callable[[int], T], places: Iterable[int], report: _Report) -> Iterator[T]:
    """Yield what `work` returns for each place, in order."""
    todo = list(places)
    batches = [todo[first : first + TOGETHER] for first in range(0, len(todo), TOGETHER)]
    for results in decoded_ahead(work, lambda _, results: results, batches, workers=os.cpu_count() or 1):
        yield from results
        report.add(len(results))


def _compared(
    shown: _Index,
    places: Sequence[int],
    known: _Index,
    features: _Features | None,
    nearest: int,
    report: _Report,
) -> list[Nearest]:
    """Return the nearest known pictures of the shown ones at `places`. Within one set, a picture is not its own."""
    rows = torch.tensor(places, dtype=torch.int64)
    within = shown is known
    likely = _coarsely_nearest(shown.views[rows, 0], known.views, rows if within else None, LIKELY)
    by_features = _nearest_by_features(features, rows, rows if within else None, nearest)

    def compare(row: int) -> Nearest:
        entry = shown.entries[places[row]]
        exact = None if within else _exact(entry, known.by_digest)
        others = dict.fromkeys(([exact.reference] if exact else []) + likely[row])
        return Nearest(places[row], exact, by_features[row], _by_pixels(entry, known, others)[:nearest])

    return list(_in_threads(compare, range(len(places)), report))


def _exact(entry: _Entry, by_digest: Mapping[bytes, int]) -> ExactCopy | None:
    for found, mirrored in ((entry.digest, False), (entry.mirrored_digest, True)):
        if found in by_digest:
            return ExactCopy(by_digest[found], mirrored)
    return None


def _by_pixels(entry: _Entry, known: _Index, others: Iterable[int]) -> tuple[PixelMatch, ...]:
    """Return the other pictures, near copies first, then by distance."""
    matches = [PixelMatch(other, best_fit(entry.thumbnail, known.entries[other].thumbnail)) for other in others]
    return tuple(sorted(matches, key=lambda match: (not match.near, match.fit.rmse, match.reference)))


def _coarsely_nearest(wholes: Tensor, others: Tensor, own: Tensor | None, count: int) -> list[list[int]]:
    def distances(rows: slice, columns: slice) -> Tensor:
        return coarse_rmse(wholes[rows], others[columns])

    return [[place for place, _ in row] for row in _nearest(distances, len(wholes), len(others), own, count)]


def _nearest_by_features(
    features: _Features | None, places: Tensor, own: Tensor | None, count: int
) -> list[tuple[FeatureMatch, ...]]:
    if features is None:
        return [()] * len(places)

    def distances(rows: slice, columns: slice) -> Tensor:
        """Return 1 - |cos|; a row of zeros has no direction and distance 1 from all."""
        ours = F.normalize(features.generated[places[rows]].float(), dim=1)
        theirs = F.normalize(features.reference[columns].float(), dim=1)
        return (1 - (ours @ theirs.T).abs()).clamp_(min=0)

    found = _nearest(distances, len(places), len(features.reference), own, count)
    return [tuple(FeatureMatch(*match) for match in row) for row in found]


def _nearest(
    distances: Callable[[slice, slice], Tensor], rows: int, columns: int, own: Tensor | None, count: int
) -> list[list[tuple[int, float]]]:
    """Return for each row the `count` nearest columns with their distances, computed block by block.

    `own` [rows] names a column of each row that is left out.
    """
    found = []
    for top in range(0, rows, ROWS):
        part = slice(top, min(top + ROWS, rows))
        nearest, places = torch.empty(part.stop - top, 0), torch.empty(part.stop - top, 0, dtype=torch.int64)
        for left in range(0, columns, COLUMNS):
            block = distances(part, slice(left, left + COLUMNS))
            numbers = torch.arange(left, left + block.shape[1]).expand(len(block), -1)
            if own is not None:
                block = block.masked_fill(numbers == own[part, None], torch.inf)
            nearest, places = torch.cat([nearest, block], 1), torch.cat([places, numbers], 1)
            nearest, order = nearest.topk(min(count, nearest.shape[1]), largest=False)
            places = places.gather(1, order)
        found += [
            [(place, distance) for place, distance in zip(*row, strict=True) if distance < torch.inf]
            for row in zip(places.tolist(), nearest.tolist(), strict=True)
        ]
    return found


def _sample(references: int) -> list[int]:
    """Return some training pictures, the same ones each time; none if there are fewer than two."""
    if references < 2:
        return []
    order = torch.randperm(references, generator=generator("copies", references))
    return sorted(order[:SAMPLED].tolist())


def _baseline(among_themselves: Sequence[Nearest]) -> Baseline:
    different = [found for found in among_themselves if not found.near_in_pixels]
    return Baseline(
        sampled=len(among_themselves),
        repeated=len(among_themselves) - len(different),
        pixels=tuple(found.by_pixels[0].fit.rmse for found in different),
        features=tuple(found.by_features[0].distance for found in different if found.by_features),
    )
