"""Distances between the classes of a collection, and within each class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from impasto.chance import generator
from impasto.errors import EvaluationError
from impasto.evaluation.extraction import FeatureColumn, extract
from impasto.evaluation.extractors import Extractor
from impasto.evaluation.frechet import Moments, frechet_distance
from impasto.evaluation.images import Pictures
from impasto.evaluation.kernel_distance import kernel_distance_of_all
from impasto.evaluation.record import Features

FEWEST = 4
"""Fewest pictures of a class: two halves of two pictures, because a distance needs two on each side."""


@dataclass(frozen=True)
class Matrix:
    """Distances between K classes."""

    classes: tuple[str, ...]
    counts: tuple[int, ...]
    values: Tensor
    """[K, K] float64, symmetric. The diagonal holds the distance between two random halves of the class."""
    metric: Literal["kid", "fid"]
    about: Features
    warnings: tuple[str, ...]


def distance_matrix(
    pictures: Pictures,
    extractor: Extractor,
    metric: Literal["kid", "fid"] = "kid",
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Matrix:
    """Return the distances between all classes: KID, which is unbiased for classes of any size, or FID.

    Raises EvaluationError for fewer than two classes, and for a class with fewer than four pictures.
    """
    feature_column = FeatureColumn(extractor)
    extracted = extract(pictures, [feature_column], progress)
    features, labels = extracted.columns[feature_column.identity][:, : extractor.dimensions], extracted.labels
    names = tuple(sorted({label for label in labels if label is not None}))
    if len(names) < 2:
        raise EvaluationError(f"{pictures.name} has fewer than two classes; use --label to choose another label column")
    rows = {name: features[[place for place, label in enumerate(labels) if label == name]] for name in names}
    for name, mine in rows.items():
        if len(mine) < FEWEST:
            raise EvaluationError(f"{pictures.name}: class {name} has {len(mine)} pictures; use at least {FEWEST}")
    values = torch.zeros(len(names), len(names), dtype=torch.float64)
    for one, name in enumerate(names):
        values[one, one] = _distance(*_halves(rows[name], seed), metric)
        for two in range(one):
            values[one, two] = values[two, one] = _distance(rows[name], rows[names[two]], metric)
    counts = tuple(len(rows[name]) for name in names)
    warnings = list(extracted.warnings)
    if metric == "fid":
        warnings.append(f"fid is biased upwards with few images ({min(counts):,} to {max(counts):,} here); use kid")
    return Matrix(names, counts, values, metric, extractor.about, tuple(warnings))


def _distance(one: Tensor, two: Tensor, metric: Literal["kid", "fid"]) -> float:
    if metric == "kid":
        return kernel_distance_of_all(one, two)
    return frechet_distance(Moments.of(one), Moments.of(two)).value


def _halves(rows: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    order = torch.randperm(len(rows), generator=generator(seed, "halves"))
    return rows[order[: len(rows) // 2]], rows[order[len(rows) // 2 :]]
