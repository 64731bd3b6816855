"""Pictures inside pages: shrunk, encoded, and together no heavier than a page may be."""

from __future__ import annotations

import base64
import io
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from impasto.data.pictures import read_picture

Progress = Callable[[int, int], None]
"""Called with the number of pictures done and the number of all pictures."""

JPEG_QUALITY = 88
THREADS = 4
"""Threads that encode pictures. Pillow releases Python's lock while it encodes."""
SMALL = 128
"""A picture with a longer side below this many pixels is enlarged without smoothing."""


class Picture(NamedTuple):
    """A picture as a page holds it, and the pixels from which it was encoded."""

    pixels: Image.Image
    media_type: str
    content: bytes

    @property
    def weight(self) -> int:
        """Its size in bytes."""
        return len(self.content)

    @property
    def uri(self) -> str:
        """The picture as a data URI."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.content).decode()}"


def load_pictures(
    paths: Iterable[Path], longest_side: int, most_bytes: int, progress: Progress | None = None
) -> dict[Path, Picture]:
    """Return the pictures by path. The heaviest ones are shrunk until all together weigh at most `most_bytes`.

    Raises PictureError when one cannot be read.
    """
    wanted = list(dict.fromkeys(paths))
    pictures = {}
    with ThreadPoolExecutor(THREADS, thread_name_prefix="impasto-pages") as pool:
        encoded = pool.map(lambda path: encode(within(read_picture(path), longest_side)), wanted)
        for done, (path, picture) in enumerate(zip(wanted, encoded, strict=True), start=1):
            pictures[path] = picture
            if progress is not None:
                progress(done, len(wanted))
        while sum(picture.weight for picture in pictures.values()) > most_bytes:
            level = _level([picture.weight for picture in pictures.values()], most_bytes)
            heavy = [path for path, picture in pictures.items() if picture.weight > level]
            lighter = pool.map(_lighter, [pictures[path] for path in heavy], itertools.repeat(level))
            pictures.update(zip(heavy, lighter, strict=True))
    return pictures


def within(pixels: Image.Image, longest_side: int) -> Image.Image:
    """Return a copy with a longer side of at most `longest_side` pixels."""
    smaller = pixels.copy()
    smaller.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    return smaller


def encode(pixels: Image.Image) -> Picture:
    """Encode as JPEG, or as PNG where that is smaller (flat colours, drawings)."""
    jpeg, png = encode_jpeg(pixels), io.BytesIO()
    pixels.save(png, "PNG")
    return min(jpeg, Picture(pixels, "image/png", png.getvalue()), key=lambda picture: picture.weight)


def encode_jpeg(pixels: Image.Image) -> Picture:
    """Encode as JPEG."""
    content = io.BytesIO()
    pixels.save(content, "JPEG", quality=JPEG_QUALITY, subsampling="4:4:4")  # without bleeding between red and blue
    return Picture(pixels, "image/jpeg", content.getvalue())


def _level(weights: Sequence[int], most: int) -> float:
    """Return the weight to which the heavier ones must shrink for all together to weigh `most`."""
    left = float(most)
    for place, weight in enumerate(sorted(weights)):
        level = left / (len(weights) - place)
        if weight > level:
            return level
        left -= weight
    return math.inf


def _lighter(picture: Picture, weight: float) -> Picture:
    """Return a picture shrunk to about that weight, which is in proportion to its area."""
    share = 0.97 * math.sqrt(weight / picture.weight)
    return encode(within(picture.pixels, max(1, int(max(picture.pixels.size) * share))))
