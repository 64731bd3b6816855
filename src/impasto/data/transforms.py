"""From decoded pictures to a batch: random crops and flips. A resumed run draws the same ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from impasto.data.pictures import read_picture, scaled, to_array
from impasto.data.sources import Half, Source
from impasto.errors import PictureError

CROP_DRAWS = 10
"""Draws of a part of random size before the largest possible part is taken."""
SMALLEST_PART = 0.08
"""Smallest share of the area of a picture in a part of random size."""


class ReadOptions(NamedTuple):
    """How a picture is read: whether proportions and colours are kept."""

    squash: bool = False
    """Resize to a square instead of keeping proportions."""
    channels: Literal[1, 3] = 3
    """3: red, green and blue; 1: their luma, 0.299 R + 0.587 G + 0.114 B of the stored values (ITU-R BT.601)."""


DEFAULT_READ = ReadOptions()


def to_pixels(picture: Image.Image) -> Tensor:
    """Return an RGB or grey picture as uint8 [3 or 1, H, W]."""
    return torch.from_numpy(np.atleast_3d(to_array(picture))).permute(2, 0, 1)


def read_pixels(source: Source, max_megapixels: float, short_side: int, options: ReadOptions = DEFAULT_READ) -> Tensor:
    """Return a picture resized to a shorter side of `short_side`: uint8 [C, H, W].

    In memory the channels of a pixel are adjacent.

    Raises PictureError if it cannot be read, or is so thin that the result exceeds `max_megapixels`.
    """
    picture = read_picture(source, max_megapixels, at_least=short_side)
    if options.channels == 1:
        picture = picture.convert("L")
    if options.squash:
        return resized(to_pixels(picture), short_side, short_side)
    return _to_short_side(source, picture, max_megapixels, short_side)


def read_halves(halves: Sequence[Half], max_megapixels: float, short_side: int) -> list[Tensor]:
    """Return the halves of one picture as `read_pixels` does, but decode the picture once."""
    whole = read_picture(halves[0].whole, max_megapixels)
    parts = [whole.crop(half.box(*whole.size)) for half in halves]
    return [_to_short_side(half, part, max_megapixels, short_side) for half, part in zip(halves, parts, strict=True)]


def _to_short_side(source: Source, picture: Image.Image, max_megapixels: float, short_side: int) -> Tensor:
    width, height = scaled(picture.size, short_side)
    if width * height / 1e6 > max_megapixels:
        raise PictureError(
            f"{source} is so thin ({picture.width} x {picture.height} pixels) that resizing it to a short side of "
            f"{short_side} exceeds {max_megapixels:g} megapixels; crop it or remove it"
        )
    return resized(to_pixels(picture), height, width)


def resized(pixels: Tensor, height: int, width: int) -> Tensor:
    """Resize uint8 [C, H, W] to [C, height, width], bicubic and antialiased, as Pillow does but over twice as fast.

    It is fast only if the channels of a pixel are adjacent in memory, as `to_pixels` returns them.
    """
    if pixels.shape[1:] == (height, width):
        return pixels
    return F.interpolate(batch_of(pixels), (height, width), mode="bicubic", antialias=True)[0]


def batch_of(image: Tensor) -> Tensor:
    """View an image [C, H, W] as a batch [1, C, H, W] that torch recognises as channels_last if it is.

    Torch does not recognise image[None]; its results would be planar and several times slower.
    """
    return image.permute(1, 2, 0)[None].permute(0, 3, 1, 2)


def to_picture(image: Tensor) -> Image.Image:
    """Return an image [3, H, W], or grey [1, H, W], in [-1, 1] as an RGB picture, rounded to 8 bits."""
    values = image.detach().to("cpu", torch.float32).clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
    return Image.fromarray(np.ascontiguousarray(values.expand(3, -1, -1).permute(1, 2, 0).numpy()))


def to_range(pixels: Tensor) -> Tensor:
    """Map uint8 0..255 to float32 [-1, 1]."""
    return pixels.to(torch.float32).div_(127.5).sub_(1)


def random_crop(picture: Tensor, size: int, *, flip: bool, generator: torch.Generator) -> Tensor:
    """Crop a random square uint8 [C, size, size] from [C, H, W]. With `flip`, mirror it with probability 1/2.

    Equal generators give the same crop and flip for pictures of the same size.
    """
    _, height, width = picture.shape
    chances: list[float] = torch.rand(3, generator=generator).tolist()  # one call is faster than three
    top, left = int(chances[0] * (height - size + 1)), int(chances[1] * (width - size + 1))
    crop = picture[:, top : top + size, left : left + size]
    return crop.flip(-1) if flip and chances[2] < 0.5 else crop


def mirrored_centre(picture: Tensor, size: int, *, flip: bool, generator: torch.Generator) -> Tensor:
    """Crop the centre square [C, size, size] from uint8 [C, H, W]. With `flip`, mirror it with probability 1/2."""
    crop = centre_crop(picture, size)
    return crop.flip(-1) if flip and float(torch.rand(1, generator=generator)) < 0.5 else crop


def random_resized_crop(picture: Tensor, size: int, *, flip: bool, generator: torch.Generator) -> Tensor:
    """Crop a random part from uint8 [C, H, W], resize it to [C, size, size] and flip it as `random_crop` does.

    Its area is 8 to 100 % of the picture and its width 3/4 to 4/3 of its height (Szegedy et al. 2015, arXiv:1409.4842,
    section 6). If ten draws do not fit, the largest possible part is taken.
    """
    _, height, width = picture.shape
    chances = torch.rand(2 * CROP_DRAWS + 3, generator=generator).tolist()
    across, down, mirror = chances[-3:]
    crop_height, crop_width = _drawn_shape(height, width, chances[:-3])
    top, left = int(down * (height - crop_height + 1)), int(across * (width - crop_width + 1))
    crop = resized(picture[:, top : top + crop_height, left : left + crop_width], size, size)
    return crop.flip(-1) if flip and mirror < 0.5 else crop


def _drawn_shape(height: int, width: int, chances: Sequence[float]) -> tuple[int, int]:
    """Return height and width of the first drawn part that fits, else of the largest allowed part."""
    widest = math.log(4 / 3)
    for area_chance, ratio_chance in zip(chances[0::2], chances[1::2], strict=True):
        area = height * width * (SMALLEST_PART + (1 - SMALLEST_PART) * area_chance)
        ratio = math.exp(widest * (2 * ratio_chance - 1))
        shape = round(math.sqrt(area / ratio)), round(math.sqrt(area * ratio))
        if 0 < shape[0] <= height and 0 < shape[1] <= width:
            return shape
    return min(height, round(width * 4 / 3)), min(width, round(height * 4 / 3))


def stacked(crops: Sequence[Tensor]) -> Tensor:
    """Return uint8 crops [C, S, S] as float32 [N, C, S, S] in [-1, 1], in channels_last memory format."""
    channels, height, width = crops[0].shape
    batch = torch.empty(len(crops), height, width, channels)
    for image, crop in zip(batch, crops, strict=True):  # one by one, so each stays in the cache of the processor
        image.copy_(crop.permute(1, 2, 0)).div_(127.5).sub_(1)
    return batch.permute(0, 3, 1, 2)


def centre_square(picture: Tensor, multiple: int = 4) -> Tensor:
    """Return the largest centred square of [3, H, W] whose side is a multiple of `multiple`."""
    _, height, width = picture.shape
    return centre_crop(picture, min(height, width) // multiple * multiple)


def centre_crop(picture: Tensor, size: int) -> Tensor:
    """Return the centre [..., size, size] of [..., H, W]."""
    height, width = picture.shape[-2:]
    top, left = (height - size) // 2, (width - size) // 2
    return picture[..., top : top + size, left : left + size]
