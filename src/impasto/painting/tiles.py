"""Large pictures in bounded memory: painted in tiles that a thumbnail makes agree.

Chen et al. 2022, "Towards ultra-resolution neural style transfer via thumbnail instance normalization"
(arXiv:2103.11784). Instance norm makes every pixel of a painting depend on all of its photo, but only by the mean and
variance of each feature. These come from a thumbnail; given them, a tile that sees as much of its surroundings as the
networks reach is painted as it would be in the whole, so that nothing has to be blended and there are no seams.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from PIL import Image

from impasto.networks.instance_norm import keeping_statistics, noting_statistics
from impasto.networks.noise import noise_from

WHOLE = 1_500_000
"""Pixels up to which a picture is painted in one piece, and of the thumbnail of a larger one. A smaller thumbnail has
other statistics than its picture: of half the size, a painting was 2 to 12 of 255 off."""
TILE = 1_280
"""Longest side of what one tile paints, pixels; a multiple of 4."""
THINNEST = 16
"""Pixels: networks that halve twice would border something thinner with more than it has."""
STRIDE = 4
"""Networks that halve twice see pictures in steps of so many pixels: a tile begins at one."""

Box = tuple[int, int, int, int]
"""Left, top, right, bottom: pixels, the last two exclusive."""
PaintWhole = Callable[[Image.Image], Image.Image]
"""Paints a picture in one piece, at its own size."""


class Tile(NamedTuple):
    """A part of a picture."""

    paints: Box
    sees: Box
    """As much more on each side as is felt in what it paints, where the picture has that much."""


def paint_tiled(
    picture: Image.Image, paint: PaintWhole, reach: int, progress: Callable[[float], None] | None = None
) -> Image.Image:
    """Return the painting of an RGB picture, in tiles where it has more than WHOLE pixels.

    `reach` is the painter's, see Painter; `progress` is told the share that is painted.
    """
    if picture.width * picture.height <= WHOLE:
        return paint(picture)
    with noting_statistics() as statistics:
        paint(thumbnail(picture))
    painting = Image.new("RGB", picture.size)
    tiles = list(parted(picture.size, reach))
    for done, tile in enumerate(tiles, start=1):
        with keeping_statistics(statistics), noise_from(tile.sees[1], tile.sees[0]):
            painted = paint(picture.crop(tile.sees))
        left, top, right, bottom = tile.paints
        x, y = left - tile.sees[0], top - tile.sees[1]
        painting.paste(painted.crop((x, y, x + right - left, y + bottom - top)), (left, top))
        if progress:
            progress(done / len(tiles))
    return painting


def thumbnail(picture: Image.Image) -> Image.Image:
    """Return a picture of WHOLE pixels in the proportions of a larger one, strips excepted."""
    scale = math.sqrt(WHOLE / (picture.width * picture.height))
    width, height = (max(round(side * scale), min(side, THINNEST)) for side in picture.size)
    longest = WHOLE // min(width, height)  # of a strip, its proportions would ask for more
    return picture.resize((min(width, longest), min(height, longest)), Image.Resampling.LANCZOS, reducing_gap=3.0)


def parted(size: tuple[int, int], reach: int) -> Iterator[Tile]:
    """Yield tiles that cover a picture of this width and height once, row by row."""
    width, height = size
    halo = math.ceil(reach / STRIDE) * STRIDE
    for top, bottom in _spans(height):
        for left, right in _spans(width):
            sees = max(0, left - halo), max(0, top - halo), min(width, right + halo), min(height, bottom + halo)
            yield Tile((left, top, right, bottom), sees)


def _spans(length: int) -> Iterator[tuple[int, int]]:
    """Part a length evenly into spans of at most TILE that begin at multiples of STRIDE."""
    step = math.ceil(length / math.ceil(length / TILE) / STRIDE) * STRIDE
    return ((start, min(start + step, length)) for start in range(0, length, step))
