"""One photo in, one painting of its size out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from PIL import Image

from impasto.chance import generator
from impasto.data.batches import Images
from impasto.data.pictures import MAX_MEGAPIXELS
from impasto.data.transforms import to_picture, to_pixels, to_range
from impasto.errors import PainterError, PictureError
from impasto.hardware import has_bf16
from impasto.painting.painters import LoadedPainter
from impasto.painting.palette import with_palette_of
from impasto.painting.tiles import paint_tiled

Kind = Literal["PNG", "JPEG", "WEBP"]
Colours = Literal["painted", "keep"]
Size = int | Literal["own"]
SMALLEST_SIDE = 8
"""Below this, pixels, there is nothing to paint."""
LARGEST_UNASKED = 800
"""Short side at which larger photos are painted unless said, pixels. A brush is some pixels wide: in a photo of 3,000
nobody would see it."""


@dataclass(frozen=True)
class PaintSettings:
    """How to paint, whatever the painter."""

    size: Size | None = None
    """Short side at which to paint, pixels: a smaller one gives a coarser brush, a larger one a finer. The photo's own,
    but at most LARGEST_UNASKED, unless said; own: the photo's own, however large."""
    strength: float = 1.0
    """From 0, the photo, to 1, the painting: a mean of their pixels."""
    colours: Colours = "painted"
    """keep: the painting takes the photo's palette."""
    kind: Kind | None = None
    """Format of the paintings; the photo's own where that is PNG, JPEG or WebP, else PNG."""
    overwrite: bool = False
    seed: int = 0
    max_megapixels: float = MAX_MEGAPIXELS


def paint_picture(
    picture: Image.Image,
    painter: LoadedPainter,
    settings: PaintSettings,
    progress: Callable[[float], None] | None = None,
) -> Image.Image:
    """Paint one RGB picture; the painting has its size.

    A large one is painted in tiles, by painters that can; `progress` is then told the share that is painted. Raises
    PainterError when memory does not suffice, PictureError when the size to paint at exceeds the limit of megapixels.
    """
    try:
        painting = _painted(_brought_to(picture, settings), painter, settings, progress)
        if painting.size != picture.size:
            painting = painting.resize(picture.size, Image.Resampling.LANCZOS)
        if settings.colours == "keep":
            painting = with_palette_of(picture, painting)
        return painting if settings.strength == 1 else Image.blend(picture, painting, settings.strength)
    except MemoryError as error:
        raise PainterError(
            f"there is not enough memory for {picture.width} x {picture.height} pixels; shrink the photo first"
        ) from error


def _painted(
    seen: Image.Image, painter: LoadedPainter, settings: PaintSettings, progress: Callable[[float], None] | None
) -> Image.Image:
    """Paint at the picture's own size."""

    def whole(part: Image.Image) -> Image.Image:
        return _paint_whole(part, painter, settings.seed)

    reach = painter.painter.reach
    return whole(seen) if reach is None else paint_tiled(seen, whole, reach, progress)


def _paint_whole(picture: Image.Image, painter: LoadedPainter, seed: int) -> Image.Image:
    device = painter.painter.device
    image = to_range(to_pixels(picture))[None].to(device).contiguous(memory_format=torch.channels_last)
    try:
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device.type)):
            painted = painter.painter.paint(Images(image), generator(seed, "paint"))[0]
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error):
            raise PainterError(
                f"there is not enough memory to paint {picture.width} x {picture.height} pixels at once; say --size "
                f"with a number below {min(picture.size)}"
            ) from error
        raise
    return to_picture(painted)


def _brought_to(picture: Image.Image, settings: PaintSettings) -> Image.Image:
    """Return the picture at the size at which it is to be painted."""
    own = min(picture.size)
    wanted = own if settings.size == "own" else settings.size or min(own, LARGEST_UNASKED)
    if wanted == own:
        return picture
    scale = wanted / own
    width, height = (max(SMALLEST_SIDE, round(side * scale)) for side in picture.size)
    if width * height > settings.max_megapixels * 1e6:
        raise PictureError(
            f"at --size {wanted} a picture of {picture.width} x {picture.height} pixels would have {width} x "
            f"{height}, more than the limit of {settings.max_megapixels:g} megapixels; say a smaller --size"
        )
    return picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
