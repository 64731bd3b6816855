"""Losses on tones and colours, blurred so far that brush strokes do not count."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

BLUR = 16
"""Side of the squares that are averaged, pixels: a broad stroke's width."""


def tone_difference(painted: Tensor, photos: Tensor) -> Tensor:
    """Return the mean absolute difference of two batches of images, averaged over overlapping squares of BLUR pixels.

    [N, C, H, W] in [-1, 1], H and W at least BLUR. What is finer than the squares costs nothing: strokes may lie as
    they like if their colours mix to the photo's, as Chevreul told the impressionists.
    """
    return functional.avg_pool2d(painted.float() - photos.float(), BLUR, stride=BLUR // 2).abs().mean()
