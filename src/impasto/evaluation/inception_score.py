"""The Inception Score: Salimans et al., "Improved Techniques for Training GANs", 2016, section 4."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from impasto import chance
from impasto.errors import EvaluationError
from impasto.evaluation.rows import check_rows

SUM_TOLERANCE = 1e-2
"""Largest deviation from 1 of the sum of a row. Rows of a softmax in bfloat16 stay within it."""


class InceptionScore(NamedTuple):
    """Mean and population standard deviation over splits."""

    mean: float
    std: float


def inception_score(probabilities: Tensor, splits: int = 10, shuffle_seed: int | None = None) -> InceptionScore:
    """Return exp(E KL(p(y|x) || p(y))) of class probabilities [N, K]: a value in 1..K, higher is better.

    Splits are contiguous and hold floor(N / splits) rows each. Remaining rows are not used. A `shuffle_seed` shuffles
    the rows first. See docs/methods/evaluation.md.

    Raises EvaluationError for fewer rows than splits, and for rows that are not probabilities.
    """
    check_rows(probabilities)
    if len(probabilities) < splits:
        raise EvaluationError(f"{len(probabilities)} images cannot be split in {splits}; use at least {splits} images")
    _check_sums(probabilities)
    if shuffle_seed is not None:
        order = torch.randperm(len(probabilities), generator=chance.generator("inception score", shuffle_seed))
        probabilities = probabilities[order.to(probabilities.device)]
    size = len(probabilities) // splits
    scores = torch.stack([_score(probabilities[k * size : (k + 1) * size].double()) for k in range(splits)])
    return InceptionScore(float(scores.mean()), float(scores.std(correction=0)))


def _score(conditional: Tensor) -> Tensor:
    """Return exp of the mean KL divergence of the rows from their mean. xlogy returns 0 for 0 log 0."""
    marginal = conditional.mean(dim=0)
    divergence = torch.xlogy(conditional, conditional) - torch.xlogy(conditional, marginal)
    return divergence.sum(dim=1).mean().exp()


def _check_sums(probabilities: Tensor) -> None:
    sums = probabilities.sum(dim=1, dtype=torch.float64)
    wrong = ((sums - 1).abs() > SUM_TOLERANCE) | (probabilities < 0).any(dim=1)
    if wrong.any():
        row = int(wrong.nonzero()[0])
        raise EvaluationError(
            f"row {row} of the class probabilities (the first is 0) is negative or sums to {float(sums[row]):.4g}, "
            "not to 1; apply softmax to the classifier's output"
        )
