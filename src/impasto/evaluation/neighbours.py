"""Nearest neighbours among features, and the metrics made from them: precision, recall, density and coverage.

Precision and recall: Kynkäänniemi et al., "Improved Precision and Recall Metric for Assessing Generative Models", 2019,
equation 2. Density and coverage: Naeem et al., "Reliable Fidelity and Diversity Metrics for Generative Models", 2020,
equations 3 and 5. See docs/methods/evaluation.md.

All distances are float64, computed in blocks from the expansion |x|² + |y|² - 2 x·y after the features are centred.
Distances below the rounding error of that expansion, about a millionth of the features' length, count as 0, so that
copies have distance 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from impasto.evaluation.rows import COLUMNS, ROWS, blocks, check_count, check_pair

BORDER = 1 + 1e-9
"""Factor of squared radii: a little above 1, so that a ball includes its border whatever the rounding."""


class Neighbours(NamedTuple):
    """The nearest references of each query, sorted by distance."""

    distances: Tensor
    """[N, k] float64."""
    indices: Tensor
    """[N, k] int64, rows of the references."""


class Prdc(NamedTuple):
    """Shares from 0 to 1; density may exceed 1."""

    precision: float
    recall: float
    density: float
    coverage: float


def nearest(
    queries: Tensor, references: Tensor, k: int, measure: Literal["euclidean", "cosine"] = "euclidean"
) -> Neighbours:
    """Return the k nearest of the references [M, d] to each of the queries [N, d], in blocks.

    The cosine distance is 1 - |cos|, from 0 to 1, as in MiFID. A row whose sum is 0 has distance 1 to all.
    Raises EvaluationError for fewer than k references, unequal dimensions, NaN or infinity.
    """
    check_pair(queries, references)
    check_count(len(references), k)
    if measure == "cosine":
        return _smallest(queries, references, k, _Measure(_unit, _cosine))
    squared, indices = _smallest(queries, references, k, _euclidean(references))
    return Neighbours(squared.sqrt(), indices)


def prdc(real: Tensor, generated: Tensor, k: int = 3, density_k: int = 5) -> Prdc:
    """Return precision and recall from balls to the k-th neighbour, density and coverage from the `density_k`-th.

    Each point of features [N, d] or [M, d] is the centre of a ball that reaches to that neighbour in its own set. The
    border is included, and a point is not its own neighbour. Raises EvaluationError for sets of k images or fewer,
    unequal dimensions, NaN or infinity.
    """
    check_pair(real, generated, at_least=max(k, density_k) + 1)
    measure = _euclidean(real)
    real_radii = _radii(real, max(k, density_k), measure)
    generated_radii = _radii(generated, k, measure)[:, -1:]
    precise = torch.zeros(len(generated), dtype=torch.bool, device=real.device)
    recalled, covered = (torch.zeros(len(real), dtype=torch.bool, device=real.device) for _ in range(2))
    inside = 0
    for rows in blocks(len(generated), ROWS):
        fakes = measure.prepare(generated[rows])
        for columns in blocks(len(real), COLUMNS):
            squared = measure.between(fakes, measure.prepare(real[columns]))
            dense = squared <= real_radii[columns, density_k - 1]
            inside += int(dense.sum())
            covered[columns] |= dense.any(dim=0)
            precise[rows] |= (squared <= real_radii[columns, k - 1]).any(dim=1)
            recalled[columns] |= (squared <= generated_radii[rows]).any(dim=0)
    density = inside / (density_k * len(generated))
    return Prdc(_share(precise), _share(recalled), density, _share(covered))


def _share(flags: Tensor) -> float:
    return float(flags.double().mean())


class _Measure(NamedTuple):
    """A distance in two steps: the preparation of each row, and the comparison of two blocks of rows."""

    prepare: Callable[[Tensor], Tensor]
    """[n, d] of any precision to float64."""
    between: Callable[[Tensor, Tensor], Tensor]
    """[n, d] and [m, d] to [n, m]."""


def _smallest(queries: Tensor, references: Tensor, k: int, measure: _Measure) -> Neighbours:
    """Return the k smallest distances of each query."""
    found = [
        _smallest_of_block(measure.prepare(queries[rows]), references, k, measure)
        for rows in blocks(len(queries), ROWS)
    ]
    return Neighbours(torch.cat([part.distances for part in found]), torch.cat([part.indices for part in found]))


def _smallest_of_block(block: Tensor, references: Tensor, k: int, measure: _Measure) -> Neighbours:
    best = block.new_empty(len(block), 0)
    places = best.long()
    for columns in blocks(len(references), COLUMNS):
        distances = measure.between(block, measure.prepare(references[columns]))
        near, where = distances.topk(min(k, distances.shape[1]), largest=False)
        best, kept = torch.cat([best, near], dim=1).sort(dim=1, stable=True)
        places = torch.cat([places, where + columns.start], dim=1).gather(1, kept)[:, :k]
        best = best[:, :k]
    return Neighbours(best, places)


def _radii(points: Tensor, k: int, measure: _Measure) -> Tensor:
    """Return the squared distances of each point to its k nearest in the same set, [N, k]. Each pair is used once."""
    radii = torch.full((len(points), k), torch.inf, dtype=torch.float64, device=points.device)
    for rows in blocks(len(points), ROWS):
        block = measure.prepare(points[rows])
        _keep_smallest(radii[rows], measure.between(block, block).fill_diagonal_(torch.inf))
        later, later_radii = points[rows.stop :], radii[rows.stop :]
        for columns in blocks(len(later), COLUMNS):
            distances = measure.between(block, measure.prepare(later[columns]))
            _keep_smallest(radii[rows], distances)
            _keep_smallest(later_radii[columns], distances.mT)
    return radii * BORDER


def _keep_smallest(kept: Tensor, distances: Tensor) -> None:
    """Update the k smallest distances [n, k] with other distances [n, m], sorted."""
    k = kept.shape[1]
    near = distances.topk(min(k, distances.shape[1]), largest=False).values
    kept.copy_(torch.cat([kept, near], dim=1).topk(k, largest=False).values)


def _euclidean(points: Tensor) -> _Measure:
    """Return squared distances with the origin at the mean of these points, for less rounding in the expansion."""
    centre = points[:ROWS].double().mean(dim=0)
    return _Measure(lambda rows: rows.double() - centre, _squared)


def _squared(x: Tensor, y: Tensor) -> Tensor:
    """Return squared Euclidean distances, [n, m]. The module says which count as 0."""
    lengths = x.square().sum(dim=1)[:, None] + y.square().sum(dim=1)
    distances = torch.addmm(lengths, x, y.mT, alpha=-2)
    rounding = lengths.mul_(x.shape[1] * torch.finfo(torch.float64).eps)
    return distances.masked_fill_(distances <= rounding, 0)


def _unit(rows: Tensor) -> Tensor:
    """Return rows of length 1 in float64; zeros for rows whose sum is 0."""
    rows = rows.double()
    counted = rows.sum(dim=1, keepdim=True) != 0
    return torch.where(counted, rows / rows.norm(dim=1, keepdim=True).clamp(min=torch.finfo(torch.float64).tiny), 0)


def _cosine(x: Tensor, y: Tensor) -> Tensor:
    return (1 - (x @ y.mT).abs_()).clamp_(min=0)
