"""Whether two thumbnails show the same picture, though resized, compressed again, brighter, darker or without colour.

The one criterion for it, used by the dataset doctor (duplicates in a collection) and by the search for copies of
training pictures (`evaluation/best_fit.py`, which first finds where a cropped or mirrored version fits).

Two thumbnails are compared by the differences between neighbouring pixels, as a difference hash does, but with the
sizes of the differences and not their signs alone: the cosine between the vectors of all differences. It takes the same
time as counting equal bits (one matrix product) and errs less, because in smooth parts signs are noise. On 30,000
paintings, photos and small pictures it found twenty pairs of photos that a difference hash had missed, and every pair
it found was one picture.

Cosines alone would join simple shapes: a digit with another hand's, a black square with a red one. So the simpler a
picture, the smaller the difference between grey levels must be, after a tone curve (brightness, contrast, gamma,
clipping) has been allowed for.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

SIDE = 16
"""Pixels along both sides of a thumbnail, whatever the picture's shape."""
LEAST_COSINE = 0.92
"""Least cosine between the differences of two thumbnails of one picture."""
LEAST_CONTRAST = 1.5
"""Root mean square difference between neighbours, levels of 255. Below it a picture is blank or a plain gradient."""
LEAST_RESIDUE, SIMPLE, RESIDUE_PER_DETAIL = 1.5, 20.0, 0.1
"""Largest difference between two simple pictures, levels of 255, and how it grows with their detail."""

Thumbnails = NDArray[np.uint8]
"""[N, 256]: 16 x 16 grey levels each."""


def vectors(thumbnails: Thumbnails) -> NDArray[np.float32]:
    """Return a unit vector for each thumbnail, [N, 256]; zeros for those without contrast.

    The product of two is the cosine between the thumbnails' differences, horizontal and vertical, after the best
    fitting plane was subtracted. With L the Laplacian of the pixels' grid, x' L y is the sum of the products of all
    differences, so the square root of L maps thumbnails to vectors of half the length.
    """
    mapped = thumbnails.astype(np.float32) @ _map()
    norms = np.linalg.norm(mapped, axis=1, keepdims=True)
    pairs_of_neighbours = 2 * SIDE * (SIDE - 1)
    too_plain = norms < LEAST_CONTRAST * np.sqrt(pairs_of_neighbours)
    return np.where(too_plain, 0, mapped / np.maximum(norms, 1e-6)).astype(np.float32)


def cosines(first: Thumbnails, second: Thumbnails) -> NDArray[np.float32]:
    """Return the cosine of each pair of thumbnails, [N, 256] each; 0 where one has no contrast."""
    return np.asarray((vectors(first) * vectors(second)).sum(axis=1))


def same_picture(first: Thumbnails, second: Thumbnails, slack: float = 0.0) -> NDArray[np.bool_]:
    """Return for each pair of thumbnails, [N, 256] each, with a cosine of LEAST_COSINE, whether both are one picture.

    `slack` is a difference in levels of 255 that is allowed in addition: thumbnails cut from larger pictures may be
    half a pixel apart.
    """
    simpler = np.minimum(detail(first), detail(second))
    allowed = np.maximum(LEAST_RESIDUE, RESIDUE_PER_DETAIL * (simpler - SIMPLE) + slack)
    return np.asarray(np.minimum(_residue(first, second), _residue(second, first)) <= allowed)


def detail(thumbnails: Thumbnails) -> NDArray[np.float32]:
    """Return over how many of the 480 differences a picture's contrast is spread, [N].

    The inverse participation ratio: n where n differences are equal and the others zero. A digit has 30 to 100, a
    square on a plain background 50, most paintings and photographs 60 to 150.
    """
    squares = _differences(thumbnails) ** 2
    return np.asarray(squares.sum(axis=1) ** 2 / np.maximum((squares**2).sum(axis=1), 1e-6))


def _differences(thumbnails: Thumbnails) -> NDArray[np.float32]:
    """Return the differences between neighbours, [N, 480], minus their means: those of a plane are zero."""
    grids = thumbnails.reshape(-1, SIDE, SIDE).astype(np.float32)
    parts = [np.diff(grids, axis=axis) for axis in (1, 2)]
    centred = [part - part.mean(axis=(1, 2), keepdims=True) for part in parts]
    return np.concatenate([part.reshape(len(grids), -1) for part in centred], axis=1)


def _residue(first: Thumbnails, second: Thumbnails) -> NDArray[np.float32]:
    """Return the root mean square difference left when `first` takes the tones of `second`, rank by rank, [N]."""
    ranks = np.argsort(np.argsort(first, axis=1, kind="stable"), axis=1, kind="stable")
    toned = np.take_along_axis(np.sort(second, axis=1), ranks, axis=1).astype(np.float32)
    return np.asarray(np.sqrt(((toned - second) ** 2).mean(axis=1)))


@cache
def _map() -> NDArray[np.float32]:
    """Return the matrix [256, 256] that takes thumbnails to vectors: subtract the plane, then the root of L."""
    line = 2 * np.eye(SIDE) - np.eye(SIDE, k=1) - np.eye(SIDE, k=-1)
    line[0, 0] = line[-1, -1] = 1
    unit = np.eye(SIDE)
    values, basis = np.linalg.eigh(np.kron(line, unit) + np.kron(unit, line))
    root = (basis * np.sqrt(np.maximum(values, 0))) @ basis.T
    along = np.arange(SIDE) - (SIDE - 1) / 2
    ones = np.ones(SIDE)
    planes = np.linalg.qr(np.stack([np.kron(ones, ones), np.kron(along, ones), np.kron(ones, along)], axis=1))[0]
    return np.asarray((np.eye(SIDE**2) - planes @ planes.T) @ root, dtype=np.float32)
