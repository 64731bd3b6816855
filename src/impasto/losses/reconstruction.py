"""Losses that tie an autoencoder's image to what it was given."""

from __future__ import annotations

from torch import Tensor


def half_squared_error(images: Tensor, references: Tensor) -> Tensor:
    """Half the mean squared difference of images [N, C, H, W], in float32: L_rec of spec 02, a mean over pixels."""
    return (images.float() - references.float()).square().mean() / 2
