"""Paints large pictures in tiles, with bounded memory. Statistics of a thumbnail make the tiles match.

Chen et al. 2022, "Towards ultra-resolution neural style transfer via thumbnail instance normalization"
(arXiv:2103.11784). With instance norm, every pixel of a painting depends on the whole photo, but only through the mean
and variance of each feature. Here a thumbnail gives these values. Each tile also sees its surroundings, as far as the
receptive field of the networks. So it is painted as in the whole picture, without blending and without seams.
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
"""Most pixels of a picture that is painted in one piece. Also the pixels of the thumbnail of a larger picture. The
statistics of a smaller thumbnail differ more: with half the size, paintings differed by 2 to 12 of 255."""
TILE = 1_280
"""Longest side that one tile paints, in pixels, rounded up to a multiple of the painter's step."""
THINNEST = 16
"""Thinnest thumbnail, in pixels. Networks that halve twice would pad a thinner one by more than its size."""

Box = tuple[int, int, int, int]
"""Left, top, right, bottom: pixels, the last two exclusive."""
PaintWhole = Callable[[Image.Image, Callable[[float], None]], Image.Image]
"""Paints a picture in one piece, at its own size, and reports the finished share, 0 to 1."""


class Tile(NamedTuple):
    """A part of a picture."""

    paints: Box
    sees: Box
    """The painted box with the surroundings that influence it, within the picture."""


def paint_tiled(
    picture: Image.Image,
    paint: PaintWhole,
    tiling: Tiling,
    progress: Callable[[float], None] = ignore_progress,
) -> Image.Image:
    """Return the painting of an RGB picture. A picture of more than WHOLE pixels is painted in tiles.

    `tiling` is the painter's. `progress` receives the finished share, 0 to 1.
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
    """Return a picture reduced to about WHOLE pixels. Proportions are kept, except for very narrow pictures."""
    scale = math.sqrt(WHOLE / (picture.width * picture.height))
    width, height = (max(round(side * scale), min(side, THINNEST)) for side in picture.size)
    longest = WHOLE // min(width, height)  # limits very narrow pictures
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
