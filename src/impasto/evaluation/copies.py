"""Is it copying? For each generated picture its nearest training pictures, and which of them it repeats.

A picture counts as an exact copy where its pixels equal a training picture's, also mirrored; as a near copy where it
fits upon one as `pixel_likeness` says, or where its features are nearer than MiFID's limit (spec 07, MiFID, steps 2 to
4: d = 1 - |cos| < 0.1, each picture's own minimum).

What a distance means depends on the collection: foggy harbours are nearer to one another than portraits. So training
pictures are compared with one another the same way. Where more than one in fifty would fall under the limit of the
features, these features tell the collection's pictures badly apart, and their limit flags nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor
from torch.nn import functional as F

from impasto.chance import generator
from impasto.data.stream import decoded_ahead
from impasto.errors import EvaluationError
from impasto.evaluation.pixel_likeness import coarse_rmse, digest, likeness, thumbnail, views

NEAR_FEATURES = 0.1
"""Cosine distance below which MiFID speaks of memorising (spec 07: eps)."""
TELLING = 0.02
"""Largest share of training pictures that may be so near to one another for that limit to mean anything."""
LOOKED_AT = 8
"""Likely originals that are laid upon a generated picture pixel by pixel. In the measurement of `pixel_likeness`, the
original of a training crop was among them in 98 of 100 cases, and of a brightened one in 95."""
SAMPLED = 256
"""Training pictures that are compared with all others, for the distances between different training pictures."""
ROWS, COLUMNS = 256, 2048
"""Pictures compared at a time: some tens of MB, however large the sets."""
TOGETHER = 32
"""Pictures read or compared between two reports of progress."""

Progress = Callable[[int, int], None]
"""Told how many pictures were read or compared, of how many."""
Kind = Literal["exact", "near", "apart"]
T = TypeVar("T")


class Images(Protocol):
    """Pictures that can be looked at one by one, from several threads.

    Training pictures are best given whole, as they were before crops were cut from them.
    """

    @property
    def names(self) -> Sequence[str]:
        """One name for each picture."""

    def __len__(self) -> int:
        """Return how many there are."""

    def picture(self, place: int) -> Tensor:
        """Return one picture's pixels, uint8 [3, H, W]; raise PictureError where it cannot be read."""


class ExactCopy(NamedTuple):
    """The training picture whose pixels a generated one has."""

    reference: int
    mirrored: bool


class FeatureMatch(NamedTuple):
    """A training picture near in feature space."""

    reference: int
    distance: float
    """1 - |cosine|, 0..1."""


class PixelMatch(NamedTuple):
    """A training picture near in pixels, as it fits best (see `pixel_likeness`)."""

    reference: int
    rmse: float
    correlation: float
    mirrored: bool
    near: bool


@dataclass(frozen=True)
class Nearest:
    """One picture and its nearest training pictures, the nearest first."""

    picture: int
    exact: ExactCopy | None
    by_features: tuple[FeatureMatch, ...]
    """Empty where no features were given."""
    by_pixels: tuple[PixelMatch, ...]

    @property
    def near_in_pixels(self) -> bool:
        """Whether it is a near copy, or an exact one, by its pixels."""
        return self.exact is not None or any(match.near for match in self.by_pixels)

    @property
    def near_in_features(self) -> bool:
        """Whether MiFID's limit would call it a copy."""
        return bool(self.by_features) and self.by_features[0].distance < NEAR_FEATURES


@dataclass(frozen=True)
class Baseline:
    """How near training pictures are to other training pictures."""

    sampled: int
    repeated: int
    """Of the sampled ones, those with an exact or near copy (by pixels) among the others; the rest are different."""
    pixels: tuple[float, ...]
    """RMSE from each different picture to its nearest other one, levels of 255."""
    features: tuple[float, ...]
    """Cosine distance likewise; empty where no features were given."""

    @cached_property
    def features_tell(self) -> bool:
        """Whether MiFID's limit lies below the distances between different training pictures."""
        near = sum(distance < NEAR_FEATURES for distance in self.features)
        return bool(self.features) and near <= TELLING * len(self.features)


