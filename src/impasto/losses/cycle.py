"""Losses between an image and its reconstruction."""

from __future__ import annotations

from torch import Tensor


def mean_absolute(images: Tensor, references: Tensor) -> Tensor:
    """Return the mean absolute difference of images [N, C, H, W] in float32: the L1 of cycle and identity terms.

    Zhu et al. 2017 (arXiv:1703.10593), equation 2 and section 5.2.
    """
    return (images.float() - references.float()).abs().mean()
