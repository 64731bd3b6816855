"""Latents by seed and number."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from impasto.chance import Draws
from impasto.networks.latents import truncated


def drawn_latents(size: int, seed: int, numbers: Iterable[int], truncation: float | None = None) -> Tensor:
    """Return the latents [N, size] of paintings by their numbers, from N(0, 1). Default: without truncation."""
    latents = Draws.numbered(seed, numbers).normal(size)
    return latents if truncation is None else truncated(latents, truncation)
