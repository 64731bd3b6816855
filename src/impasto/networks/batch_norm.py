"""Batch norm: convolutions that are followed by it, and the batch size it needs."""

from __future__ import annotations

from torch import Tensor, nn

from impasto.errors import RecipeError

SLOPE = 0.2
"""Slope of leaky ReLUs (Radford et al. 2016, arXiv:1511.06434, section 3)."""


def normed(convolution: nn.Conv2d, slope: float = SLOPE) -> list[nn.Module]:
    """Return the convolution, its batch norm and a leaky ReLU. With slope 0 it is a plain ReLU."""
    return [convolution, nn.BatchNorm2d(convolution.out_channels), nn.LeakyReLU(slope, inplace=True)]


def need_two_images(images: Tensor) -> None:
    """Raise RecipeError for a batch of a single image: a norm over one pixel would leave only zeros."""
    if len(images) == 1:
        raise RecipeError("recipe", ["training.batch_size: batch norm needs at least 2 images on each device"])
