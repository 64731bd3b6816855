"""How generators that double images grow to a size."""

from __future__ import annotations

from typing import NamedTuple

from impasto.errors import RecipeError

SMALLEST, LARGEST = 16, 256


class Growth(NamedTuple):
    """From the first map of a generator to its image."""

    base: int
    """Height and width of the first map: 4, or 7 for MNIST's 28 pixels and their like."""
    doublings: int


def growth(size: int, method: str) -> Growth:
    """Return how to reach a size in pixels by doubling 4 or 7.

    Raises RecipeError, naming sizes that can be reached, for all others.
    """
    sizes = {base << doublings: Growth(base, doublings) for base in (4, 7) for doublings in range(2, 7)}
    reached = {pixels: way for pixels, way in sizes.items() if SMALLEST <= pixels <= LARGEST}
    if size not in reached:
        powers = [pixels for pixels, way in reached.items() if way.base == 4]
        near = sorted(powers, key=lambda pixels: abs(pixels - size))[:2]
        needed = f"{method} doubles its images from 4 pixels; {size} is no power of two from {SMALLEST} to {LARGEST}"
        raise RecipeError("recipe", [f"data.image_size: {needed}, use {near[0]} or {near[1]}"])
    return reached[size]
