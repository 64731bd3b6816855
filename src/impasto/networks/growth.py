"""How generators that double images grow to a size, and their first map."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import torch
from torch import Tensor

from impasto.errors import RecipeError

SMALLEST, LARGEST = 16, 256


class Growth(NamedTuple):
    """From the first map of a generator to its image."""

    base: int
    """Height and width of the first map: 4, or 7 for sizes such as MNIST's 28 pixels."""
    doublings: int


def growth(size: int, method: str) -> Growth:
    """Return how to reach a size in pixels by doubling 4 or 7.

    Raises RecipeError, naming sizes that can be reached, for all others.
    """
    sizes = {base << doublings: Growth(base, doublings) for base in (4, 7) for doublings in range(2, 7)}
    reached = {pixels: way for pixels, way in sizes.items() if SMALLEST <= pixels <= LARGEST}
    if size not in reached:
        raise out_of_reach(size, method, [pixels for pixels, way in reached.items() if way.base == 4])
    return reached[size]


def out_of_reach(size: int, grower: str, powers: Collection[int]) -> RecipeError:
    """Return the error for a size in pixels; it names the nearest two powers of two that can be reached."""
    near = sorted(powers, key=lambda pixels: abs(pixels - size))[:2]
    limits = f"from {min(powers)} to {max(powers)}"
    needed = f"{grower} doubles its images from 4 pixels; {size} is not a power of two {limits}"
    return RecipeError("recipe", [f"data.image_size: {needed}, use {near[0]} or {near[1]}"])


def first_map(features: Tensor, base: int, kernel: Tensor) -> Tensor:
    """Return features [N, C base base] as a map [N, C, base, base], in the memory format of a later kernel.

    The output of a linear layer is never channels-last, and convolutions would keep its format.
    """
    layout = torch.contiguous_format if kernel.is_contiguous() else torch.channels_last
    maps = features.reshape(-1, features.shape[1] // base**2, base, base)
    return maps.contiguous(memory_format=layout)
