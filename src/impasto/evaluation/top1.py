"""Top-1: how often a classifier recognises the requested class in a generated image (docs/methods/evaluation.md)."""

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
    """How often the recognised class is the requested class."""

    overall: Share
    by_class: Mapping[str, Share]
    """Share of hits for each requested class."""
    confusion: Tensor
    """int64 [K, K]: requested class in rows, recognised class in columns, in the classifier's order."""
    chance: float
    """1 / K: the expected share of random guesses."""


def wilson(hits: int, of: int, confidence: float = 0.95) -> Interval:
    """Return the Wilson score interval of a share. It stays within 0..1, and has a width for no hits and all hits too.

    Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927.

    Raises ValueError for an impossible share.
    """
    if not 0 <= hits <= of or of == 0:
        raise ValueError(f"{hits} hits of {of} are not a share")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = hits / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    low = 0.0 if hits == 0 else middle - half  # exact, in spite of rounding
    high = 1.0 if hits == of else middle + half
    return Interval(low, high)


def top1(recognised: Sequence[str], requested: Sequence[str], classes: Sequence[str]) -> Top1:
    """Return the share of images for which the `recognised` class is the `requested` class.

    Both hold one class name for each image. Names are compared, because a collection may list its classes in another
    order than the classifier lists its K `classes`.

    Raises EvaluationError if there are no images, or if the classifier does not know a class.
    """
    if not requested:
        raise EvaluationError("there are no images to classify; pass at least one")
    check_classes(requested, classes)
    places = {name: place for place, name in enumerate(classes)}
    pairs = [places[row] * len(classes) + places[column] for row, column in zip(requested, recognised, strict=True)]
    confusion = torch.bincount(torch.tensor(pairs), minlength=len(classes) ** 2).reshape(len(classes), -1)
    hits, of = confusion.diagonal().tolist(), confusion.sum(dim=1).tolist()
    by_class = {name: _share(hits[place], of[place]) for name, place in places.items() if of[place]}
    return Top1(_share(sum(hits), sum(of)), by_class, confusion, 1 / len(classes))


def check_classes(requested: Sequence[str], classes: Sequence[str]) -> None:
    """Raise EvaluationError if the classifier does not know a requested class."""
    if unknown := sorted(set(requested) - set(classes)):
        raise EvaluationError(
            f"the classifier does not know {', '.join(unknown)}{did_you_mean(unknown[0], classes)}; "
            "rename the classes or use the classifier that was trained on them"
        )


def _share(hits: int, of: int) -> Share:
    return Share(hits / of, wilson(hits, of), hits, of)
