"""Arithmetic on latents: truncation, and interpolation between two of them."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def truncated(latents: Tensor, threshold: float) -> Tensor:
    """Turn draws from N(0, 1) into draws from the same distribution cut off beyond +-threshold.

    The truncation trick of Brock et al. 2019 (arXiv:1809.11096, section 3.1) gets this distribution by drawing values
    beyond the threshold again. Here each value moves to the same quantile of the truncated distribution instead, so a
    latent keeps its composition at every threshold, and an infinite threshold changes nothing.
    """
    root = math.sqrt(2)
    within = torch.erf(latents.double() / root) * math.erf(threshold / root)
    return (torch.erfinv(within) * root).to(latents.dtype).clamp(-threshold, threshold)


def between(start: Tensor, end: Tensor, positions: Tensor) -> Tensor:
    """Return the latents [P, Z] at positions [P] in 0..1 on the arc from start [Z] to end [Z].

    Spherical interpolation (White 2016, arXiv:1609.04468). A straight line between Gaussian latents passes through
    points that are much shorter than any drawn latent.
    """
    cosine = torch.dot(start, end) / (start.norm() * end.norm())
    angle = torch.acos(cosine.clamp(-1, 1))
    steps = positions[:, None]
    if not torch.sin(angle) > 1e-4:  # almost parallel, or one is zero: the arc is a line
        return start + steps * (end - start)
    return (torch.sin((1 - steps) * angle) * start + torch.sin(steps * angle) * end) / torch.sin(angle)
