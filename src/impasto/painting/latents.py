"""Latents by seed and number, truncated, and between two of them."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from impasto.chance import generator
from impasto.errors import PainterError


def drawn_latents(size: int, seed: int, indices: Iterable[int], truncation: float | None = None) -> Tensor:
    """Return latents [N, size] of N(0, 1), each drawn by itself from the seed and its index; truncated where said.

    Raises PainterError for a truncation that is not above 0 and finite.
    """
    if truncation is not None and not 0 < truncation < math.inf:
        raise PainterError(f"a truncation of {truncation:g} leaves nothing to draw; say one above 0, such as 0.7")
    latents = torch.stack([torch.randn(size, generator=generator(seed, "latent", index)) for index in indices])
    return latents if truncation is None else truncated(latents, truncation)


def truncated(latents: Tensor, threshold: float) -> Tensor:
    """Turn draws from N(0, 1) into draws from the same distribution cut off beyond +-threshold.

    The truncation trick of Brock et al. 2019 (arXiv:1809.11096, section 3.1) has this distribution by drawing values
    beyond the threshold again. Here each value goes to the same quantile of the truncated distribution instead: a
    latent stays the same idea at each threshold, more usual the lower that is, and infinity changes nothing.
    """
    root = math.sqrt(2)
    within = torch.erf(latents.double() / root) * math.erf(threshold / root)
    return (torch.erfinv(within) * root).to(latents.dtype).clamp(-threshold, threshold)


def between(start: Tensor, end: Tensor, positions: Tensor) -> Tensor:
    """Return the latents [P, Z] at positions [P] in 0..1 on the arc from start [Z] to end [Z].

    Spherical interpolation (White 2016, arXiv:1609.04468): a straight line between Gaussian latents passes through
    points that are much shorter than any drawn one.
    """
    cosine = torch.dot(start, end) / (start.norm() * end.norm())
    angle = torch.acos(cosine.clamp(-1, 1))
    steps = positions[:, None]
    if not torch.sin(angle) > 1e-4:  # as good as parallel, or one is zero: the arc is a line
        return start + steps * (end - start)
    return (torch.sin((1 - steps) * angle) * start + torch.sin(steps * angle) * end) / torch.sin(angle)
