"""Structural similarity (SSIM) of two pictures: Wang et al., "Image Quality Assessment", 2004.

See docs/methods/evaluation.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from impasto.errors import EvaluationError

WINDOW = 11
"""Side of the Gaussian window, in pixels: sigma 1.5, cut at 3.5 sigma."""
UNTOUCHED = 0.95
"""SSIM with its photo above which a translation is almost unchanged (docs/methods/unpaired-translation.md)."""

Pixels = NDArray[np.uint8]
"""[H, W, 3], 0..255."""


def ssim(first: Pixels, second: Pixels) -> float:
    """Return the SSIM of two pictures [H, W, 3], averaged over channels: -1..1, and 1 for equal pictures.

    Raises EvaluationError if sizes differ or a side is shorter than the window.
    """
    if first.shape != second.shape:
        (h1, w1), (h2, w2) = first.shape[:2], second.shape[:2]
        raise EvaluationError(
            f"pictures of {w1} x {h1} and {w2} x {h2} pixels cannot be compared by SSIM; resize both to one size"
        )
    if min(first.shape[:2]) < WINDOW:
        raise EvaluationError(
            f"a picture of {first.shape[1]} x {first.shape[0]} pixels is too small for SSIM; "
            f"use at least {WINDOW} x {WINDOW} pixels"
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
    """Return the share of translations with an SSIM to their photo above 0.95.

    Raises EvaluationError if there are none.
    """
    if not similarities:
        raise EvaluationError("there are no pairs of pictures to compare; pass at least one")
    return sum(value > UNTOUCHED for value in similarities) / len(similarities)