@dataclass(frozen=True)
class Copies:
    """What was found about all generated pictures, the most suspicious first."""

    nearest: tuple[Nearest, ...]
    references: int
    baseline: Baseline

    def kind(self, found: Nearest) -> Kind:
        """Say whether a picture is an exact copy, a near one, or keeps apart."""
        return _kind(found, self.baseline)

    @cached_property
    def counts(self) -> Mapping[Kind, int]:
        """How many pictures there are of each kind."""
        kinds = [self.kind(found) for found in self.nearest]
        return {"exact": kinds.count("exact"), "near": kinds.count("near"), "apart": kinds.count("apart")}

    def verdict(self) -> str:
        """Return the answer in one plain sentence."""
        total, exact, near = len(self.nearest), self.counts["exact"], self.counts["near"]
        among = f"among {_counted(total, 'generated picture')}"
        if not exact + near:
            return f"No copy of {_counted(self.references, 'training picture')} was found {among}."
        copies = [
            f"{count:,} {kind} cop{'y' if count == 1 else 'ies'}" for kind, count in _some(exact=exact, near=near)
        ]
        apart = self.counts["apart"]
        rest = f"; the other{f' {apart:,} keep' if apart > 1 else ' keeps'} apart" if apart else ""
        return f"{' and '.join(copies)} of training pictures {among}{rest}."

    def to_json(self, generated: Sequence[str], references: Sequence[str]) -> dict[str, Any]:
        """Return plain values: the counts, the baseline's medians, and each copy by name."""
        copied = [found for found in self.nearest if self.kind(found) != "apart"]
        return {
            "exact": self.counts["exact"],
            "near": self.counts["near"],
            "references": self.references,
            "baseline": {
                "sampled": self.baseline.sampled,
                "repeated": self.baseline.repeated,
                "pixels": median(self.baseline.pixels),
                "features": median(self.baseline.features),
            },
            "copies": [
                {
                    "picture": generated[found.picture],
                    "kind": self.kind(found),
                    "original": references[_original(found)],
                    "rmse": found.by_pixels[0].rmse,
                    "distance": found.by_features[0].distance if found.by_features else None,
                }
                for found in copied
            ],
        }


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
    Takes some 4 KB of memory for each picture and about 20 ms of one core.

    Raises EvaluationError where a set is empty or features do not fit, and what `picture` raises.
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
    return Copies(_most_suspicious_first(found, baseline), len(reference), baseline)


def median(values: Sequence[float]) -> float | None:
    """Return the middle value, None where there is none."""
    return float(torch.tensor(values, dtype=torch.float64).quantile(0.5)) if values else None


# The order and the words


def _kind(found: Nearest, baseline: Baseline) -> Kind:
    if found.exact is not None:
        return "exact"
    near = found.near_in_pixels or (found.near_in_features and baseline.features_tell)
    return "near" if near else "apart"


def _most_suspicious_first(found: Sequence[Nearest], baseline: Baseline) -> tuple[Nearest, ...]:
    """Sort by kind, then by the nearest distance in proportion to what is usual among training pictures."""
    usual_rmse, usual_distance = (median(usual) or 1.0 for usual in (baseline.pixels, baseline.features))

    def suspicion(one: Nearest) -> tuple[int, float, int]:
        rmse = one.by_pixels[0].rmse / usual_rmse
        distance = one.by_features[0].distance / usual_distance if one.by_features else torch.inf
        return ("exact", "near", "apart").index(_kind(one, baseline)), min(rmse, distance), one.picture

    return tuple(sorted(found, key=suspicion))


def _original(found: Nearest) -> int:
    """Return the training picture that a copy repeats."""
    if found.exact is not None:
        return found.exact.reference
    near = [match.reference for match in found.by_pixels if match.near]
    return near[0] if near else found.by_features[0].reference


def _some(**counts: int) -> list[tuple[str, int]]:
    return [(name, count) for name, count in counts.items() if count]


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


# The search


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
            f"there are {pictures:,} {what} pictures but features of {len(features):,}; compute the features anew"
        )
    for first in range(0, pictures, COLUMNS):
        if not features[first : first + COLUMNS].isfinite().all():
            raise EvaluationError(f"features of the {what} pictures are not finite; compute them anew, in fp32")


