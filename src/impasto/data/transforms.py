"""From decoded pictures to a batch: random crops and flips, drawn per image from numbers a resumed run knows again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from impasto.data.pictures import to_array


def to_pixels(picture: Image.Image) -> Tensor:
    """Return an RGB picture as uint8 [3, H, W]."""
    return torch.from_numpy(to_array(picture)).permute(2, 0, 1)


def to_picture(image: Tensor) -> Image.Image:
    """Return an image [3, H, W] in [-1, 1] as an RGB picture, rounded to 8 bits."""
    values = image.detach().to("cpu", torch.float32).clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
    return Image.fromarray(np.ascontiguousarray(values.permute(1, 2, 0).numpy()))


def to_range(pixels: Tensor) -> Tensor:
    """Map uint8 0..255 to float32 [-1, 1]."""
    return pixels.to(torch.float32).div_(127.5).sub_(1)


def random_crops(pictures: Sequence[Tensor], size: int, *, flip: bool, generators: Sequence[torch.Generator]) -> Tensor:
    """Cut one random square from each uint8 picture [3, H, W] and mirror it with probability 1/2 if `flip`.

    Each picture has its own generator; pictures given equal generators are cut at the same place.
    Returns float32 [N, 3, size, size] in [-1, 1].
    """
    crops = []
    for picture, generator in zip(pictures, generators, strict=True):
        _, height, width = picture.shape
        top = int(torch.randint(height - size + 1, (), generator=generator))
        left = int(torch.randint(width - size + 1, (), generator=generator))
        crop = picture[:, top : top + size, left : left + size]
        mirrored = flip and bool(torch.rand((), generator=generator) < 0.5)
        crops.append(crop.flip(-1) if mirrored else crop)
    return to_range(torch.stack(crops))


def centre_square(picture: Tensor, multiple: int = 4) -> Tensor:
    """Return the largest centred square of [3, H, W] whose side is a multiple of `multiple`."""
    _, height, width = picture.shape
    side = min(height, width) // multiple * multiple
    top, left = (height - side) // 2, (width - side) // 2
    return picture[:, top : top + side, left : left + side]
