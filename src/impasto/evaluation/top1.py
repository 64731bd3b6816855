"""Top-1: the share of generated images in which a classifier sees the requested class.

Datta and Cai, "GANtor Arts Center"; docs/methods/evaluation.md, Top-1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import torch
from torch import Tensor

from impasto.errors import EvaluationError, did_you_mean
from impasto.evaluation.record import Interval


class Share(NamedTuple):
    """A share of hits with its Wilson interval."""

    value: float
    interval: Interval
    hits: int
    of: int


@dataclass(frozen=True)
class Top1:
    """How often the predicted class is the requested class."""

    overall: Share
    by_class: Mapping[str, Share]
    """For each requested class."""
    confusion: Tensor
    """[K, K] int64: requested classes in rows, predicted ones in columns, in the classifier's order."""
    chance: float
    """1 / K, the share of a random guess."""


def wilson(hits: int, of: int, confidence: float = 0.95) -> Interval:
    """Return the score interval of a share of `hits`; it stays within 0..1 and has width even for none or all.

    Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927.
    """
    if not 0 <= hits <= of or of == 0:
        raise ValueError(f"{hits} hits of {of} are no share")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = hits / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    low = 0.0 if hits == 0 else middle - half  # what rounding would miss by 1e-17
    high = 1.0 if hits == of else middle + half
    return Interval(low, high)


def top1(seen: Sequence[str], wanted: Sequence[str], classes: Sequence[str]) -> Top1:
    """Return the share of images in which the classifier has `seen` the class that was `wanted`.

    Classes go by name, one seen and one wanted for each image, since a collection may number its classes in another
    order than the classifier its K `classes`.
    Raises EvaluationError where there is no image, or names that the classifier does not know.
    """
    if not wanted:
        raise EvaluationError("there are no images to classify; top-1 needs at least one")
    check_classes(wanted, classes)
    places = {name: place for place, name in enumerate(classes)}
    pairs = [places[want] * len(classes) + places[saw] for want, saw in zip(wanted, seen, strict=True)]
    confusion = torch.bincount(torch.tensor(pairs), minlength=len(classes) ** 2).reshape(len(classes), -1)
    hits, of = confusion.diagonal().tolist(), confusion.sum(dim=1).tolist()
    by_class = {name: _share(hits[place], of[place]) for name, place in places.items() if of[place]}
    return Top1(_share(sum(hits), sum(of)), by_class, confusion, 1 / len(classes))


def check_classes(wanted: Sequence[str], classes: Sequence[str]) -> None:
    """Raise EvaluationError, naming them, where classes of a collection are unknown to the classifier."""
    if unknown := sorted(set(wanted) - set(classes)):
        raise EvaluationError(
            f"the classifier does not know {', '.join(unknown)}{did_you_mean(unknown[0], classes)}; "
            "rename the classes or choose the classifier that was trained on them"
        )


def _share(hits: int, of: int) -> Share:
    return Share(hits / of, wilson(hits, of), hits, of)
