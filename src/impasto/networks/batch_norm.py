"""Batch norm: convolutions that are followed by it, and what it asks of a batch."""

from __future__ import annotations

from torch import Tensor, nn

from impasto.errors import RecipeError

SLOPE = 0.2
"""Of leaky ReLUs (Radford et al. 2016, arXiv:1511.06434, section 3)."""


def normed(convolution: nn.Conv2d, slope: float = SLOPE) -> list[nn.Module]:
    """Return the convolution, its batch norm and a leaky ReLU, which is a plain one where the slope is 0."""
    return [convolution, nn.BatchNorm2d(convolution.out_channels), nn.LeakyReLU(slope, inplace=True)]


def need_two_images(images: Tensor) -> None:
    """Raise RecipeError where a batch is a single image, of which a norm over one pixel would leave nothing."""
    if len(images) == 1:
        raise RecipeError("recipe", ["training.batch_size: batch norm needs at least 2 images on each device"])
