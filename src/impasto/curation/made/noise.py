"""Noise on semantic maps.

Tucker 2022, "Using GANs to Produce Art in a Particular Style from Semantic Maps", sections 5 and 7
(docs/methods/paired-translation.md#noise-sweep). The paper replaces 1/4 of the pixels of every map by colours uniform
on {0..255}^3, with 255 included (the author's code excludes it). It proposes to vary the share of pixels, the share of
pictures and the colours. All three are options.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from impasto.data.renderers.canvas import Picture
from impasto.errors import ImpastoError, did_you_mean

Channel = Annotated[int, Field(ge=0, le=255)]
Colour = tuple[Channel, Channel, Channel]
PaletteName = Literal["uniform", "grey", "own", "low-saturation"]
Palette = PaletteName | Annotated[tuple[Colour, ...], Field(min_length=1)]
"""Colours of the noise: any RGB, greys, those of the picture, colours of low saturation, or a list."""

LOW_SATURATION = 0.25
"""Maximum HSV saturation of the palette low-saturation."""


def add_noise(picture: Picture, pixel_fraction: float, palette: Palette, rng: np.random.Generator) -> Picture:
    """Return a picture [H, W, 3]. Each pixel is replaced by a random colour with probability `pixel_fraction`."""
    hit = rng.random(picture.shape[:2], dtype=np.float32) < pixel_fraction
    noisy = picture.copy()
    noisy[hit] = drawn_colours(int(hit.sum()), palette, picture, rng)
    return noisy


def drawn_colours(count: int, palette: Palette, picture: Picture, rng: np.random.Generator) -> Picture:
    """Draw colours [count, 3] from a palette with equal probabilities."""
    if palette == "uniform":
        return rng.integers(0, 256, (count, 3), dtype=np.uint8)
    if palette == "grey":
        return np.repeat(rng.integers(0, 256, (count, 1), dtype=np.uint8), 3, axis=1)
    if palette == "low-saturation":
        return pale_colours(count, rng)
    choice = np.unique(picture.reshape(-1, 3), axis=0) if palette == "own" else np.array(palette, np.uint8)
    return np.asarray(choice[rng.integers(len(choice), size=count)])


def pale_colours(count: int, rng: np.random.Generator) -> Picture:
    """Draw colours [count, 3] of any hue and value, with HSV saturation uniform on [0, LOW_SATURATION]."""
    hue, value = rng.random((2, count))
    saturation = LOW_SATURATION * rng.random(count)
    sextant = (np.array([5, 3, 1])[:, None] + 6 * hue) % 6
    away = np.clip(np.minimum(sextant, 4 - sextant), 0, 1)  # distance of each channel from the brightest, [3, count]
    colours: NDArray[np.float64] = 255 * value * (1 - saturation * away)
    return np.round(colours.T).astype(np.uint8)


def read_palette(text: str) -> Palette:
    """Return the palette of a text: one of the names, or colours such as `#c03020,#204080`.

    Raises ImpastoError for any other text.
    """
    names = get_args(PaletteName)
    if text in names:
        return text  # type: ignore[return-value]
    colours = [colour.strip() for colour in text.split(",")]
    if not all(re.fullmatch(r"#[0-9a-fA-F]{6}", colour) for colour in colours):
        raise ImpastoError(
            f"--palette: {text!r} is neither a palette nor a list of colours such as #c03020,#204080"
            f"{did_you_mean(text, names)}"
        )
    return tuple((int(c[1:3], 16), int(c[3:5], 16), int(c[5:7], 16)) for c in colours)
