"""4x4 convolutions of stride 2 between maps of 8x8 and 4x4 pixels, whose weights learn faster on a CPU in bfloat16.

oneDNN's weight gradient is slow where maps are small: at 64 images it takes twice the time of the same sum written as
one multiplication of patches, and it is a tenth of a DCGAN's step. Forward and the images' gradient stay oneDNN's.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

SMALL = 4
"""Height and width of the smaller map, pixels; from 8 on oneDNN is as fast."""


class HalvingConv(nn.Conv2d):
    """Conv 4x4, stride 2, padding 1: [N, i, 2h, 2w] -> [N, o, h, w]."""

    def __init__(self, channels: int, out_channels: int, *, bias: bool = True) -> None:
        super().__init__(channels, out_channels, 4, 2, 1, bias=bias)

    def forward(self, images: Tensor) -> Tensor:
        """Convolve and halve."""
        if self.bias is not None or not _pays(images, 2 * SMALL):
            return super().forward(images)
        halved: Tensor = _Halving.apply(images.bfloat16(), self.weight.bfloat16())
        return halved


class DoublingConv(nn.ConvTranspose2d):
    """Transposed conv 4x4, stride 2, padding 1: [N, i, h, w] -> [N, o, 2h, 2w]."""

    def __init__(self, channels: int, out_channels: int, *, bias: bool = True) -> None:
        super().__init__(channels, out_channels, 4, 2, 1, bias=bias)

    def forward(self, images: Tensor) -> Tensor:  # type: ignore[override]  # it always doubles
        """Double and convolve."""
        if self.bias is not None or not _pays(images, SMALL):
            return super().forward(images)
        doubled: Tensor = _Doubling.apply(images.bfloat16(), self.weight.bfloat16())
        return doubled


def _pays(images: Tensor, side: int) -> bool:
    """Whether weights learn here, from maps of this side, on a CPU under bfloat16 autocast."""
    if images.device.type != "cpu" or images.shape[-2:] != (side, side) or not torch.is_grad_enabled():
        return False
    return torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu") == torch.bfloat16


class _Halving(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(images, weight)
        return functional.conv2d(images, weight, stride=2, padding=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, Tensor | None]:
        images, weight = ctx.saved_tensors
        for_images = functional.conv_transpose2d(slope, weight, stride=2, padding=1)
        return for_images, _weight_gradient(slope, images) if ctx.needs_input_grad[1] else None


class _Doubling(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(images, weight)
        return functional.conv_transpose2d(images, weight, stride=2, padding=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, Tensor | None]:
        images, weight = ctx.saved_tensors
        for_images = functional.conv2d(slope, weight, stride=2, padding=1)
        return for_images, _weight_gradient(images, slope) if ctx.needs_input_grad[1] else None


def _weight_gradient(small: Tensor, large: Tensor) -> Tensor:
    """Return [s, l, 4, 4]: products of maps [N, s, h, w] with the patches of [N, l, 2h, 2w] they were made of."""
    channels = large.shape[1]
    padded = functional.pad(large, (1, 1, 1, 1)).permute(0, 2, 3, 1)
    patches = padded.unfold(1, 4, 2).unfold(2, 4, 2).permute(0, 1, 2, 4, 5, 3).reshape(-1, 16 * channels)
    products = small.permute(0, 2, 3, 1).flatten(0, 2).t() @ patches
    return products.view(-1, 4, 4, channels).permute(0, 3, 1, 2)
