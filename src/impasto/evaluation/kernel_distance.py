"""The kernel distance between two sets of features: KID where the features are Inception's.

Bińkowski, Sutherland, Arbel and Gretton, "Demystifying MMD GANs", 2018, section 4. The unbiased estimate of
the squared maximum mean discrepancy under the kernel k(x, y) = (x·y / d + 1)³, which may come out negative.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from impasto import chance
from impasto.evaluation.rows import COLUMNS, blocks, check_pair

ROWS = 256
"""Few, so that of the pairs within a set, which are symmetric, hardly more than half are computed."""


class KernelDistance(NamedTuple):
    """Mean and population standard deviation over subsets."""

    mean: float
    std: float
    subsets: int
    size: int
    """Images of either side in a subset."""


def kernel_distance(
    first: Tensor, second: Tensor, subsets: int = 100, size: int = 1000, seed: int = 0
) -> KernelDistance:
    """Return the kernel distance over random subsets of features [N, d] and [M, d].

    Subsets have `size` rows, or as many as the smaller side, and are drawn without replacement.
    Raises EvaluationError for fewer than 2 images, other dimensions, NaN or infinity.
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
    """Return the unbiased estimate from all pairs of features [N, d] and [M, d], in blocks.

    Raises EvaluationError as `kernel_distance` does.
    """
    check_pair(first, second, at_least=2)
    return _unbiased(first, second)


def _unbiased(x: Tensor, y: Tensor) -> float:
    within = sum(_sum_within(rows) / (len(rows) * (len(rows) - 1)) for rows in (x, y))
    between = sum(_sum_between(x[block], y) for block in blocks(len(x), ROWS)) / (len(x) * len(y))
    return within - 2 * between


def _sum_within(rows: Tensor) -> float:
    """Return the sum of k over ordered pairs of different rows, computing each pair about once."""
    total = 0.0
    for block in blocks(len(rows), ROWS):
        own = _kernel(rows[block], rows[block]).fill_diagonal_(0)
        total += float(own.sum(dtype=torch.float64)) + 2 * _sum_between(rows[block], rows[block.stop :])
    return total


def _sum_between(x: Tensor, y: Tensor) -> float:
    return sum(float(_kernel(x, y[block]).sum(dtype=torch.float64)) for block in blocks(len(y), COLUMNS))


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    """Return k of all pairs, [n, m].

    In the features' precision, for float32 takes half the time: its rounding, averaged in float64 over a million pairs,
    changes the estimate by less than a millionth of the kernel.
    """
    base = (x @ y.mT).div_(x.shape[1]).add_(1)
    return base.square().mul_(base)
