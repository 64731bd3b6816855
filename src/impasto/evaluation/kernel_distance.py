"""The kernel distance between two sets of features. With Inception features it is KID.

Bińkowski, Sutherland, Arbel and Gretton, "Demystifying MMD GANs", 2018, section 4 (docs/methods/evaluation.md).
It is the unbiased estimate of the squared maximum mean discrepancy with the kernel k(x, y) = (x·y / d + 1)³. It can be
negative.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from impasto import chance
from impasto.evaluation.rows import COLUMNS, blocks, check_pair

ROWS = 256
"""Rows of a block. Pairs within a set are symmetric; small blocks compute hardly more than half of them."""


class KernelDistance(NamedTuple):
    """Mean and population standard deviation over subsets."""

    mean: float
    std: float
    subsets: int
    size: int
    """Images of each side in a subset."""


def kernel_distance(
    first: Tensor, second: Tensor, subsets: int = 100, size: int = 1000, seed: int = 0
) -> KernelDistance:
    """Return the kernel distance over random subsets of features [N, d] and [M, d].

    Subsets have `size` rows, or all rows of the smaller side if it has fewer. They are drawn without replacement.

    Raises EvaluationError for fewer than 2 images, different dimensions, NaN or infinity.
    """
    check_pair(first, second, at_least=2)
    size = min(size, len(first), len(second))
    draw = chance.generator("kernel distance", seed)
    values = torch.empty(subsets, dtype=torch.float64)
    for number in range(subsets):
        x, y = (rows[torch.randperm(len(rows), generator=draw)[:size].to(rows.device)] for rows in (first, second))
        values[number] = _unbiased(x, y)
    return KernelDistance(float(values.mean()), float(values.std(correction=0)), subsets, size)


def kernel_distance_of_all(first: Tensor, second: Tensor) -> float:
    """Return the unbiased estimate from all pairs of features [N, d] and [M, d]. Works in blocks.

    Raises EvaluationError as `kernel_distance` does.
    """
    check_pair(first, second, at_least=2)
    return _unbiased(first, second)


def _unbiased(x: Tensor, y: Tensor) -> float:
    within = sum(_sum_within(rows) / (len(rows) * (len(rows) - 1)) for rows in (x, y))
    between = sum(_sum_between(x[block], y) for block in blocks(len(x), ROWS)) / (len(x) * len(y))
    return within - 2 * between


def _sum_within(rows: Tensor) -> float:
    """Return the sum of k over ordered pairs of different rows. Computes each pair about once."""
    total = 0.0
    for block in blocks(len(rows), ROWS):
        own = _kernel(rows[block], rows[block]).fill_diagonal_(0)
        total += float(own.sum(dtype=torch.float64)) + 2 * _sum_between(rows[block], rows[block.stop :])
    return total


def _sum_between(x: Tensor, y: Tensor) -> float:
    return sum(float(_kernel(x, y[block]).sum(dtype=torch.float64)) for block in blocks(len(y), COLUMNS))


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    """Return k of all pairs, [n, m].

    Works in the precision of the features, because float32 takes half the time. Its rounding, averaged in float64 over
    a million pairs, changes the estimate by less than a millionth of the kernel.
    """
    base = (x @ y.mT).div_(x.shape[1]).add_(1)
    return base.square().mul_(base)