class _Report:
    """Counts what was done and tells the caller."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self.done, self.total, self.progress = 0, total, progress

    def add(self, count: int) -> None:
        self.done += count
        if self.progress is not None:
            self.progress(self.done, self.total)


class _Look(NamedTuple):
    """What is kept of one picture."""

    digest: bytes
    mirrored_digest: bytes
    thumbnail: Tensor


class _Gallery(NamedTuple):
    """What is kept of all pictures of a set."""

    looks: Sequence[_Look]
    views: Tensor
    """uint8 [N, VIEWS, 3, GRID, GRID]."""
    by_digest: Mapping[bytes, int]
    """The first picture with these pixels."""


def _read(images: Images, report: _Report) -> _Gallery:
    def look(place: int) -> tuple[_Look, Tensor]:
        picture = images.picture(place)
        small = thumbnail(picture)
        return _Look(digest(picture), digest(picture.flip(-1)), small), views(small)

    looks, seen = zip(*_in_threads(look, range(len(images)), report), strict=True)
    by_digest = {look.digest: place for place, look in reversed(list(enumerate(looks)))}
    return _Gallery(looks, torch.stack(seen), by_digest)


def _in_threads(work: Callable[[int], T], places: Iterable[int], report: _Report) -> Iterator[T]:
    """Yield what `work` returns for each place, in order."""
    todo = list(places)
    batches = [todo[first : first + TOGETHER] for first in range(0, len(todo), TOGETHER)]
    for results in decoded_ahead(work, lambda _, results: results, batches, workers=os.cpu_count() or 1):
        yield from results
        report.add(len(results))


def _compared(
    shown: _Gallery,
    places: Sequence[int],
    known: _Gallery,
    features: _Features | None,
    nearest: int,
    report: _Report,
) -> list[Nearest]:
    """Return the nearest known pictures of the shown ones at `places`; within one set, other ones than itself."""
    rows = torch.tensor(places, dtype=torch.int64)
    within = shown is known
    likely = _coarsely_nearest(shown.views[rows, 0], known.views, rows if within else None, LOOKED_AT)
    by_features = _nearest_by_features(features, rows, rows if within else None, nearest)

    def compare(row: int) -> Nearest:
        look = shown.looks[places[row]]
        exact = None if within else _exact(look, known.by_digest)
        others = dict.fromkeys(([exact.reference] if exact else []) + likely[row])
        return Nearest(places[row], exact, by_features[row], _by_pixels(look, known, others)[:nearest])

    return list(_in_threads(compare, range(len(places)), report))


def _exact(look: _Look, by_digest: Mapping[bytes, int]) -> ExactCopy | None:
    for found, mirrored in ((look.digest, False), (look.mirrored_digest, True)):
        if found in by_digest:
            return ExactCopy(by_digest[found], mirrored)
    return None


def _by_pixels(look: _Look, known: _Gallery, others: Iterable[int]) -> tuple[PixelMatch, ...]:
    """Return the other pictures by how far they are; the look's near copies before all that are none."""
    matches = []
    for other in others:
        found = likeness(look.thumbnail, known.looks[other].thumbnail)
        matches.append(PixelMatch(other, found.rmse, found.correlation, found.mirrored, found.near))
    return tuple(sorted(matches, key=lambda match: (not match.near, match.rmse, match.reference)))


def _coarsely_nearest(looks: Tensor, others: Tensor, own: Tensor | None, count: int) -> list[list[int]]:
    def distances(rows: slice, columns: slice) -> Tensor:
        return coarse_rmse(looks[rows], others[columns])

    return [[place for place, _ in row] for row in _nearest(distances, len(looks), len(others), own, count)]


def _nearest_by_features(
    features: _Features | None, places: Tensor, own: Tensor | None, count: int
) -> list[tuple[FeatureMatch, ...]]:
    if features is None:
        return [()] * len(places)

    def distances(rows: slice, columns: slice) -> Tensor:
        """Return 1 - |cos|; a row of zeros has no direction and is apart from all."""
        ours = F.normalize(features.generated[places[rows]].float(), dim=1)
        theirs = F.normalize(features.reference[columns].float(), dim=1)
        return (1 - (ours @ theirs.T).abs()).clamp_(min=0)

    found = _nearest(distances, len(places), len(features.reference), own, count)
    return [tuple(FeatureMatch(*match) for match in row) for row in found]


def _nearest(
    distances: Callable[[slice, slice], Tensor], rows: int, columns: int, own: Tensor | None, count: int
) -> list[list[tuple[int, float]]]:
    """Return for each row the `count` nearest columns with their distances, computed block by block.

    `own` [rows] names a column of each row that does not count.
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


# The baseline


def _sample(references: int) -> list[int]:
    """Return some training pictures, the same ones each time; none where there is nothing to compare one with."""
    if references < 2:
        return []
    order = torch.randperm(references, generator=generator("copies", references))
    return sorted(order[:SAMPLED].tolist())


def _baseline(among_themselves: Sequence[Nearest]) -> Baseline:
    different = [found for found in among_themselves if not found.near_in_pixels]
    return Baseline(
        sampled=len(among_themselves),
        repeated=len(among_themselves) - len(different),
        pixels=tuple(found.by_pixels[0].rmse for found in different),
        features=tuple(found.by_features[0].distance for found in different if found.by_features),
    )
