"""The Fréchet distance between two sets of features. With Inception features it is FID.

Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium", 2017,
equation 6 (docs/methods/evaluation.md):

    |mu_a - mu_b|² + tr(S_a + S_b - 2 (S_a S_b)^½)

The trace of the root is the sum of the square roots of the eigenvalues of S_a S_b. For any factor S_a = F'F, these are
also the eigenvalues of the symmetric matrix F S_b F'. They take a tenth of the time of the root of a general matrix.
Fewer rows in F make the matrix smaller. F is the matrix of centred features if there are few, else the Cholesky factor.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from impasto.errors import EvaluationError
from impasto.evaluation.rows import COLUMNS, blocks, check_count, check_dimensions, check_rows

MOST_DISCARDED = 1e-3
"""Largest discarded share of the trace of both covariances. Rounding stays far below it."""

BLOCK = 256
"""Columns of the triangular product computed at a time."""


class Moments:
    """Count, mean and covariance of rows of features, updated as a stream.

    The rows themselves are kept until there are more rows than dimensions. Until then they need less memory than the
    covariance, which would be singular, and the distance is faster to compute from them.
    """

    def __init__(self) -> None:
        self.count = 0
        self._rows: list[Tensor] = []  # all rows so far; empty after `_fold`
        self._mean = torch.empty(0, dtype=torch.float64)
        self._scatter: Tensor | None = None  # sum of the outer products of deviations from the mean

    @classmethod
    def of(cls, features: Tensor) -> Moments:
        """Return the moments of features [N, d]; see `update`."""
        moments = cls()
        moments.update(features)
        return moments

    @classmethod
    def from_covariance(cls, mean: Tensor, covariance: Tensor, count: int) -> Moments:
        """Return moments from their mean [d] and covariance [d, d] with divisor count - 1.

        Raises EvaluationError if they are not finite or their shapes do not match.
        """
        if mean.ndim != 1 or covariance.shape != (len(mean), len(mean)):
            raise EvaluationError(
                f"a mean {list(mean.shape)} does not fit a covariance {list(covariance.shape)}; compute them again"
            )
        if not (mean.isfinite().all() and covariance.isfinite().all()):
            raise EvaluationError("a mean or covariance holds NaN or infinity; compute the statistics again")
        check_count(count, 2)
        moments = cls()
        moments.count, moments._mean = count, mean.double().clone()
        moments._scatter = covariance.double() * (count - 1)
        return moments

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Moments:
        """Return moments from the result of `tensors`. Raises EvaluationError if a tensor is missing."""
        if "rows" in tensors:
            return cls.of(tensors["rows"])
        if missing := sorted({"count", "mean", "covariance"} - set(tensors)):
            raise EvaluationError(f"saved statistics lack {', '.join(missing)}; compute them again")
        return cls.from_covariance(tensors["mean"], tensors["covariance"], int(tensors["count"]))

    def tensors(self) -> dict[str, Tensor]:
        """Return tensors for `from_tensors`: `rows` [N, d], or `count` [], `mean` [d] and `covariance` [d, d]."""
        if (rows := self.rows) is not None:
            return {"rows": rows}
        return {"count": torch.tensor(self.count), "mean": self.mean, "covariance": self.covariance}

    @property
    def dimensions(self) -> int:
        """Number of features d. 0 before the first row."""
        return self._rows[0].shape[1] if self._rows else len(self._mean)

    @property
    def rows(self) -> Tensor | None:
        """All rows so far, [N, d], or None if they are no longer kept."""
        return torch.cat(self._rows) if self._rows else None

    @property
    def mean(self) -> Tensor:
        """The mean, float64 [d]."""
        return self._mean if (rows := self.rows) is None else rows.double().mean(dim=0)

    @property
    def covariance(self) -> Tensor:
        """The covariance with divisor N - 1, float64 [d, d]."""
        scatter = self._scatter
        if scatter is None:
            centred = torch.cat(self._rows).double() - self.mean
            scatter = centred.mT @ centred
        return scatter / (self.count - 1)

    @property
    def rank_deficient(self) -> bool:
        """Whether there are too few rows for a covariance of full rank. The distance is then biased upwards."""
        return self.count <= self.dimensions

    def update(self, features: Tensor) -> None:
        """Add features [n, d]. Raises EvaluationError if they are not finite or have other dimensions than before."""
        check_rows(features, first=self.count)
        if self.count:
            check_dimensions(self.dimensions, features.shape[1])
        if self._scatter is None and self.count + len(features) <= features.shape[1]:
            self._rows.append(features.clone())  # the caller may reuse its tensor
            self.count += len(features)
        else:
            self._fold()
            self._add(features)

    def merge(self, other: Moments) -> None:
        """Add the rows of other moments."""
        if (rows := other.rows) is not None:
            self.update(rows)
        elif other._scatter is not None:
            if self.count:
                check_dimensions(self.dimensions, other.dimensions)
            self._fold()
            self._combine(other.count, other._mean, other._scatter)

    def _fold(self) -> None:
        """Replace the kept rows by their mean and scatter."""
        kept, self._rows = self._rows, []
        if kept:
            self.count = 0
            self._add(torch.cat(kept))

    def _add(self, features: Tensor) -> None:
        for block in blocks(len(features), COLUMNS):
            rows = features[block].double()
            mean = rows.mean(dim=0)
            deviations = rows - mean
            self._combine(len(rows), mean, deviations.mT @ deviations)

    def _combine(self, count: int, mean: Tensor, scatter: Tensor) -> None:
        """Add rows given by their moments. Deviations from the mean keep precision that sums of squares would lose.

        Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979.
        """
        if self._scatter is None:
            self.count, self._mean, self._scatter = count, mean.clone(), scatter.clone()
            return
        offset, total = mean - self._mean, self.count + count
        self._scatter.add_(scatter).addr_(offset, offset, alpha=self.count * count / total)
        self._mean.add_(offset, alpha=count / total)
        self.count = total


class Frechet(NamedTuple):
    """A Fréchet distance and its parts, in squared units of the features."""

    value: float
    mean_term: float
    covariance_term: float
    discarded: float
    """Sum of the negative values that rounding left under square roots. They count as 0."""
    rank_deficient: bool
    """Whether at least one side had no more images than dimensions."""


def frechet_distance(first: Moments, second: Moments) -> Frechet:
    """Return the Fréchet distance between two sets of features. It is symmetric, and 0 for equal moments.

    Raises EvaluationError for fewer than 2 images, for different dimensions, and for a covariance with negative
    eigenvalues beyond rounding.
    """
    check_count(min(first.count, second.count), 2)
    check_dimensions(first.dimensions, second.dimensions)
    one, other = (_Spread.of(moments) for moments in sorted((first, second), key=_by_rank))
    mean_term = float((one.mean - other.mean).square().sum())
    variance = one.trace + other.trace
    root, discarded = _trace_of_root(one, other)
    if discarded > MOST_DISCARDED * variance:
        raise EvaluationError(
            f"the covariances have negative eigenvalues, {discarded / variance:.2g} of their trace; "
            "the statistics are damaged: compute them again"
        )
    covariance_term = max(0.0, variance - 2 * root)  # rounding can make it negative
    value = mean_term + covariance_term
    return Frechet(value, mean_term, covariance_term, discarded, first.rank_deficient or second.rank_deficient)


class _Spread(NamedTuple):
    """Moments prepared for the distance. The covariance S is stored whole, or as F with S = F'F."""

    mean: Tensor
    factor: Tensor | None
    """[n, d]: the centred rows divided by √(n - 1). None if `covariance` is stored."""
    covariance: Tensor
    """[d, d]. Empty if `factor` is stored."""
    trace: float

    @classmethod
    def of(cls, moments: Moments) -> _Spread:
        if (rows := moments.rows) is None:
            covariance = moments.covariance
            return cls(moments.mean, None, covariance, float(covariance.trace()))
        factor = rows.to(torch.float64, copy=True)
        mean = factor.mean(dim=0)
        factor = factor.sub_(mean).div_(math.sqrt(moments.count - 1))
        return cls(mean, factor, mean.new_empty(0), float(factor.square().sum()))

    def around(self, factor: Tensor) -> Tensor:
        """Return F S F' [r, r] for F [r, d] of the other side."""
        if self.factor is None:
            return factor @ self.covariance @ factor.mT
        half = factor @ self.factor.mT
        return half @ half.mT


