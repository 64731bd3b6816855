"""A 3x3 convolution after doubling or before halving an image, computed as one strided 4x4 convolution.

Averaging 2x2 pixels after a convolution, and repeating pixels before one, are linear: both fold into the kernel, which
leaves 4/9 of the multiplications and moves a quarter of the pixels. The weights stay those of the 3x3 convolution, so
that checkpoints and parameter counts are the published networks'.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from impasto.networks.twice_differentiable import Geometry, convolve


class ConvThenHalve(nn.Conv2d):
    """Conv3x3 (stride 1, padding 1), then the mean of each 2x2 pixels: [N, i, 2h, 2w] -> [N, o, h, w]."""

    def __init__(self, channels: int, out_channels: int, *, bias: bool = True) -> None:
        super().__init__(channels, out_channels, 3, padding=1, bias=bias)

    def forward(self, images: Tensor) -> Tensor:
        """Convolve and halve."""
        kernel = functional.avg_pool2d(functional.pad(self.weight, (1, 1, 1, 1)), 2, stride=1)
        return convolve(images, kernel, self.bias, Geometry(stride=2, padding=1))


class DoubleThenConv(nn.Conv2d):
    """Each pixel repeated 2x2, then Conv3x3 (stride 1, padding 1): [N, i, h, w] -> [N, o, 2h, 2w]."""

    def __init__(self, channels: int, out_channels: int, *, bias: bool = True) -> None:
        super().__init__(channels, out_channels, 3, padding=1, bias=bias)

    def forward(self, images: Tensor) -> Tensor:
        """Double and convolve."""
        summed = functional.avg_pool2d(functional.pad(self.weight, (1, 1, 1, 1)), 2, stride=1, divisor_override=1)
        kernel = summed.flip(2, 3).transpose(0, 1)  # a transposed convolution's kernel runs the other way
        return functional.conv_transpose2d(images, kernel, self.bias, stride=2, padding=1)
