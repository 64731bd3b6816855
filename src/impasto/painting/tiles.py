"""Large pictures in bounded memory: painted in tiles that a thumbnail makes agree.

Chen et al. 2022, "Towards ultra-resolution neural style transfer via thumbnail instance normalization"
(arXiv:2103.11784). Instance norm makes every pixel of a painting depend on all of its photo, but only by the mean and
variance of each feature. These come from a thumbnail. Given them, a tile that sees its surroundings as far as the
networks reach is painted as in the whole picture. Nothing is blended and there are no seams.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from PIL import Image

from impasto.networks.instance_norm import keeping_statistics, noting_statistics
from impasto.networks.noise import noise_from
from impasto.painter import Tiling, ignore_progress

WHOLE = 1_500_000
"""Pixels up to which a picture is painted in one piece, and of the thumbnail of a larger one. A smaller thumbnail has
other statistics than its picture: with half the size, a painting was 2 to 12 of 255 off."""
TILE = 1_280
"""Longest side of what one tile paints, in pixels, rounded up to a multiple of the painter's step."""
THINNEST = 16
"""Thinnest thumbnail, in pixels. Networks that halve twice would pad a thinner one by more than its size."""

Box = tuple[int, int, int, int]
"""Left, top, right, bottom: pixels, the last two exclusive."""
PaintWhole = Callable[[Image.Image, Callable[[float], None]], Image.Image]
"""Paints a picture in one piece, at its own size, and tells the share that is done."""


class Tile(NamedTuple):
    """A part of a picture."""

    paints: Box
    sees: Box
    """What it paints and, on each side, the surroundings that influence it, as far as the picture reaches."""


def paint_tiled(
    picture: Image.Image,
    paint: PaintWhole,
    tiling: Tiling,
    progress: Callable[[float], None] = ignore_progress,
) -> Image.Image:
    """Return the painting of an RGB picture, in tiles where it has more than WHOLE pixels.

    `tiling` is the painter's. `progress` is told the share that is painted.
    """
    if picture.width * picture.height <= WHOLE:
        return paint(picture, progress)
    with noting_statistics() as statistics:
        paint(thumbnail(picture), ignore_progress)
    painting = Image.new("RGB", picture.size)
    tiles = list(parted(picture.size, tiling))
    for done, tile in enumerate(tiles):

        def report(share: float, done: int = done) -> None:
            progress((done + share) / len(tiles))

        with keeping_statistics(statistics), noise_from(tile.sees[1], tile.sees[0]):
            painted = paint(picture.crop(tile.sees), report)
        left, top, right, bottom = tile.paints
        x, y = left - tile.sees[0], top - tile.sees[1]
        painting.paste(painted.crop((x, y, x + right - left, y + bottom - top)), (left, top))
        report(1)
    return painting


def thumbnail(picture: Image.Image) -> Image.Image:
    """Return a picture of WHOLE pixels in the proportions of a larger one, strips excepted."""
    scale = math.sqrt(WHOLE / (picture.width * picture.height))
    width, height = (max(round(side * scale), min(side, THINNEST)) for side in picture.size)
    longest = WHOLE // min(width, height)  # of a strip, its proportions would ask for more
    return picture.resize((min(width, longest), min(height, longest)), Image.Resampling.LANCZOS, reducing_gap=3.0)


def parted(size: tuple[int, int], tiling: Tiling) -> Iterator[Tile]:
    """Yield tiles that cover a picture of this width and height once, row by row."""
    width, height = size
    halo = math.ceil(tiling.reach / tiling.step) * tiling.step
    for top, bottom in _spans(height, tiling.step):
        for left, right in _spans(width, tiling.step):
            sees = max(0, left - halo), max(0, top - halo), min(width, right + halo), min(height, bottom + halo)
            yield Tile((left, top, right, bottom), sees)


def _spans(length: int, step: int) -> Iterator[tuple[int, int]]:
    """Split a length evenly into spans of about TILE or less that begin at multiples of `step`."""
    side = math.ceil(length / math.ceil(length / TILE) / step) * step
    return ((start, min(start + side, length)) for start in range(0, length, side))
