"""MiFID as Kaggle scored it: FID with a penalty if generated pictures are too close to the training pictures.

Bai, Lin, Raffel and Kan, "On Training Sample Memorization: Lessons from Benchmarking Generative Modeling with a
Large-scale Competition", 2021; the constants and the direction follow the organisers' released code
(docs/methods/evaluation.md, MiFID).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from impasto.errors import EvaluationError
from impasto.evaluation.frechet import Moments, frechet_distance
from impasto.evaluation.neighbours import nearest

EPS = 0.1
"""No penalty from this mean distance on: the value of the public leaderboard, with the Inception of 2015."""
TINY = 1e-14
"""The demo notebook's; the released code adds 1e-15, which matters only where the distance is 0."""


class MiFID(NamedTuple):
    """MiFID and its parts. MiFID jumps from ten times FID to FID where the distance reaches 0.1."""

    fid: float
    distance: float
    """Mean over generated images of the distance to the nearest reference."""
    thresholded: float
    """The distance, or 1 from the threshold on."""
    value: float


def memorisation_distances(generated: Tensor, reference: Tensor) -> Tensor:
    """Return 1 - |cos| of each generated row to the nearest of the reference, [n] float64, from 0 to 1, in blocks.

    Features are [N, d] and [M, d]. Rows whose sum is 0 are left out on both sides, so that n may be below N.
    Raises EvaluationError where no row is left, for other dimensions, NaN or infinity.
    """
    distances = nearest(generated, reference, 1, "cosine").distances[:, 0]
    if not _counted(reference).any():
        raise EvaluationError(
            "all features of the reference are 0; look at its pictures and at the extractor's weights"
        )
    counted = _counted(generated)
    if not counted.any():
        raise EvaluationError("all features of the generated images are 0; look at them and at the extractor's weights")
    return distances[counted]


def mifid(fid: float, distances: Tensor, eps: float = EPS) -> MiFID:
    """Return FID divided by the mean of the memorisation distances [n] where that is below `eps`, else FID."""
    distance = float(distances.double().mean())
    thresholded = distance if distance < eps else 1.0
    return MiFID(fid, distance, thresholded, fid / (thresholded + TINY))


def mifid_of(
    generated: Tensor, fid_reference: Tensor, memorisation_reference: Tensor | None = None, eps: float = EPS
) -> MiFID:
    """Return MiFID of features [N, d] with two references [M, d]; without the second, one serves for both.

    For the Monet contest, FID is taken to paintings held out, and memorisation to the 300 learned from.
    Raises EvaluationError as `frechet_distance` and `memorisation_distances` do.
    """
    fid = frechet_distance(Moments.of(generated), Moments.of(fid_reference)).value
    reference = fid_reference if memorisation_reference is None else memorisation_reference
    return mifid(fid, memorisation_distances(generated, reference), eps)


def _counted(rows: Tensor) -> Tensor:
    return rows.sum(dim=1, dtype=torch.float64) != 0
