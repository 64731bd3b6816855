"""Losses on colours, blurred so far that brush strokes do not count."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

BLUR = 16
"""Side of the averaged squares, pixels: the width of a broad stroke."""


def tone_difference(painted: Tensor, photos: Tensor) -> Tensor:
    """Return the mean absolute difference of two batches of images that are averaged over overlapping squares.

    Images are [N, C, H, W] in [-1, 1], H and W at least BLUR. Differences finer than BLUR pixels cost nothing, so
    strokes are free as long as their colours mix to those of the photo.
    """
    return functional.avg_pool2d(painted.float() - photos.float(), BLUR, stride=BLUR // 2).abs().mean()
