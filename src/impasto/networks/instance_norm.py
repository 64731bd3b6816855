"""Instance normalization without affine weights, followed by its activation.

Ulyanov et al. 2016 (arXiv:1607.08022), equation 4. On the CPU, `torch.nn.functional.instance_norm` copies channels-last
features to the other memory format and back; one batch normalization per image computes the same without the copies.

What a network's norms find in one picture can be noted, and kept while it paints another: tiles of a large picture are
then normalized alike (Chen et al. 2022, "Towards ultra-resolution neural style transfer via thumbnail instance
normalization", arXiv:2103.11784).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

Activation = Literal["none", "relu", "leaky-relu"]

EPSILON = 1e-5
LEAKY_SLOPE = 0.2


class Statistics(NamedTuple):
    """What a norm found in an image: mean and variance of each channel, float32 [C]."""

    mean: Tensor
    variance: Tensor


_OTHERWISE: ContextVar[Callable[[Tensor], Tensor] | None] = ContextVar("how norms normalize", default=None)


@contextmanager
def noting_statistics() -> Iterator[list[Statistics]]:
    """Note what each norm finds, in the order they are called; yield the list. For one image [1, C, H, W] at a time."""
    noted: list[Statistics] = []

    def normalize(image: Tensor) -> Tensor:
        normalized, mean, inverse_deviation = _normalize(image)
        noted.append(Statistics(mean, inverse_deviation**-2 - EPSILON))
        return normalized

    token = _OTHERWISE.set(normalize)
    try:
        yield noted
    finally:
        _OTHERWISE.reset(token)


@contextmanager
def keeping_statistics(noted: Sequence[Statistics]) -> Iterator[None]:
    """Let each norm, in the order they are called, take these for the statistics of its features [N, C, H, W].

    Raises RuntimeError where there are not as many norms as statistics.
    """
    left = iter(noted)

    def normalize(features: Tensor) -> Tensor:
        statistics = next(left, None)
        if statistics is None:
            raise RuntimeError(f"there are more norms than the {len(noted)} whose statistics were noted")
        no_affine = None, None
        return torch.native_batch_norm(features, *no_affine, *statistics, training=False, momentum=0.0, eps=EPSILON)[0]

    token = _OTHERWISE.set(normalize)
    try:
        yield
    finally:
        _OTHERWISE.reset(token)
    if more := len(list(left)):
        raise RuntimeError(f"{more} of {len(noted)} noted statistics belong to no norm")


def instance_norm(features: Tensor, *, activation: Activation = "none") -> Tensor:
    """Normalize every channel of every image over its pixels, then activate.

    Features are [N, C, H, W], unbounded; the result has their shape, dtype and memory format. The statistics of
    half-precision features are taken in float32. The leaky ReLU has slope 0.2.
    """
    if not torch.compiler.is_compiling() and (normalize := _OTHERWISE.get()):
        return _activate(normalize(features), activation)
    if features.shape[-2] * features.shape[-1] == 1:
        raise ValueError(f"instance norm needs more than one pixel per channel, got features of {list(features.shape)}")
    if features.device.type == "cpu" and not torch.compiler.is_compiling():
        normalized: Tensor = _InstanceNorm.apply(features, activation)
        return normalized
    return _activate(functional.instance_norm(features, eps=EPSILON), activation)


def _activate(features: Tensor, activation: Activation) -> Tensor:
    """Activate in place: nobody else needs the normalized features."""
    match activation:
        case "relu":
            return features.relu_()
        case "leaky-relu":
            return functional.leaky_relu_(features, LEAKY_SLOPE)
        case "none":
            return features


class _InstanceNorm(torch.autograd.Function):
    """Norm and activation as one node: backward finds the activation's slope in the output."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, activation: Activation) -> Tensor:
        outputs, means, inverse_deviations = zip(*(_normalize(image) for image in _images(features)), strict=True)
        output = _activate(_join(outputs), activation)
        ctx.activation = activation
        ctx.save_for_backward(
            features, torch.stack(means), torch.stack(inverse_deviations), None if activation == "none" else output
        )
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        features, means, inverse_deviations, output = ctx.saved_tensors
        if ctx.activation == "relu":
            gradient = torch.ops.aten.threshold_backward(gradient, output, 0.0)
        elif ctx.activation == "leaky-relu":
            gradient = torch.ops.aten.leaky_relu_backward(gradient, output, LEAKY_SLOPE, self_is_result=True)
        gradient = gradient.contiguous(memory_format=_layout(features))  # given two layouts, torch returns a wrong one
        images = zip(_images(gradient), _images(features), means, inverse_deviations, strict=True)
        return _join([_normalize_backward(*image) for image in images]), None


def _normalize(image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return an image [1, C, H, W] normalized, with the mean and the inverse deviation [C] of its channels."""
    one = _one(image)
    shift = None if one is None else torch.zeros_like(one)
    return torch.native_batch_norm(image, one, shift, None, None, training=True, momentum=0.0, eps=EPSILON)


def _normalize_backward(gradient: Tensor, image: Tensor, mean: Tensor, inverse_deviation: Tensor) -> Tensor:
    """Return the gradient of an image [1, C, H, W] from that of the normalized one."""
    no_running_mean = no_running_variance = None
    result: Tensor = torch.ops.aten.native_batch_norm_backward(
        *(gradient, image, _one(image), no_running_mean, no_running_variance, mean, inverse_deviation),
        train=True,
        eps=EPSILON,
        output_mask=[True, False, False],
    )[0]
    return result


def _one(image: Tensor) -> Tensor | None:
    """Return the weight 1 for each channel where features are of half precision: statistics have the weight's."""
    return image.new_ones(image.shape[1], dtype=torch.float32) if image.dtype.itemsize < 4 else None


def _layout(features: Tensor) -> torch.memory_format:
    """Return the memory format of features [N, C, H, W]."""
    return torch.channels_last if features.is_contiguous(memory_format=torch.channels_last) else torch.contiguous_format


def _images(features: Tensor) -> tuple[Tensor, ...]:
    """View features [N, C, H, W] as N images [1, C, H, W]."""
    return features.unsqueeze(1).unbind()


def _join(images: tuple[Tensor, ...] | list[Tensor]) -> Tensor:
    """Put N images [1, C, H, W] together again; one alone needs no copy."""
    return images[0] if len(images) == 1 else torch.cat(images)
