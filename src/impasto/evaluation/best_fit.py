"""How well one picture fits over another or a part of it, though it may be cropped, mirrored or re-encoded.

Models learn from random crops, often mirrored. So a memorised picture comes back as a part of the training picture, and
the plain difference of two thumbnails misses it: cutting 5 % off each edge moves them as far apart as two different
paintings. Here one thumbnail is placed over the other at every position, in several sizes, also mirrored, and the best
fit counts. Then `data/likeness.py` decides whether both show the same picture.

Measured on 1,761 paintings of short side 256: versions of 118 of them against their originals. RMSE and residue (the
difference that remains after tones are adjusted) are in levels of 255; `found` says for how many of 100 the best fit is
called the same picture.

    version                                    RMSE: median, 95 %   cosine: median, 5 %   residue: median, 95 %   found
    JPEG of quality 30                            1.9    2.2          0.999   0.997          0.5    0.6            100
    blurred (Gaussian, 3 pixels)                  3.3    6.6          0.999   0.996          0.7    1.3            100
    10 % brighter                                12.6   18.4          0.999   0.996          0.5    2.2             98
    30 % brighter                                32.4   45.6          0.995   0.686          2.0    8.8             87
    15 % less contrast                            8.8   13.3          0.999   0.997          0.4    0.5            100
    without colour                               21.3   36.4          1.000   0.999          0.3    0.4            100
    2 % cut off each edge                         8.7   18.1          0.971   0.935          3.6    8.8             97
    5 % cut off each edge                         8.6   14.8          0.968   0.933          3.9    7.2             96
    a random square, nine tenths of the side      6.9   14.1          0.975   0.938          3.4    7.8             97
    the same mirrored, JPEG of quality 50         7.5   12.5          0.972   0.933          3.8    7.0             98

Different pictures are rarely called the same. Of 881 of these paintings 7 were, all of them true duplicates; of 699
painted faces none, of 600 photos of 32 pixels (CIFAR-10) 2, of 600 handwritten digits (MNIST) 3. Each was compared with
the nearest eight others of its collection. A limit of RMSE and correlation alone called 97 of the digits the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from impasto.data.likeness import LEAST_COSINE, SIDE, Thumbnails, cosines, same_picture

SHORT_SIDE = 32
"""Shorter side of a thumbnail, pixels."""
LONGEST = 3
"""Long side of a thumbnail over its short side; thinner pictures are compressed to it."""
SMALLEST = 26
"""Shorter side to which a thumbnail shrinks when it is tried as a part of another: crops down to 81 % are found."""
GRID = 8
"""Side of the coarse grid by which likely originals are found."""
WINDOW = 30
"""Side of the square parts of a thumbnail that are also searched coarsely: about what training crops leave."""
VIEWS = 5
"""The whole and four square parts."""

SLACK = 3.0
"""Levels of 255 by which two thumbnails of one picture may differ more than in `data/likeness.py`: the best fit of a
crop is up to half a pixel off."""
SAME_RMSE = 3.0
"""Below this RMSE two pictures are the same in any case: blank pictures have no differences to compare."""
GREY = torch.tensor([0.299, 0.587, 0.114])
"""Weights of red, green and blue in a grey level (ITU-R BT.601), as Pillow has them."""


class Fit(NamedTuple):
    """How well one picture fits over another or a part of it."""

    rmse: float
    """Root mean square difference of the best fit, levels of 255."""
    cosine: float
    """Cosine between the differences of neighbouring pixels in the best fit, -1..1; 0 where a picture is blank."""
    same: bool
    """Whether both show the same picture."""
    mirrored: bool
    """Whether it fits best mirrored."""


def digest(picture: Tensor) -> bytes:
    """Return 16 bytes that are equal only for equal pixels (uint8 [3, H, W])."""
    found = hashlib.blake2b(repr(tuple(picture.shape)).encode(), digest_size=16)
    found.update(picture.contiguous().numpy().data)
    return found.digest()


def thumbnail(picture: Tensor) -> Tensor:
    """Return uint8 [3, H, W] shrunk or enlarged, in its proportions, to a shorter side of SHORT_SIDE pixels."""
    height, width = picture.shape[1:]
    scale = SHORT_SIDE / min(height, width)
    sides = [min(max(SHORT_SIDE, round(side * scale)), LONGEST * SHORT_SIDE) for side in (height, width)]
    return _resized(picture, (sides[0], sides[1]))


def views(small: Tensor) -> Tensor:
    """Return coarse views of a thumbnail, uint8 [VIEWS, 3, GRID, GRID]: the whole, then squares along its length."""
    height, width = small.shape[1:]
    parts = [small]
    for place in range(VIEWS - 1):
        top, left = (round((side - WINDOW) * place / (VIEWS - 2)) for side in (height, width))
        parts.append(small[:, top : top + WINDOW, left : left + WINDOW])
    return torch.stack([_resized(part, (GRID, GRID)) for part in parts])


def coarse_rmse(wholes: Tensor, others: Tensor) -> Tensor:
    """Return the approximate RMSE of each of N pictures to each of M others or a part of them, [N, M], levels of 255.

    `wholes` [N, 3, GRID, GRID] are views of whole pictures, `others` [M, VIEWS, 3, GRID, GRID] all views. The smallest
    RMSE counts, also of mirrored pictures.
    """
    both = torch.cat([wholes, wholes.flip(-1)]).flatten(1).float()
    squares = torch.cdist(both, others.flatten(0, 1).flatten(1).float()).square()
    nearest = squares.view(2, len(wholes), len(others), VIEWS).amin(dim=(0, 3))
    return (nearest / both.shape[1]).sqrt()


def best_fit(small: Tensor, other: Tensor) -> Fit:
    """Place a thumbnail over another at every position, in several sizes, also mirrored; return the best fit."""
    placed = [_place(_resized(small, size).float(), other.float()) for size in _sizes(small, other)]
    best = min(placed, key=lambda one: one.mean_square)
    rmse, laid, part = best.mean_square**0.5, _grey(best.laid), _grey(best.part)
    cosine = float(cosines(laid, part)[0])
    alike = cosine >= LEAST_COSINE and bool(same_picture(laid, part, SLACK)[0])
    return Fit(rmse, cosine, alike or rmse <= SAME_RMSE, best.mirrored)


class _Placed(NamedTuple):
    """A thumbnail over a part of another, float [3, h, w] of 0..255 each."""

    mean_square: float
    laid: Tensor
    part: Tensor
    mirrored: bool


def _resized(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize [3, H, W]; the triangle of an antialiased bilinear filter averages areas and blurs a little."""
    return F.interpolate(picture[None], size, mode="bilinear", antialias=True)[0]


