"""Transfers a photo's palette to its painting: Reinhard et al. 2001, "Color transfer between images", in CIE Lab."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

MOST_GAIN = 3.0
"""Largest contrast gain of a channel. In a painting of almost one colour, a larger gain would amplify noise."""
BAND = 1 << 20
"""Pixels converted at a time. It limits the memory for large pictures."""

Levels = NDArray[np.float64]


def with_palette_of(photo: Image.Image, painting: Image.Image) -> Image.Image:
    """Return an RGB painting with the photo's means and standard deviations of L*, a* and b*. Sizes may differ."""
    wanted, own = _moments(photo), _moments(painting)
    tables = [_table(*moments) for moments in zip(*wanted, *own, strict=True)]
    kept = Image.new("RGB", painting.size)
    for top, band in _bands(painting):
        channels = [channel.point(table) for channel, table in zip(_to_lab(band).split(), tables, strict=True)]
        kept.paste(_to_rgb(Image.merge("LAB", channels)), (0, top))
    return kept


def _table(wanted_mean: float, wanted_deviation: float, mean: float, deviation: float) -> list[int]:
    """Return the new level for each of a channel's 256 levels."""
    gain = min(wanted_deviation / deviation, MOST_GAIN) if deviation > 0 else 1.0
    levels = wanted_mean + gain * (np.arange(256) - mean)
    return [int(level) for level in levels.round().clip(0, 255)]


def _moments(picture: Image.Image) -> tuple[Levels, Levels]:
    """Return means and standard deviations of L*, a* and b*, in levels of 8 bits."""
    counts = np.zeros((3, 256))
    for _, band in _bands(picture):
        counts += np.reshape(_to_lab(band).histogram(), (3, 256))
    shares, levels = counts / counts.sum(1, keepdims=True), np.arange(256)
    means = shares @ levels
    return means, np.sqrt((shares * (levels - means[:, None]) ** 2).sum(1))


def _bands(picture: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """Yield the first row and the picture of each band, from top to bottom."""
    rows = max(1, BAND // picture.width)
    for top in range(0, picture.height, rows):
        yield top, picture.crop((0, top, picture.width, min(top + rows, picture.height)))


def _to_lab(picture: Image.Image) -> Image.Image:
    """Return L*, a* and b* with 8 bits each. For a* and b*, 128 means 0."""
    rgb, lab = _profiles()
    return _applied(picture, rgb, lab, "LAB")


def _to_rgb(picture: Image.Image) -> Image.Image:
    rgb, lab = _profiles()
    return _applied(picture, lab, rgb, "RGB")


def _applied(
    picture: Image.Image, here: ImageCms.ImageCmsProfile, there: ImageCms.ImageCmsProfile, mode: str
) -> Image.Image:
    converted = ImageCms.profileToProfile(picture, here, there, outputMode=mode)
    assert converted is not None  # it is None only for a conversion in place
    return converted


@cache
def _profiles() -> tuple[ImageCms.ImageCmsProfile, ImageCms.ImageCmsProfile]:
    """Return the colour profiles of sRGB and Lab."""
    return (
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")),
    )
