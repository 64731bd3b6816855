"""Losses between the output of an autoencoder and its input."""

from __future__ import annotations

from torch import Tensor


def half_squared_error(images: Tensor, references: Tensor) -> Tensor:
    """Return half the mean squared difference of images [N, C, H, W], over pixels, in float32.

    It is L_rec of GANtor-v2 (docs/methods/stacked-gans.md, "Losses").
    """
    return (images.float() - references.float()).square().mean() / 2