def _sizes(small: Tensor, other: Tensor) -> Iterator[tuple[int, int]]:
    """Yield the sizes to try: the other's own, then those at which it may be a part of the other."""
    height, width = small.shape[1:]
    yield other.shape[1], other.shape[2]
    for side in range(SMALLEST, SHORT_SIDE + 1):
        size = round(height * side / SHORT_SIDE), round(width * side / SHORT_SIDE)
        if size[0] <= other.shape[1] and size[1] <= other.shape[2] and size != other.shape[1:]:
            yield size


def _place(small: Tensor, other: Tensor) -> _Placed:
    """Return the best position of [3, h, w], mirrored or not, over a part of [3, H, W] of its own size."""
    height, width = small.shape[1:]
    placed = other.unfold(1, height, 1).unfold(2, width, 1)
    parts = placed.permute(1, 2, 0, 3, 4).reshape(-1, small.numel())
    ways = torch.stack([small, small.flip(-1)]).flatten(1)
    squares = torch.linalg.vector_norm(parts, dim=1).square() - 2 * (ways @ parts.T)  # without their common addend
    way, place = divmod(int(squares.argmin()), len(parts))
    laid, part = (flat.view(3, height, width) for flat in (ways[way], parts[place]))
    return _Placed(float((part - laid).square().mean()), laid, part, mirrored=bool(way))


def _grey(pixels: Tensor) -> Thumbnails:
    """Return float [3, h, w] of 0..255 as the grey thumbnail that `data/likeness.py` compares, uint8 [1, 256]."""
    grey = (pixels * GREY.view(3, 1, 1)).sum(dim=0, keepdim=True)
    levels = _resized(grey, (SIDE, SIDE)).round().clamp(0, 255)
    return levels.to(torch.uint8).numpy().reshape(1, SIDE**2)
