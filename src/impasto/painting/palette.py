"""A painting in its photo's palette: Reinhard et al. 2001, "Color transfer between images", by CIE Lab."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

MOST_GAIN = 3.0
"""How much a channel's contrast grows at most: a painting almost of one colour has mostly noise to show."""
BAND = 1 << 20
"""Pixels converted at a time: Lab takes no more memory than this, however large the picture."""

Levels = NDArray[np.float64]


def with_palette_of(photo: Image.Image, painting: Image.Image) -> Image.Image:
    """Return an RGB painting whose lightness and colours have the photo's means and deviations; RGB of any size."""
    wanted, found = _moments(photo), _moments(painting)
    tables = [_table(*moments) for moments in zip(*wanted, *found, strict=True)]
    kept = Image.new("RGB", painting.size)
    for top, band in _bands(painting):
        channels = [channel.point(table) for channel, table in zip(_to_lab(band).split(), tables, strict=True)]
        kept.paste(_to_rgb(Image.merge("LAB", channels)), (0, top))
    return kept


def _table(wanted_mean: float, wanted_deviation: float, mean: float, deviation: float) -> list[int]:
    """Return what becomes of each of a channel's 256 levels."""
    gain = min(wanted_deviation / deviation, MOST_GAIN) if deviation > 0 else 1.0
    levels = wanted_mean + gain * (np.arange(256) - mean)
    return [int(level) for level in levels.round().clip(0, 255)]


def _moments(picture: Image.Image) -> tuple[Levels, Levels]:
    """Return mean and deviation of L*, a* and b*, in levels of 8 bits."""
    counts = np.zeros((3, 256))
    for _, band in _bands(picture):
        counts += np.reshape(_to_lab(band).histogram(), (3, 256))
    shares, levels = counts / counts.sum(1, keepdims=True), np.arange(256)
    means = shares @ levels
    return means, np.sqrt((shares * (levels - means[:, None]) ** 2).sum(1))


def _bands(picture: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """Yield the picture from top to bottom in bands, each with the row where it begins."""
    rows = max(1, BAND // picture.width)
    for top in range(0, picture.height, rows):
        yield top, picture.crop((0, top, picture.width, min(top + rows, picture.height)))


def _to_lab(picture: Image.Image) -> Image.Image:
    """Return 8 bits each of L*, a* and b*, the latter two with 128 for 0."""
    rgb, lab = _profiles()
    return _applied(picture, rgb, lab, "LAB")


def _to_rgb(picture: Image.Image) -> Image.Image:
    rgb, lab = _profiles()
    return _applied(picture, lab, rgb, "RGB")


def _applied(
    picture: Image.Image, here: ImageCms.ImageCmsProfile, there: ImageCms.ImageCmsProfile, mode: str
) -> Image.Image:
    converted = ImageCms.profileToProfile(picture, here, there, outputMode=mode)
    assert converted is not None  # it is None only where the picture itself is changed
    return converted


@cache
def _profiles() -> tuple[ImageCms.ImageCmsProfile, ImageCms.ImageCmsProfile]:
    """Return sRGB and Lab."""
    return (
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")),
    )
