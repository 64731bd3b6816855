"""One photo in, one painting of the same size out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from PIL import Image
from torch import Tensor

from impasto.chance import Draws
from impasto.data.pictures import MAX_MEGAPIXELS
from impasto.data.prompts import PhotoPrompt, Prompt, StylePrompt
from impasto.data.transforms import to_picture, to_pixels, to_range
from impasto.errors import PainterError, PictureError
from impasto.painter import ignore_progress
from impasto.painting.paint import Report, paint_prompt
from impasto.painting.painters import LoadedPainter
from impasto.painting.palette import with_palette_of
from impasto.painting.tiles import paint_tiled

Kind = Literal["PNG", "JPEG", "WEBP"]
Colours = Literal["painted", "keep"]
Size = int | Literal["own"]
SMALLEST_SIDE = 8
"""Shortest side of a photo that can be painted, in pixels."""
SMALLEST_BRUSH = 16
"""Smallest short side, in pixels, that a user can ask to paint at."""
LARGEST_DEFAULT_SIDE = 800
"""Default short side, in pixels, at which larger photos are painted. A brush is some pixels wide; in a photo of 3,000
pixels it would be invisible."""


@dataclass(frozen=True)
class PhotoOptions:
    """How photos are painted, with any painter. A method's own options are `LoadedPainter.options`."""

    size: Size | None = None
    """Short side at which to paint, in pixels. A smaller one gives a coarser brush. `own`: the photo's. Default: the
    photo's, but at most LARGEST_DEFAULT_SIDE."""
    strength: float = 1.0
    """0 is the photo and 1 the painting. Values between mix their pixels."""
    colours: Colours = "painted"
    """keep: the painting takes the photo's palette."""
    kind: Kind | None = None
    """Format of the paintings. Default: the photo's where that is PNG, JPEG or WebP, else PNG."""
    overwrite: bool = False
    seed: int = 0
    max_megapixels: float = MAX_MEGAPIXELS


def paint_picture(
    picture: Image.Image,
    painter: LoadedPainter,
    options: PhotoOptions,
    progress: Report = ignore_progress,
    style: Image.Image | None = None,
) -> Image.Image:
    """Paint one RGB picture; the painting has its size.

    `style` is the RGB style picture for a painter of StylePrompts. Painters that support tiles paint large photos in
    tiles. `progress` receives the finished share, 0 to 1. Raises PainterError when there is not enough memory,
    PictureError when the size to paint at exceeds the limit of megapixels.
    """
    try:
        seen = _brought_to(picture, options)
        in_style_of = None if style is None else _brought_to(style, options)
        painting = _painted(seen, in_style_of, painter, options.seed, progress)
        if painting.size != picture.size:
            painting = painting.resize(picture.size, Image.Resampling.LANCZOS)
        if options.colours == "keep":
            painting = with_palette_of(picture, painting)
        return painting if options.strength == 1 else Image.blend(picture, painting, options.strength)
    except MemoryError as error:
        raise PainterError(
            f"there is not enough memory for {picture.width} x {picture.height} pixels; shrink the photo first"
        ) from error


def _painted(
    seen: Image.Image, style: Image.Image | None, painter: LoadedPainter, seed: int, progress: Report
) -> Image.Image:
    """Paint a picture at its own size."""

    def whole(part: Image.Image, report: Report) -> Image.Image:
        return _paint_whole(part, style, painter, seed, report)

    tiling = painter.painter.tiling
    return whole(seen, progress) if tiling is None else paint_tiled(seen, whole, tiling, progress)


def _paint_whole(
    picture: Image.Image, style: Image.Image | None, painter: LoadedPainter, seed: int, report: Report
) -> Image.Image:
    photo, styles = _image_of(picture), None if style is None else _image_of(style)
    prompt: Prompt = PhotoPrompt(photo) if styles is None else StylePrompt(photo, styles)
    try:
        painted = paint_prompt(painter.painter, prompt, Draws.for_photos(seed), painter.options, report=report)[0]
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error):
            raise PainterError(
                f"there is not enough memory to paint {picture.width} x {picture.height} pixels at once; use --size "
                f"with a number below {min(picture.size)}"
            ) from error
        raise
    return to_picture(painted)


def _image_of(picture: Image.Image) -> Tensor:
    """Return a picture as a batch of one, float32 [1, 3, H, W] in [-1, 1]."""
    return to_range(to_pixels(picture))[None]


def _brought_to(picture: Image.Image, options: PhotoOptions) -> Image.Image:
    """Return the picture at the size to paint at."""
    own = min(picture.size)
    wanted = own if options.size == "own" else options.size or min(own, LARGEST_DEFAULT_SIDE)
    if wanted == own:
        return picture
    scale = wanted / own
    width, height = (max(SMALLEST_SIDE, round(side * scale)) for side in picture.size)
    if width * height > options.max_megapixels * 1e6:
        raise PictureError(
            f"at --size {wanted} a picture of {picture.width} x {picture.height} pixels would have {width} x "
            f"{height}, more than the limit of {options.max_megapixels:g} megapixels; use a smaller --size"
        )
    return picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
