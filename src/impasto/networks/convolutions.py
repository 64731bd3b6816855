"""Convolutions, and the choice between PyTorch's and the fast CPU versions."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from impasto.networks.cpu import few_channels, twice_differentiable, winograd
from impasto.networks.cpu.switch import is_fast

FEW_CHANNELS = 4
"""Most channels of an image."""


class SameConv(nn.Conv2d):
    """A convolution of stride 1 that keeps an image's size."""

    def __init__(self, channels: int, out_channels: int, kernel: int) -> None:
        super().__init__(channels, out_channels, kernel, padding=kernel // 2)

    def forward(self, images: Tensor) -> Tensor:
        """Convolve [N, i, H, W] to [N, o, H, W]."""
        return convolve(images, self.weight, self.bias, padding=self.kernel_size[0] // 2)


def convolve(images: Tensor, weight: Tensor, bias: Tensor | None, *, stride: int = 1, padding: int = 0) -> Tensor:
    """Convolve images [N, i, H, W] with a weight [o, i, k, k]. Critics use it: it is differentiated twice quickly."""
    if is_fast(images):
        return twice_differentiable.convolve(images, weight, bias, twice_differentiable.Geometry(stride, padding))
    return functional.conv2d(images, weight, bias, stride, padding)


def conv3x3(features: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Convolve without padding: features [N, C, H, W], weight [O, C, 3, 3], bias [O] to [N, O, H - 2, W - 2]."""
    return (winograd.conv3x3 if is_fast(features) else functional.conv2d)(features, weight, bias)


def conv7x7_to_few(features: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Convolve without padding to few channels: features [N, C, H, W], weight [O, C, 7, 7] to [N, O, H - 6, W - 6]."""
    return (few_channels.conv7x7 if is_fast(features) else functional.conv2d)(features, weight, bias)


class HalvingConv(nn.Conv2d):
    """Conv 4x4, stride 2, padding 1: [N, i, 2h, 2w] -> [N, o, h, w]."""

    def __init__(self, channels: int, out_channels: int, *, bias: bool = True) -> None:
        super().__init__(channels, out_channels, 4, 2, 1, bias=bias)

    def forward(self, images: Tensor) -> Tensor:
        """Convolve and halve."""
        learns = images.requires_grad and not self.weight.requires_grad  # the other gradients are fast as they are
        if learns and self.in_channels <= FEW_CHANNELS and _has_phases(images) and is_fast(images):
            return few_channels.halve(images, self.weight, self.bias)
        return super().forward(images)


class DoublingConv(nn.ConvTranspose2d):
    """Transposed conv 4x4, stride 2, padding 1: [N, i, h, w] -> [N, o, 2h, 2w]."""

    def __init__(self, channels: int, out_channels: int, *, bias: bool = True) -> None:
        super().__init__(channels, out_channels, 4, 2, 1, bias=bias)

    def forward(self, images: Tensor) -> Tensor:  # type: ignore[override]  # it always doubles
        """Double and convolve."""
        if self.out_channels <= FEW_CHANNELS and is_fast(images):
            return few_channels.double(images, self.weight, self.bias)
        return super().forward(images)


def _has_phases(images: Tensor) -> bool:
    return images.shape[2] % 2 == images.shape[3] % 2 == 0
