"""Structural similarity of two pictures: Wang et al., "Image Quality Assessment", 2004."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from impasto.errors import EvaluationError

WINDOW = 11
"""Pixels of the Gaussian window's side: sigma 1.5, cut at 3.5 sigma."""
UNTOUCHED = 0.95
"""A painting with a higher similarity to its photo has hardly changed it: Dimitriu, table 3.12."""

Pixels = NDArray[np.uint8]
"""[H, W, 3], 0..255."""


def ssim(first: Pixels, second: Pixels) -> float:
    """Return the similarity of two pictures [H, W, 3], the mean over channels: 1 for equal ones, down to -1.

    Raises EvaluationError where sizes differ or a side is shorter than the window.
    """
    if first.shape != second.shape:
        (h1, w1), (h2, w2) = first.shape[:2], second.shape[:2]
        raise EvaluationError(
            f"pictures of {w1} x {h1} and {w2} x {h2} pixels cannot be compared by SSIM; bring them to one size"
        )
    if min(first.shape[:2]) < WINDOW:
        raise EvaluationError(
            f"a picture of {first.shape[1]} x {first.shape[0]} pixels is too small for SSIM; "
            f"its window needs {WINDOW} x {WINDOW}"
        )
    return float(
        structural_similarity(
            first,
            second,
            channel_axis=-1,
            data_range=255,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def left_untouched(similarities: Sequence[float]) -> float:
    """Return the share of translations whose SSIM with their photo is above 0.95.

    Raises EvaluationError where there are none.
    """
    if not similarities:
        raise EvaluationError("there are no pairs of pictures to compare; give at least one")
    return sum(value > UNTOUCHED for value in similarities) / len(similarities)
