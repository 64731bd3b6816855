"""The Inception Score: Salimans et al., "Improved Techniques for Training GANs", 2016, section 4."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from impasto import chance
from impasto.errors import EvaluationError
from impasto.evaluation.rows import check_rows

SUM_TOLERANCE = 1e-2
"""Rows of a softmax in bfloat16 sum to one within this."""


class InceptionScore(NamedTuple):
    """Mean and population standard deviation over splits."""

    mean: float
    std: float


def inception_score(probabilities: Tensor, splits: int = 10, shuffle_seed: int | None = None) -> InceptionScore:
    """Return exp(E KL(p(y|x) || p(y))) of class probabilities [N, K], between 1 and K; higher is better.

    Splits are contiguous and hold floor(N / splits) rows each, in order or seeded shuffle; what is left over is not
    used. Raises EvaluationError for fewer rows than splits, or rows that are no probabilities.
    """
    check_rows(probabilities)
    if len(probabilities) < splits:
        raise EvaluationError(f"{len(probabilities)} images cannot be split in {splits}; give at least one for each")
    _check_sums(probabilities)
    if shuffle_seed is not None:
        order = torch.randperm(len(probabilities), generator=chance.generator("inception score", shuffle_seed))
        probabilities = probabilities[order.to(probabilities.device)]
    size = len(probabilities) // splits
    scores = torch.stack([_score(probabilities[k * size : (k + 1) * size].double()) for k in range(splits)])
    return InceptionScore(float(scores.mean()), float(scores.std(correction=0)))


def _score(conditional: Tensor) -> Tensor:
    """Return exp of the mean divergence of rows from their mean; xlogy counts 0 log 0 as 0."""
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
