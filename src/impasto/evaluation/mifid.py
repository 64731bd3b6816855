"""MiFID as Kaggle computed it: FID with a penalty if generated pictures are too close to training pictures.

Bai, Lin, Raffel and Kan, "On Training Sample Memorization: Lessons from Benchmarking Generative Modeling with a
Large-scale Competition", 2021 (arXiv:2106.03062). The constants and the direction follow the organisers' released code
(docs/methods/evaluation.md).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from impasto.errors import EvaluationError
from impasto.evaluation.frechet import Moments, frechet_distance
from impasto.evaluation.neighbours import nearest

EPS = 0.1
"""Mean distance from which there is no penalty. The public leaderboard's value, for the Inception of 2015."""
TINY = 1e-14
"""Constant of the demo notebook. The released code adds 1e-15; this matters only for a distance of 0."""


class MiFID(NamedTuple):
    """MiFID and its parts. At a distance of 0.1, MiFID jumps from ten times FID to FID."""

    fid: float
    distance: float
    """Mean over generated images of the distance to the nearest reference image."""
    thresholded: float
    """The distance, or 1 if it is not below the threshold."""
    value: float


def memorisation_distances(generated: Tensor, reference: Tensor) -> Tensor:
    """Return 1 - |cos| of each generated row to its nearest reference row, float64 [n] in 0..1.

    Features are [N, d] and [M, d]. Rows with a sum of 0 are left out on both sides, so n may be below N.

    Raises EvaluationError if no row is left, for different dimensions, and for NaN or infinity.
    """
    distances = nearest(generated, reference, 1, "cosine").distances[:, 0]
    if not _counted(reference).any():
        raise EvaluationError("all features of the reference are 0; check its pictures and the extractor's weights")
    counted = _counted(generated)
    if not counted.any():
        raise EvaluationError("all features of the generated images are 0; check them and the extractor's weights")
    return distances[counted]


def mifid(fid: float, distances: Tensor, eps: float = EPS) -> MiFID:
    """Return FID divided by the mean memorisation distance [n] if that mean is below `eps`, else FID."""
    distance = float(distances.double().mean())
    thresholded = distance if distance < eps else 1.0
    return MiFID(fid, distance, thresholded, fid / (thresholded + TINY))


def mifid_of(
    generated: Tensor, fid_reference: Tensor, memorisation_reference: Tensor | None = None, eps: float = EPS
) -> MiFID:
    """Return MiFID of features [N, d] from two references [M, d], for FID and for memorisation (default: the same).

    In the Monet contest, FID compares with held-out paintings, and memorisation with the 300 training paintings.

    Raises EvaluationError as `frechet_distance` and `memorisation_distances` do.
    """
    fid = frechet_distance(Moments.of(generated), Moments.of(fid_reference)).value
    reference = fid_reference if memorisation_reference is None else memorisation_reference
    return mifid(fid, memorisation_distances(generated, reference), eps)


def _counted(rows: Tensor) -> Tensor:
    return rows.sum(dim=1, dtype=torch.float64) != 0
