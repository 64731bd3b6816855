"""How alike two pictures are in their pixels, though one may be a cropped, mirrored or re-encoded version of the other.

Models learn from random crops, often mirrored. So a picture learned by heart comes back as a part of the training
picture, and the plain difference of two thumbnails misses it: cutting 5 % off each edge moves them as far apart as two
different paintings. Here one thumbnail is laid upon the other at every place and in several sizes, both ways round,
and the best fit counts.

Measured on 1,761 paintings of short side 256: a version of a picture against its original (118 of them), and the
nearest of all others for 881 paintings and 699 painted faces. RMSE on thumbnails of 32 pixels, levels of 255:

    version                                    RMSE, median and 95 %     correlation, median and 5 %
    JPEG of quality 30                           1.9       2.2             0.999     0.997
    blurred (Gaussian, 3 pixels)                 3.5       6.1             0.997     0.991
    10 % brighter                               12.1      17.0             1.000     0.997
    15 % less contrast                           8.9      14.2             1.000     1.000
    2 % cut off each edge                        8.1      15.8             0.981     0.931
    5 % cut off each edge                        9.3      14.9             0.976     0.923
    a random square, nine tenths of the side     7.3      13.3             0.984     0.951
    the same mirrored, JPEG of quality 50        7.1      14.4             0.981     0.953
    nearest other painting                      35.8   (17.5 for the nearest 1 %, 9.8 at least)   0.922 at most
    nearest other face                          30.9   (14.2 for the nearest 1 %, 10.3 at least)  0.922 at most

RMSE alone would take two foggy evenings for one picture; the correlation, which asks for the same forms, keeps them
apart. Two more pairs of paintings reached 0.95, simple squares by Malevich and others, 27 and 28 levels apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

THUMBNAIL = 32
"""Shorter side of a thumbnail, pixels."""
LONGEST = 3
"""Long side of a thumbnail over its short side; thinner pictures are compressed to it."""
SMALLEST = 26
"""Shorter side to which a thumbnail shrinks when it is tried as a part of another: crops down to 81 % are found."""
GRID = 8
"""Side of the coarse grid by which likely originals are found."""
WINDOW = 30
"""Side of the square parts of a thumbnail that are also looked for coarsely: about what training crops leave."""
VIEWS = 5
"""The whole and four square parts."""

NEAR_CORRELATION, NEAR_RMSE = 0.94, 25.0
"""Two pictures at least so correlated and at most so far apart are near copies; the module says what was measured."""
SAME_RMSE = 3.0
"""Below it they are, however correlated: blank pictures have no forms to compare."""


class Likeness(NamedTuple):
    """How well one picture fits upon another or a part of it."""

    rmse: float
    """Root mean square difference of the best fit, levels of 255."""
    correlation: float
    """Of the best fit, -1..1; 0 where a picture is blank."""
    mirrored: bool
    """Whether it fits best mirrored."""

    @property
    def near(self) -> bool:
        """Whether one is a near copy of the other."""
        alike = self.correlation >= NEAR_CORRELATION and self.rmse <= NEAR_RMSE
        return alike or self.rmse <= SAME_RMSE


def digest(picture: Tensor) -> bytes:
    """Return 16 bytes that only equal pixels (uint8 [3, H, W]) share."""
    found = hashlib.blake2b(repr(tuple(picture.shape)).encode(), digest_size=16)
    found.update(picture.contiguous().numpy().data)
    return found.digest()


def thumbnail(picture: Tensor) -> Tensor:
    """Return uint8 [3, H, W] shrunk or enlarged, in its proportions, to a shorter side of THUMBNAIL pixels."""
    height, width = picture.shape[1:]
    scale = THUMBNAIL / min(height, width)
    sides = [min(max(THUMBNAIL, round(side * scale)), LONGEST * THUMBNAIL) for side in (height, width)]
    return _resized(picture, (sides[0], sides[1]))


def views(small: Tensor) -> Tensor:
    """Return coarse looks of a thumbnail, uint8 [VIEWS, 3, GRID, GRID]: the whole, then squares along its length."""
    height, width = small.shape[1:]
    parts = [small]
    for place in range(VIEWS - 1):
        top, left = (round((side - WINDOW) * place / (VIEWS - 2)) for side in (height, width))
        parts.append(small[:, top : top + WINDOW, left : left + WINDOW])
    return torch.stack([_resized(part, (GRID, GRID)) for part in parts])


def coarse_rmse(looks: Tensor, others: Tensor) -> Tensor:
    """Return about how far each of N pictures is from each of M others or a part of them, [N, M], levels of 255.

    `looks` [N, 3, GRID, GRID] are whole pictures, `others` [M, VIEWS, 3, GRID, GRID] views; mirrored ones count too.
    """
    wholes = torch.cat([looks, looks.flip(-1)]).flatten(1).float()
    squares = torch.cdist(wholes, others.flatten(0, 1).flatten(1).float()).square()
    nearest = squares.view(2, len(looks), len(others), VIEWS).amin(dim=(0, 3))
    return (nearest / wholes.shape[1]).sqrt()


def likeness(small: Tensor, other: Tensor) -> Likeness:
    """Lay a thumbnail upon another at every place, in several sizes, both ways round; return the best fit."""
    fits = [_fit(_resized(small, size).float(), other.float()) for size in _sizes(small, other)]
    best = min(fits, key=lambda fit: fit.mean_square)
    correlation = float(F.cosine_similarity(_forms(best.laid), _forms(best.part), dim=0))
    return Likeness(float((best.laid - best.part).square().mean().sqrt()), correlation, best.mirrored)


def _forms(pixels: Tensor) -> Tensor:
    """Return pixels [3 * h * w] less each colour's mean: cream paper is not like cream paper for its cream."""
    colours = pixels.view(3, -1)
    return (colours - colours.mean(dim=1, keepdim=True)).flatten()


class _Fit(NamedTuple):
    """A thumbnail upon a part of another."""

    mean_square: float
    laid: Tensor
    part: Tensor
    mirrored: bool


def _resized(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize uint8 [3, H, W]; the triangle of an antialiased bilinear filter averages areas and blurs a little."""
    return F.interpolate(picture[None], size, mode="bilinear", antialias=True)[0]


def _sizes(small: Tensor, other: Tensor) -> Iterator[tuple[int, int]]:
    """Yield the sizes to try: the other's own, then those at which it may be a part of the other."""
    height, width = small.shape[1:]
    yield other.shape[1], other.shape[2]
    for side in range(SMALLEST, THUMBNAIL + 1):
        size = round(height * side / THUMBNAIL), round(width * side / THUMBNAIL)
        if size[0] <= other.shape[1] and size[1] <= other.shape[2] and size != other.shape[1:]:
            yield size


def _fit(small: Tensor, other: Tensor) -> _Fit:
    """Return the best fit of [3, h, w], mirrored or not, upon a part of [3, H, W] of its own size; floats of 0..255."""
    height, width = small.shape[1:]
    placed = other.unfold(1, height, 1).unfold(2, width, 1)
    parts = placed.permute(1, 2, 0, 3, 4).reshape(-1, small.numel())
    ways = torch.stack([small, small.flip(-1)]).flatten(1)
    squares = torch.linalg.vector_norm(parts, dim=1).square() - 2 * (ways @ parts.T)  # less what all have in common
    way, place = divmod(int(squares.argmin()), len(parts))
    mean_square = float((parts[place] - ways[way]).square().mean())
    return _Fit(mean_square, ways[way], parts[place], mirrored=bool(way))
