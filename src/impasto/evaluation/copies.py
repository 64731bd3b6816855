"""Does a painter copy? What was found about generated pictures: the nearest training pictures of each, and copies.

A picture is an exact copy if its pixels equal a training picture's, also mirrored. It is a near copy if it shows the
same picture as one (`evaluation/best_fit.py`), or if its features are nearer than MiFID's limit: a cosine distance
1 - |cos| below 0.1 (Bai et al., "On training sample memorization", 2021, arXiv:2106.03062; docs/methods/evaluation.md).

What a distance means depends on the collection: foggy harbours are nearer to one another than portraits. So training
pictures are compared with one another in the same way. If more than one in fifty of them is below the features' limit,
these features do not distinguish the collection's pictures, and their limit marks none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, Protocol

import torch
from torch import Tensor

from impasto.evaluation.best_fit import Fit

NEAR_FEATURES = 0.1
"""Cosine distance below which MiFID calls a picture memorised."""
TELLING = 0.02
"""Largest share of training pictures below that limit to one another for the limit to have a meaning."""

Kind = Literal["exact", "near", "none"]
"""Exact copy, near copy, or no copy."""


class Images(Protocol):
    """Pictures that can be read one by one, from several threads.

    Training pictures should be whole, as they were before crops were cut from them.
    """

    @property
    def names(self) -> Sequence[str]:
        """One name for each picture."""

    def __len__(self) -> int:
        """Return how many there are."""

    def picture(self, place: int) -> Tensor:
        """Return one picture's pixels, uint8 [3, H, W]; raise PictureError where it cannot be read."""


class ExactCopy(NamedTuple):
    """The training picture with the same pixels as a generated one."""

    reference: int
    mirrored: bool


class FeatureMatch(NamedTuple):
    """A training picture near in feature space."""

    reference: int
    distance: float
    """1 - |cosine|, 0..1."""


class PixelMatch(NamedTuple):
    """A training picture near in pixels, and how the generated one fits over it (see `best_fit`)."""

    reference: int
    fit: Fit

    @property
    def near(self) -> bool:
        """Whether both show the same picture."""
        return self.fit.same


@dataclass(frozen=True)
class Nearest:
    """One picture and its nearest training pictures, sorted from the nearest."""

    picture: int
    exact: ExactCopy | None
    by_features: tuple[FeatureMatch, ...]
    """Empty where no features were given."""
    by_pixels: tuple[PixelMatch, ...]

    @property
    def near_in_pixels(self) -> bool:
        """Whether it is a near or exact copy by its pixels."""
        return self.exact is not None or any(match.near for match in self.by_pixels)

    @property
    def near_in_features(self) -> bool:
        """Whether it is below MiFID's limit."""
        return bool(self.by_features) and self.by_features[0].distance < NEAR_FEATURES


@dataclass(frozen=True)
class Baseline:
    """How near training pictures are to other training pictures."""

    sampled: int
    repeated: int
    """How many sampled ones have an exact or near copy (by pixels) among the others; the rest are different."""
    pixels: tuple[float, ...]
    """RMSE from each different picture to its nearest other one, levels of 255."""
    features: tuple[float, ...]
    """Cosine distance from each different picture to its nearest other one; empty where no features were given."""

    @cached_property
    def features_tell(self) -> bool:
        """Whether MiFID's limit is below the distances between different training pictures."""
        near = sum(distance < NEAR_FEATURES for distance in self.features)
        return bool(self.features) and near <= TELLING * len(self.features)


@dataclass(frozen=True)
class Copies:
    """What was found about all generated pictures."""

    nearest: tuple[Nearest, ...]
    """Sorted from the most suspicious."""
    references: int
    """Number of training pictures."""
    baseline: Baseline

    def kind(self, found: Nearest) -> Kind:
        """Return whether a picture is an exact copy, a near copy, or none."""
        return _kind(found, self.baseline)

    @cached_property
    def counts(self) -> Mapping[Kind, int]:
        """How many pictures there are of each kind."""
        kinds = [self.kind(found) for found in self.nearest]
        return {"exact": kinds.count("exact"), "near": kinds.count("near"), "none": kinds.count("none")}

    def verdict(self) -> str:
        """Return the answer in one sentence."""
        total, exact, near = len(self.nearest), self.counts["exact"], self.counts["near"]
        among = f"among {_counted(total, 'generated picture')}"
        if not exact + near:
            return f"No copy of {_counted(self.references, 'training picture')} was found {among}."
        copies = [
            f"{count:,} {kind} cop{'y' if count == 1 else 'ies'}" for kind, count in _some(exact=exact, near=near)
        ]
        return f"{' and '.join(copies)} of training pictures {among}."

    def to_json(self, generated: Sequence[str], references: Sequence[str]) -> dict[str, Any]:
        """Return plain values: the counts, the baseline's medians, and each copy by name."""
        copied = [found for found in self.nearest if self.kind(found) != "none"]
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
                    "rmse": found.by_pixels[0].fit.rmse,
                    "distance": found.by_features[0].distance if found.by_features else None,
                }
                for found in copied
            ],
        }


def median(values: Sequence[float]) -> float | None:
    """Return the median; None where there are no values."""
    return float(torch.tensor(values, dtype=torch.float64).quantile(0.5)) if values else None


def _kind(found: Nearest, baseline: Baseline) -> Kind:
    if found.exact is not None:
        return "exact"
    near = found.near_in_pixels or (found.near_in_features and baseline.features_tell)
    return "near" if near else "none"


def most_suspicious_first(found: Sequence[Nearest], baseline: Baseline) -> tuple[Nearest, ...]:
    """Sort by kind, then by the nearest distance relative to the median among training pictures."""
    usual_rmse, usual_distance = (median(usual) or 1.0 for usual in (baseline.pixels, baseline.features))

    def suspicion(one: Nearest) -> tuple[int, float, int]:
        rmse = one.by_pixels[0].fit.rmse / usual_rmse
        distance = one.by_features[0].distance / usual_distance if one.by_features else torch.inf
        return ("exact", "near", "none").index(_kind(one, baseline)), min(rmse, distance), one.picture

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
