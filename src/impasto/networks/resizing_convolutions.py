"""A 3x3 convolution after doubling or before halving an image, computed at the smaller size.

Averaging 2x2 pixels is linear and may come before the convolution: first the mean of the 2x2 neighbours at every place,
then the convolution at every second place. This takes a quarter of the multiplications of convolving first, and 9/16 of
those of a 4x4 kernel that combines both. Doubling is the transpose. The weights stay those of the 3x3 convolution, so
checkpoints and parameter counts are those of the published networks.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from impasto.networks.convolutions import convolve
from impasto.networks.cpu.neighbours_mean import neighbours_mean as fast_neighbours_mean
from impasto.networks.cpu.switch import is_fast


class _Conv3x3(nn.Conv2d):
    """Has the weights of a plain 3x3 convolution."""

    def __init__(self, channels: int, out_channels: int, *, bias: bool = True) -> None:
        super().__init__(channels, out_channels, 3, padding=1, bias=bias)


class ConvThenHalve(_Conv3x3):
    """Conv3x3 (stride 1, padding 1), then the mean of each 2x2 pixels: [N, i, 2h, 2w] -> [N, o, h, w]."""

    def forward(self, images: Tensor) -> Tensor:
        """Convolve and halve."""
        return convolve(neighbours_mean(images, border=1), self.weight, self.bias, stride=2)


class DoubleThenConv(_Conv3x3):
    """Each pixel repeated 2x2, then Conv3x3 (stride 1, padding 1): [N, i, h, w] -> [N, o, 2h, 2w]."""

    def forward(self, images: Tensor) -> Tensor:
        """Double and convolve."""
        kernel = 4 * self.weight.flip(2, 3).transpose(0, 1)  # sums, not means; a transposed kernel is flipped
        doubled = neighbours_mean(functional.conv_transpose2d(images, kernel, stride=2), border=0)
        if self.bias is None:
            return doubled
        return doubled.add_(self.bias.to(doubled.dtype)[:, None, None])  # oneDNN takes 2 to 8 times as long to add it


def neighbours_mean(images: Tensor, border: Literal[0, 1]) -> Tensor:
    """Return the mean of 2x2 neighbours at every place: [N, C, H, W] -> [N, C, H - 1, W - 1].

    With a border it is [N, C, H + 1, W + 1]: zeros around the image count as pixels.
    """
    if is_fast(images):
        return fast_neighbours_mean(images, border)
    return functional.avg_pool2d(images, 2, 1, border)
