"""The 70x70 PatchGAN: scores every overlapping patch of a picture on its own.

Isola et al. 2017 (arXiv:1611.07004), section 6.1.2, with the instance norm of Zhu et al. 2017 (arXiv:1703.10593).
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from impasto.errors import RecipeError
from impasto.networks.instance_norm import LEAKY_SLOPE, instance_norm

SMALLEST_IMAGE = 24
"""Smallest image, in pixels. For smaller ones the last feature map has one pixel, which cannot be normalized."""


class PatchDiscriminator(nn.Module):
    """Three strided convolutions and two plain ones, the last of which sees 70x70 pixels."""

    def __init__(self, channels: int = 3, width: int = 64) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, width, 4, stride=2, padding=1)
        self.body = nn.ModuleList(
            [
                nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
                nn.Conv2d(2 * width, 4 * width, 4, stride=2, padding=1),
                nn.Conv2d(4 * width, 8 * width, 4, padding=1),
            ]
        )
        self.head = nn.Conv2d(8 * width, 1, 4, padding=1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return unbounded scores [N, 1, H/8 - 2, W/8 - 2], one for every patch of pictures [N, channels, H, W]."""
        features = functional.leaky_relu(self.stem(pictures), LEAKY_SLOPE, inplace=True)
        for convolution in self.body:
            features = instance_norm(convolution(features), activation="leaky-relu")
        scores: Tensor = self.head(features)
        return scores


def need_patches(size: int, method: str) -> None:
    """Raise RecipeError where images of this size are too small for the discriminator, or cannot be halved twice."""
    if size < SMALLEST_IMAGE:
        raise RecipeError(
            "recipe", [f"data.image_size: {method}'s discriminators need {SMALLEST_IMAGE} pixels, not {size}"]
        )
    if size % 4:
        raise RecipeError(
            "recipe", [f"data.image_size: {method}'s generators halve images twice; {size} is not a multiple of 4"]
        )
