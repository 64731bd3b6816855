"""4x4 convolution of stride 2, and its transpose, by minimal filtering: 9/16 of the multiplications.

In even and odd rows and columns the taps see different pixels: 2x2 taps of stride 1 for each of four phases, which are
taken for channels. Of three pixels d and two taps g, d0 g0 + d1 g1 = m0 + m1 and d1 g0 + d2 g1 = m1 + m2, where
m0 = (d0 - d1) g0, m1 = d1 (g0 + g1) and m2 = (d2 - d1) g1 (Winograd 1980, F(2, 2)): 3 multiplications instead of 4.
Done so along rows and columns, and summed over the channels, it is a matrix product for each of 3 x 3 places; so are
both derivatives, where the three transforms change parts. In bfloat16, values and gradients are 0.5 to 1.1 % from exact
ones, four times as far as the plain sum's.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional


def halved(images: Tensor, weight: Tensor) -> Tensor:
    """Convolve with stride 2 and padding 1: images [N, i, 4 s, 4 t], weight [o, i, 4, 4] to [N, o, 2 s, 2 t]."""
    maps: Tensor = _Halving.apply(images, weight)
    return maps


def doubled(maps: Tensor, weight: Tensor) -> Tensor:
    """Do the transpose: maps [N, i, 2 s, 2 t], weight [i, o, 4, 4] to images [N, o, 4 s, 4 t]."""
    images: Tensor = _Doubling.apply(maps, weight)
    return images


class _Halving(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor) -> Tensor:
        of_images, filters = _image_factors(images), _filters(weight)
        ctx.save_for_backward(of_images, filters)
        ctx.shape = images.shape
        return _map_factors_transposed(torch.bmm(of_images, filters.transpose(1, 2)), ctx.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, Tensor | None]:
        of_images, filters = ctx.saved_tensors
        for_images, for_weight = ctx.needs_input_grad
        of_maps = _map_factors(slope)
        images = _image_factors_transposed(torch.bmm(of_maps, filters), ctx.shape) if for_images else None
        return images, _filters_transposed(torch.bmm(of_maps.transpose(1, 2), of_images)) if for_weight else None


class _Doubling(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor) -> Tensor:
        of_maps, filters = _map_factors(maps), _filters(weight)
        ctx.save_for_backward(of_maps, filters)
        ctx.shape = (len(maps), weight.shape[1], 2 * maps.shape[2], 2 * maps.shape[3])
        return _image_factors_transposed(torch.bmm(of_maps, filters), ctx.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, Tensor | None]:
        of_maps, filters = ctx.saved_tensors
        for_maps, for_weight = ctx.needs_input_grad
        of_images = _image_factors(slope)
        maps = _map_factors_transposed(torch.bmm(of_images, filters.transpose(1, 2)), ctx.shape) if for_maps else None
        return maps, _filters_transposed(torch.bmm(of_maps.transpose(1, 2), of_images)) if for_weight else None


# Factors and products are [9, tiles or o, channels]. The 9 places are of columns and then of rows, because a transform
# puts the axis it makes in front and rows come first; tiles count down, across, and over images; the 4 C channels are
# of row phases, column phases and C. Maps, images and weights are made channels last.


def _image_factors(images: Tensor) -> Tensor:
    """Transform images [N, C, 4 s, 4 t] to [9, s t N, 4 C]."""
    pixels = functional.pad(images, (1, 1, 1, 1)).permute(2, 3, 0, 1)
    thirds = _from_the_middle(_from_the_middle(_paired(pixels).permute(0, 2, 4, 1, 3, 5), 0), 2)
    return thirds.flatten(5).flatten(2, 4).flatten(0, 1)


def _image_factors_transposed(products: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Transpose `_image_factors`: [9, s t N, 4 C] to images of this shape."""
    batch, channels, height, width = shape
    thirds = products.view(3, 3, height // 4, width // 4, batch, 2, 2, channels)
    phases = _from_the_middle_transposed(_from_the_middle_transposed(thirds, 2), 0)
    pixels = phases.permute(2, 0, 3, 1, 4, 5).reshape(batch, height + 2, width + 2, channels)
    return pixels[:, 1:-1, 1:-1].contiguous().permute(0, 3, 1, 2)


def _map_factors(maps: Tensor) -> Tensor:
    """Transform maps [N, O, 2 s, 2 t] to [9, s t N, O]."""
    return _sums(_paired(maps.permute(2, 3, 0, 1)).permute(1, 3, 0, 2, 4, 5)).flatten(2, 4).flatten(0, 1)


def _map_factors_transposed(products: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Transpose `_map_factors`: [9, s t N, O] to maps of half the height and width of this shape of images."""
    batch, _, height, width = shape
    pairs = _sums_transposed(products.view(3, 3, height // 4, width // 4, batch, -1))
    return pairs.permute(4, 2, 0, 3, 1, 5).reshape(batch, height // 2, width // 2, -1).permute(0, 3, 1, 2)


def _filters(weight: Tensor) -> Tensor:
    """Transform a weight [O, C, 4, 4] to [9, O, 4 C]."""
    return _sums(_paired(weight.permute(2, 3, 0, 1)).permute(0, 2, 4, 1, 3, 5)).flatten(3).flatten(0, 1)


def _filters_transposed(products: Tensor) -> Tensor:
    """Transpose `_filters`: [9, O, 4 C] to a weight [O, C, 4, 4]."""
    outer = products.shape[1]
    pairs = _sums_transposed(products.view(3, 3, outer, 2, 2, -1))
    return pairs.permute(2, 0, 3, 1, 4, 5).reshape(outer, 4, 4, -1).permute(0, 3, 1, 2)


def _paired(pixels: Tensor) -> Tensor:
    """View [2 h, 2 w, ...] as [h, 2, w, 2, ...]."""
    height, width, *others = pixels.shape
    return pixels.view(height // 2, 2, width // 2, 2, *others)


def _from_the_middle(pixels: Tensor, axis: int) -> Tensor:
    """[..., 2 s + 1, ...] to [3, ..., s, ...]: d0 - d1, d1, d2 - d1 of three neighbours d; threes share their ends."""
    first, middle, last = pixels.unfold(axis, 3, 2).unbind(-1)
    thirds = first.new_empty((3, *first.shape))
    torch.sub(first, middle, out=thirds[0])
    thirds[1] = middle
    torch.sub(last, middle, out=thirds[2])
    return thirds


def _from_the_middle_transposed(thirds: Tensor, axis: int) -> Tensor:
    """[3, ..., s, ...] to [..., 2 s + 1, ...]."""
    shape = list(thirds.shape[1:])
    shape[axis] = 2 * shape[axis] + 1
    pixels = thirds.new_zeros(shape)
    first, middle, last = pixels.unfold(axis, 3, 2).unbind(-1)
    first.copy_(thirds[0])
    last.add_(thirds[2])
    torch.sub(thirds[1], thirds[0], out=middle)
    middle.sub_(thirds[2])
    return pixels


def _sums(pairs: Tensor) -> Tensor:
    """[2, 2, ...] to [3, 3, ...]: of rows, then of columns, the first, both and the second."""
    return _first_both_second(_first_both_second(pairs).transpose(0, 1))


def _first_both_second(pair: Tensor) -> Tensor:
    thirds = pair.new_empty((3, *pair.shape[1:]))
    thirds[0], thirds[2] = pair
    torch.add(pair[0], pair[1], out=thirds[1])
    return thirds


def _sums_transposed(thirds: Tensor) -> Tensor:
    """[3, 3, ...] to [2, 2, ...]."""
    return _two_sums(_two_sums(thirds).transpose(0, 1))


def _two_sums(thirds: Tensor) -> Tensor:
    pair = thirds.new_empty((2, *thirds.shape[1:]))
    torch.add(thirds[0], thirds[1], out=pair[0])
    torch.add(thirds[1], thirds[2], out=pair[1])
    return pair
