"""A 3x3 convolution after doubling or before halving an image, computed as one strided 4x4 convolution.

Averaging 2x2 pixels after a convolution, and repeating pixels before one, are linear: both fold into the kernel, which
leaves 4/9 of the multiplications and moves a quarter of the pixels. The weights stay those of the 3x3 convolution, so
that checkpoints and parameter counts are the published networks'.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from impasto.networks.twice_differentiable import Geometry, convolve


class _Folded(nn.Conv2d):
    """Keeps a 3x3 weight [o, i, 3, 3] and makes a 4x4 kernel of it."""

    share = 1.0
    """Of each pixel that the kernel sums up."""
    sums: Tensor

    def __init__(self, channels: int, out_channels: int, *, bias: bool = True) -> None:
        super().__init__(channels, out_channels, 3, padding=1, bias=bias)
        side = torch.eye(3, 4) + torch.eye(4)[1:]  # [3, 4]
        self.register_buffer("sums", self.share * torch.kron(side, side), persistent=False)  # [9, 16]

    def kernel(self) -> Tensor:
        """Return [o, i, 4, 4]: sums of 2x2 of the weight's entries, with zeros around them."""
        kernel = self.weight.flatten(2) @ self.sums  # several times faster than pooling
        return kernel.view(*self.weight.shape[:2], 4, 4)


class ConvThenHalve(_Folded):
    """Conv3x3 (stride 1, padding 1), then the mean of each 2x2 pixels: [N, i, 2h, 2w] -> [N, o, h, w]."""

    share = 0.25

    def forward(self, images: Tensor) -> Tensor:
        """Convolve and halve."""
        return convolve(images, self.kernel(), self.bias, Geometry(stride=2, padding=1))


class DoubleThenConv(_Folded):
    """Each pixel repeated 2x2, then Conv3x3 (stride 1, padding 1): [N, i, h, w] -> [N, o, 2h, 2w]."""

    def forward(self, images: Tensor) -> Tensor:
        """Double and convolve."""
        kernel = self.kernel().flip(2, 3).transpose(0, 1)  # a transposed convolution's kernel runs the other way
        return functional.conv_transpose2d(images, kernel, self.bias, stride=2, padding=1)
