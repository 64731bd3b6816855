"""Layer norm with a second derivative of its own for gradient penalties.

PyTorch differentiates its group norm twice by a dozen float32 copies of the features: on a CPU an eighth of a critic's
step in bfloat16. Let x' be the normalised features, r the reciprocal of their deviation, g the slope of the output
times the scale and <> the mean over an image. The first derivative is d = r (g - <g> - <g x'> x'). Both derivatives of
d along a direction v come from the same map of v, u = r (v - <v> - <v x'> x'): by g it is u, and by the features it is
-r (<v d> x' + <v x'> d + <g x'> u).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from impasto.networks.cpu.switch import plain_gradients, reaches_images_only


def image_norm(features: Tensor, scale: Tensor, shift: Tensor, eps: float) -> Tensor:
    """Normalise features [N, C, H, W] over each image, then scale and shift each channel."""
    normed: Tensor = _ImageNorm.apply(features, scale, shift, eps)
    return normed


class _ImageNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, scale: Tensor, shift: Tensor, eps: float) -> Tensor:
        count, channels = features.shape[:2]
        pixels = features[0, 0].numel()
        normed, mean, rate = torch.native_group_norm(features, scale, shift, count, channels, pixels, 1, eps)
        ctx.save_for_backward(features, scale, shift, mean, rate)
        ctx.eps = eps
        return normed

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        features, scale, shift, mean, rate = ctx.saved_tensors
        needed, eps = ctx.needs_input_grad[:3], ctx.eps
        if torch.is_grad_enabled() and reaches_images_only():
            return _Slope.apply(slope, features, scale, mean, rate), None, None, None
        if torch.is_grad_enabled():
            by_features, by_scale, by_shift = plain_gradients(
                lambda images, factor, term: functional.group_norm(images, 1, factor, term, eps),
                (features, scale, shift),
                slope,
                needed,
            )
            return by_features, by_scale, by_shift, None
        return *_gradients(slope, features, scale, mean, rate, needed), None


class _Slope(torch.autograd.Function):
    """The slope by the features, d above."""

    @staticmethod
    def forward(ctx: Any, slope: Tensor, features: Tensor, scale: Tensor, mean: Tensor, rate: Tensor) -> Tensor:
        by_features = _gradients(slope, features, scale, mean, rate, (True, False, False))[0]
        assert by_features is not None
        ctx.save_for_backward(slope, features, scale, mean, rate, by_features)
        return by_features

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, direction: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None, None]:
        slope, features, scale, mean, rate, by_features = ctx.saved_tensors
        scales, size = scale.to(slope.dtype)[:, None, None], features[0].numel()
        along = _gradients(direction, features, None, mean, rate, (True, False, False))[0]
        assert along is not None
        by_scale = _sums(slope, along)  # [N, C]
        mean, rate = mean[:, 0], rate[:, 0]
        normed = (features * _each(rate, features)).sub_(_each(mean * rate, features))
        of_normed = -rate * (by_scale @ scale) / size
        of_slope = -rate * _sums(direction, normed).sum(1) / size
        of_along = -rate * (_sums(slope, normed) @ scale) / size
        for_features = normed.mul_(_each(of_normed, features))
        for_features.addcmul_(by_features, _each(of_slope, features)).addcmul_(along, _each(of_along, features))
        return along * scales, for_features, by_scale.sum(0), None, None


def _each(values: Tensor, features: Tensor) -> Tensor:
    """One value for each image, to be multiplied with features."""
    return values.to(features.dtype)[:, None, None, None]


def _sums(one: Tensor, other: Tensor) -> Tensor:
    """Sum a product over the pixels to [N, C], in float32 or better."""
    return (one * other).sum((2, 3)).to(torch.promote_types(one.dtype, torch.float32))


def _gradients(
    slope: Tensor, features: Tensor, scale: Tensor | None, mean: Tensor, rate: Tensor, wanted: tuple[bool, ...]
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Return the gradients by features, scale and shift that are wanted, None for the others."""
    count, channels = features.shape[:2]
    pixels = features[0, 0].numel()
    backward = torch.ops.aten.native_group_norm_backward
    found = backward(slope, features, mean, rate, scale, count, channels, pixels, 1, wanted)
    by_features, by_scale, by_shift = (part if asked else None for part, asked in zip(found, wanted, strict=True))
    return by_features, by_scale, by_shift
