"""Normalisation of each image by itself (layer norm)."""

from __future__ import annotations

from torch import Tensor, nn

from impasto.networks.cpu.image_norm import image_norm
from impasto.networks.cpu.switch import is_fast


class ImageNorm(nn.GroupNorm):
    """Mean 0 and deviation 1 over all features of an image, then a scale and shift for each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__(1, channels)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  # torch's name
        """Return [N, C, H, W] for features [N, C, H, W]."""
        return image_norm(input, self.weight, self.bias, self.eps) if is_fast(input) else super().forward(input)