def _by_rank(moments: Moments) -> tuple[bool, int]:
    """Return a sort key that puts the smaller factor first: kept rows before a covariance, then fewer rows."""
    return moments.rows is None, moments.count


def _trace_of_root(fewer: _Spread, more: _Spread) -> tuple[float, float]:
    """Return tr (S_a S_b)^½ and the sum of the roots of negative eigenvalues. Sides are sorted `_by_rank`."""
    product, discarded = _product(fewer, more)
    eigenvalues = torch.linalg.eigvalsh(product)
    roots = eigenvalues.abs().sqrt()
    return float(roots[eigenvalues > 0].sum()), discarded + float(roots[eigenvalues < 0].sum())


def _product(fewer: _Spread, more: _Spread) -> tuple[Tensor, float]:
    """Return a symmetric matrix with the eigenvalues of S_a S_b, and the sum of the discarded eigenvalues.

    Only the lower half of the matrix is always filled.
    """
    if fewer.factor is not None:
        return more.around(fewer.factor), 0.0
    for one, other in ((fewer, more), (more, fewer)):
        lower, failed = torch.linalg.cholesky_ex(one.covariance)
        if not failed:
            return _lower_half(lower, other.covariance), 0.0
    factor, left_out = _eigen_factor(fewer.covariance)
    return more.around(factor), left_out


def _lower_half(lower: Tensor, covariance: Tensor) -> Tensor:
    """Return the lower half of L'S L [d, d]. Skips the zeros of L: a third of the work of two full products."""
    product = torch.zeros_like(covariance)
    for columns in blocks(len(covariance), BLOCK):
        rest = slice(columns.start, None)
        product[rest, columns] = lower[rest, rest].mT @ (covariance[rest, rest] @ lower[rest, columns])
    return product


def _eigen_factor(covariance: Tensor) -> tuple[Tensor, float]:
    """Return F [r, d] with covariance F'F, and the sum of the discarded negative eigenvalues (as a positive number)."""
    eigenvalues, vectors = torch.linalg.eigh(covariance)
    kept = eigenvalues > 0
    return (vectors[:, kept] * eigenvalues[kept].sqrt()).mT, float(-eigenvalues[~kept].sum())
