"""3x3 convolution by Winograd's minimal filtering, with two to four times fewer multiplications than the plain sum.

Lavin and Gray 2016 (arXiv:1509.09308), section 4.1: for an input tile d of n x n pixels, n = m + 2, and a filter g, the
m x m output tile is A^T [(G g G^T) * (B^T d B)] A with * by element. Summed over the input channels, * is one matrix
product for every element of the tile. A transform from both sides is one matrix on the flattened tile, the Kronecker
product of the side with itself. It is a matrix product, too, and rounds once.

The matrices evaluate polynomials at n - 1 points and at infinity. The points 1/2 and -2 are a pair c, -1/c, which
cancels well (Alam et al. 2022, arXiv:2201.10369). In float32, tiles of 4 x 4 pixels have 1.8 times the error of the
plain sum. In bfloat16 they would have 7 times its error, so tiles have 2 x 2 pixels there and twice the error. Painting
uses the larger tiles in bfloat16, too: three photos painted by a CUT of the paper's width, trained on 600 images, were
0.5 to 0.7 of 255 from those in float32, and 0.3 with the plain sum.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional
from torch.utils.weak import WeakTensorKeyDictionary

from impasto.networks.cpu.switch import is_fast, plain_gradients, reaches_images_only

FEW_POINTS, MANY_POINTS = (0.0, 1.0, -1.0), (0.0, 1.0, -1.0, 0.5, -2.0)
FEWEST_CHANNELS = {torch.bfloat16: 256, torch.float32: 128, torch.float64: 128}
"""With fewer channels, the transforms of the tiles cost more than they save."""
FEWEST_PIXELS = 1024
"""With fewer pixels in the batch, the transform of the weight costs more than it saves."""
MOST_TILES = 4096
"""Tiles at a time. Transformed, they take 2.25 (4 x 4) or 4 (2 x 2) times the memory of the features."""


def conv3x3(features: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Convolve without padding: features [N, C, H, W], weight [O, C, 3, 3], bias [O] to [N, O, H - 2, W - 2].

    Equal to `torch.nn.functional.conv2d` up to rounding, and the same where that is faster. Second derivatives are
    those of `twice_differentiable`.
    """
    device = features.device.type
    if torch.is_autocast_enabled(device):
        features = features.to(torch.get_autocast_dtype(device))
    if not pays(features, weight):
        return functional.conv2d(features, weight, bias)
    height, width = features.shape[2] - 2, features.shape[3] - 2
    pixels = _pixels(features.dtype)  # m, along the side of an output tile
    down, across = -(-height // pixels), -(-width // pixels)
    if height % pixels or width % pixels:
        features = functional.pad(features, (0, -width % pixels, 0, -height % pixels))
    rows = max(1, MOST_TILES // (len(features) * across)) * pixels
    with torch.autocast(device, enabled=False):
        filters = _kept_filters(weight, features.dtype)
        bands = [
            _Winograd.apply(features[:, :, top : top + rows + 2], filters, weight)
            for top in range(0, down * pixels, rows)
        ]
    output: Tensor = bands[0] if len(bands) == 1 else torch.cat(bands, dim=2)
    output = output[:, :, :height, :width]
    return output if bias is None else output.add_(bias.to(output.dtype)[:, None, None])


def pays(features: Tensor, weight: Tensor) -> bool:
    """Whether fewer multiplications save more time than the transforms cost; measured against oneDNN."""
    dtype = features.dtype
    if not is_fast(features) or dtype not in FEWEST_CHANNELS:
        return False
    if dtype == torch.bfloat16 and torch.cpu._is_amx_tile_supported():  # multiplies faster than memory delivers
        return False
    return len(features) * features[0, 0].numel() >= FEWEST_PIXELS and min(weight.shape[:2]) >= FEWEST_CHANNELS[dtype]


_FILTERS: MutableMapping[Tensor, dict[torch.dtype, tuple[int, Tensor]]] = WeakTensorKeyDictionary()
"""The version and filters of frozen weights, as long as the weights exist."""


class _Transforms(NamedTuple):
    """The transforms of flattened tiles and filters; m, n as above."""

    input: Tensor  # B^T, [n n, n n]
    filter: Tensor  # G, [n n, 9], always in float32 or better: the weights are
    output: Tensor  # A^T, [m m, n n]


def _points(dtype: torch.dtype) -> tuple[float, ...]:
    """Return the points of evaluation: fewer in bfloat16 while training."""
    return FEW_POINTS if dtype == torch.bfloat16 and not torch.is_inference_mode_enabled() else MANY_POINTS


def _pixels(dtype: torch.dtype) -> int:
    """Return m, the pixels along the side of an output tile."""
    return len(_points(dtype)) - 1


def _transforms(dtype: torch.dtype) -> _Transforms:
    return _transforms_at(_points(dtype), dtype)


@cache
def _transforms_at(points: tuple[float, ...], dtype: torch.dtype) -> _Transforms:
    """Toom and Cook: multiply polynomials by their values at points; filtering is that product's transpose."""
    tile = len(points) + 1
    with torch.inference_mode(mode=False):  # inference tensors could not be used in training later
        return _Transforms(
            input=_both_sides(torch.linalg.inv(_evaluation(points, tile)).T).to(dtype),
            filter=_both_sides(_evaluation(points, 3)).to(torch.promote_types(dtype, torch.float32)),
            output=_both_sides(_evaluation(points, tile - 2).T).to(dtype),
        )


def _evaluation(points: tuple[float, ...], coefficients: int) -> Tensor:
    """Matrix [points + 1, coefficients] from a polynomial to its values at the points and, last, at infinity."""
    at_points = torch.vander(torch.tensor(points, dtype=torch.float64, device="cpu"), coefficients, increasing=True)
    at_infinity = torch.eye(coefficients, dtype=torch.float64, device="cpu")[-1:]
    return torch.cat([at_points, at_infinity])


def _both_sides(matrix: Tensor) -> Tensor:
    """Return the matrix that does to flattened tiles what this one does to the rows and the columns of tiles."""
    return torch.kron(matrix, matrix)


class _Winograd(torch.autograd.Function):
    """Valid 3x3 convolution of features whose height and width are 2 more than whole output tiles.

    `filters` are those of `weight`, whose gradient comes through them. The weight itself is used where a graph of
    gradients is made.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, filters: Tensor, weight: Tensor) -> Tensor:
        inputs = _inputs(features)
        ctx.save_for_backward(features, inputs, filters, weight)
        return _output(inputs, filters, features)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        features, inputs, filters, weight = ctx.saved_tensors
        for_features, for_filters, for_weight = ctx.needs_input_grad
        if torch.is_grad_enabled() and reaches_images_only():
            return _FeaturesGradient.apply(gradient, filters, features.shape), None, None
        if torch.is_grad_enabled():
            by_features, by_weight = plain_gradients(
                lambda images, kernel: functional.conv2d(images, kernel.to(images.dtype)),
                (features, weight),
                gradient,
                (for_features, for_weight),
            )
            return by_features, None, by_weight
        with torch.autocast("cpu", enabled=False):
            outputs = _outputs(gradient)
            by_features = _features_gradient(outputs, filters, gradient, features.shape) if for_features else None
            return by_features, torch.bmm(outputs.transpose(1, 2), inputs) if for_filters else None, None


class _FeaturesGradient(torch.autograd.Function):
    """The gradient by the features, as a function of the output's gradient and the filters."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, filters: Tensor, shape: torch.Size) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            outputs = _outputs(gradient)
            features_gradient = _features_gradient(outputs, filters, gradient, shape)
        ctx.save_for_backward(outputs, filters)
        return features_gradient

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, direction: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        outputs, filters = ctx.saved_tensors
        for_gradient, for_filters, _ = ctx.needs_input_grad
        with torch.autocast("cpu", enabled=False):
            inputs = _inputs(direction)
            along = _output(inputs, filters, direction) if for_gradient else None
            return along, torch.bmm(outputs.transpose(1, 2), inputs) if for_filters else None, None


def _inputs(features: Tensor) -> Tensor:
    """Transform features [N, C, H, W] to [n n, tiles, C]."""
    pixels = _pixels(features.dtype)
    return _transform(_transforms(features.dtype).input, _tiles(_windows(features, pixels + 2, pixels)))


def _outputs(gradient: Tensor) -> Tensor:
    """Transform an output's gradient [N, O, h, w] to [n n, tiles, O]."""
    pixels = _pixels(gradient.dtype)
    return _transform(_transforms(gradient.dtype).output.T, _tiles(_windows(gradient, pixels, pixels)))


def _output(inputs: Tensor, filters: Tensor, features: Tensor) -> Tensor:
    """Multiply, and put the output's tiles together, [N, O, H - 2, W - 2]."""
    batch, _, height, width = features.shape
    products = torch.bmm(inputs, filters.transpose(1, 2))  # [n n, tiles, O]
    output = _empty((batch, filters.shape[1], height - 2, width - 2), features)
    pixels = _pixels(inputs.dtype)
    windows = _windows(output, pixels, pixels)
    windows.copy_(_transform(_transforms(inputs.dtype).output, products).view(windows.shape))
    return output


def _features_gradient(outputs: Tensor, filters: Tensor, gradient: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Multiply the other way, and put overlapping tiles together, [N, C, H, W]."""
    tiles = torch.bmm(outputs, filters)  # [n n, tiles, C]
    features = _empty(shape, gradient).zero_()
    pixels = _pixels(outputs.dtype)
    _overlap_add(features, _transform(_transforms(outputs.dtype).input.T, tiles), pixels)
    return features


def _transform(matrix: Tensor, tiles: Tensor) -> Tensor:
    """Transform tiles [pixels, tiles, channels] along their first axis."""
    return (matrix @ tiles.flatten(1)).view(-1, *tiles.shape[1:])


def _kept_filters(weight: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the filters of a weight. Those of a frozen weight are made once while painting."""
    if weight.requires_grad or weight.is_inference() or not torch.is_inference_mode_enabled():
        return _filters(weight, dtype)
    kept = _FILTERS.setdefault(weight, {})
    version, filters = kept.get(dtype, (None, weight))
    if version != weight._version:
        filters = _filters(weight, dtype)
        kept[dtype] = weight._version, filters
    return filters


def _filters(weight: Tensor, dtype: torch.dtype) -> Tensor:
    """Transform a weight [O, C, 3, 3] to filters [n n, O, C]."""
    transform = _transforms(dtype).filter
    return _transform(transform, weight.to(transform.dtype).permute(2, 3, 0, 1).flatten(0, 1)).to(dtype)


def _windows(features: Tensor, size: int, stride: int) -> Tensor:
    """View [size, size, N, windows down, windows across, C] of features [N, C, H, W]."""
    return features.unfold(2, size, stride).unfold(3, size, stride).permute(4, 5, 0, 2, 3, 1)


def _tiles(windows: Tensor) -> Tensor:
    """Copy windows into tiles [pixels, tiles, C]."""
    return windows.flatten(2, 4).flatten(0, 1)


def _overlap_add(features: Tensor, tiles: Tensor, pixels: int) -> None:
    """Add tiles [n n, tiles, C], each overlapping the next by two pixels, to features [N, C, H, W]."""
    windows = _windows(features, pixels + 2, pixels)
    tiles = tiles.view(windows.shape)
    inner, border = slice(pixels), slice(pixels, pixels + 2)
    for rows, columns in ((inner, inner), (inner, border), (border, inner), (border, border)):
        windows[rows, columns] += tiles[rows, columns]  # no two windows share a pixel in the same quarter


def _empty(shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Allocate features of this shape in the memory format of others."""
    memory_format = torch.channels_last if like.stride(1) == 1 else torch.contiguous_format
    return torch.empty(shape, dtype=like.dtype, memory_format=memory_format)
