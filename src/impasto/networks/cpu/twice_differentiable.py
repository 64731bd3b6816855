"""Convolutions that are differentiated twice, as a gradient penalty needs it.

PyTorch writes the weight's part of a convolution's second derivative as a convolution whose kernel is the image, on
copies with batch and channels exchanged. On a CPU a critic's step then takes 5 to 8 % longer. Here both derivatives are
made of the three fast operations: the convolution, its transpose and its weight gradient (as in the published code of
Karras et al. 2021, arXiv:2106.12423, for other reasons).

Inside `switch.image_gradients_only`, a graph of gradients reaches images alone: autograd does not tell a function which
of its gradients will be used. Elsewhere the second derivative is PyTorch's.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from impasto.networks.cpu import winograd
from impasto.networks.cpu.switch import plain_gradients, reaches_images_only


class Geometry(NamedTuple):
    """How a kernel moves over an image, the same along both axes."""

    stride: int
    padding: int


def convolve(images: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
    """Convolve images [N, i, H, W] with a weight [o, i, k, k], in autocast's type where autocast is on."""
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
        ctx.save_for_backward(images, weight, bias)
        ctx.geometry = geometry
        return functional.conv2d(images, weight, bias, geometry.stride, geometry.padding)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        images, weight, bias = ctx.saved_tensors
        stride, padding = ctx.geometry
        needed = ctx.needs_input_grad[:3]
        if torch.is_grad_enabled() and reaches_images_only():
            return _ImageGradient.apply(images, slope, weight, ctx.geometry), None, None, None
        if torch.is_grad_enabled():
            by_images, by_weight, by_bias = plain_gradients(
                lambda x, kernel, term: functional.conv2d(x, kernel, term, stride, padding),
                (images, weight, bias),
                slope,
                needed,
            )
            return by_images, by_weight, by_bias, None
        return *_gradients(images, slope, weight, ctx.geometry, needed), None


class _ImageGradient(torch.autograd.Function):
    """The transposed convolution of a slope. Only the size of the images matters."""

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
