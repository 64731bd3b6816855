"""Instance normalization without affine weights, followed by its activation.

Ulyanov et al. 2016 (arXiv:1607.08022), equation 4. The statistics that a network's norms find in one picture can be
noted, and kept while it paints another. Tiles of a large picture are then normalized alike (Chen et al. 2022, "Towards
ultra-resolution neural style transfer via thumbnail instance normalization", arXiv:2103.11784).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from impasto.networks.cpu.instance_norm import (
    EPSILON,
    LEAKY_SLOPE,
    Activation,
    activated,
    normalized_image,
)
from impasto.networks.cpu.instance_norm import instance_norm as fast_instance_norm
from impasto.networks.cpu.switch import is_fast

__all__ = ["LEAKY_SLOPE", "Activation", "Statistics", "instance_norm", "keeping_statistics", "noting_statistics"]


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
        normalized, mean, inverse_deviation = normalized_image(image)
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
        return activated(normalize(features), activation)
    if features.shape[-2] * features.shape[-1] == 1:
        raise ValueError(f"instance norm needs more than one pixel per channel, got features of {list(features.shape)}")
    if is_fast(features):
        return fast_instance_norm(features, activation)
    return activated(functional.instance_norm(features, eps=EPSILON), activation)
