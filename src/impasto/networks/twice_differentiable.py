"""Convolutions whose gradients are differentiated again, as a gradient penalty asks, without detours.

PyTorch writes the weight's part of a convolution's second derivative as a convolution with the image as its kernel, on
copies with batch and channels exchanged, where a weight gradient is meant: on a CPU a critic's step then takes 5 to 8 %
longer. Here both derivatives are made of the three operations that are fast: the convolution, its transpose and its
weight gradient (as in the published code of Karras et al. 2021, arXiv:2106.12423, for other reasons), each computed in
the fastest way there is.

While a graph of gradients is made (`create_graph`), only images get one: a penalty wants the slope by the image alone,
and autograd does not tell a function which of its gradients will be thrown away.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from impasto.networks import winograd


class Geometry(NamedTuple):
    """How a kernel goes over an image, the same along both axes."""

    stride: int
    padding: int


class SameConv(nn.Conv2d):
    """A convolution of stride 1 that keeps an image's size."""

    def __init__(self, channels: int, out_channels: int, kernel: int) -> None:
        super().__init__(channels, out_channels, kernel, padding=kernel // 2)

    def forward(self, images: Tensor) -> Tensor:
        """Convolve [N, i, H, W] to [N, o, H, W]."""
        return convolve(images, self.weight, self.bias, Geometry(1, self.kernel_size[0] // 2))


def convolve(images: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
    """Convolve images [N, i, H, W] with a weight [o, i, k, k]; in autocast's type where autocast is on."""
    kind = images.device.type
    chosen = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else images.dtype
    images = images.to(chosen)
    if weight.shape[2:] == (3, 3) and geometry == (1, 1) and winograd.pays(images, weight):
        return winograd.conv3x3(functional.pad(images, (1, 1, 1, 1)), weight, bias)
    bias = None if bias is None else bias.to(chosen)
    with torch.autocast(kind, enabled=False):
        convolved: Tensor = _Convolution.apply(images, weight.to(chosen), bias, geometry)
    return convolved


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
        ctx.save_for_backward(images, weight)
        ctx.geometry = geometry
        return functional.conv2d(images, weight, bias, geometry.stride, geometry.padding)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        images, weight = ctx.saved_tensors
        if torch.is_grad_enabled():
            return _ImageGradient.apply(images, slope, weight, ctx.geometry), None, None, None
        return *_gradients(images, slope, weight, ctx.geometry, ctx.needs_input_grad[:3]), None


class _ImageGradient(torch.autograd.Function):
    """The transposed convolution of a slope; of the images the size counts alone."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, slope: Tensor, weight: Tensor, geometry: Geometry) -> Tensor:
        ctx.save_for_backward(slope, weight)
        ctx.geometry = geometry
        gradient = _gradients(images, slope, weight, geometry, (True, False, False))[0]
        assert gradient is not None
        return gradient

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, direction: Tensor) -> tuple[None, Tensor | None, Tensor | None, None]:
        slope, weight = ctx.saved_tensors
        _, for_slope, for_weight, _ = ctx.needs_input_grad
        along = functional.conv2d(direction, weight, None, *ctx.geometry) if for_slope else None
        wanted = (False, bool(for_weight), False)
        return None, along, _gradients(direction, slope, weight, ctx.geometry, wanted)[1], None


def _gradients(
    images: Tensor, slope: Tensor, weight: Tensor, geometry: Geometry, wanted: tuple[bool, ...]
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Return the gradients by images, weight and bias that are wanted, None for the others."""
    stride, padding, biases = [geometry.stride] * 2, [geometry.padding] * 2, [len(weight)]
    backward = torch.ops.aten.convolution_backward
    found = backward(slope, images, weight, biases, stride, padding, [1, 1], False, [0, 0], 1, wanted)  # noqa: FBT003
    for_images, for_weight, for_bias = (part if asked else None for part, asked in zip(found, wanted, strict=True))
    return for_images, for_weight, for_bias
