"""Central tendency of colours, and colour differences between pictures (docs/methods/paired-translation.md).

Differences are signed. Published differences may come from unsigned bytes, which wrap around. `difference` can compute
those too, to reproduce that error.
"""

from __future__ import annotations

from typing import Generic, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from impasto.errors import EvaluationError
from impasto.evaluation.rows import blocks

BAND = 1 << 18
"""Pixels processed at a time: a few megabytes in float64, for pictures of any size."""

Pixels = NDArray[np.uint8]
"""[H, W, 3], 0..255."""
Figures = NDArray[np.float64]
"""[3] for R, G, B, or [] for all channels together."""


class Tendency(NamedTuple):
    """The colours of one picture, or their average over pictures."""

    mean: Figures
    """[3], 0..255."""
    variance: Figures
    """[3], divided by the number of pixels."""
    mean_norm: Figures
    """[]: mean over pixels of the length of (R, G, B), 0..441.67. Used as a measure of saturation."""
    saturation: Figures
    """[]: mean HSV saturation, 0..1."""


class Difference(NamedTuple):
    """Target minus generated, for one pair of pictures or averaged over pairs. Values are on the scale 0..255."""

    mean: Figures
    """[3]: mean difference, which equals the difference of the means."""
    variance: Figures
    """[3]: variance of the difference."""
    mean_norm: Figures
    """[]: mean over pixels of the Euclidean distance between the two colours."""
    mean_absolute: Figures
    """[3]: mean absolute difference."""
    negative: Figures
    """[3]: share of values below zero."""
    rmse: Figures
    """[]: root of the mean square over pixels and channels."""


Kind = TypeVar("Kind", Tendency, Difference)


class Averages(Generic[Kind]):
    """Mean and standard error over pictures, updated as a stream. All pictures have the same weight."""

    def __init__(self) -> None:
        self.count = 0
        self._kind: type[Kind]
        self._means: list[Figures] = []
        self._squares: list[Figures] = []  # sums of squared deviations from the means

    def update(self, figures: Kind) -> None:
        """Add the figures of one picture or pair (Welford's method)."""
        if not self.count:
            self._kind = type(figures)
            self._means, self._squares = ([np.zeros_like(field) for field in figures] for _ in range(2))
        self.count += 1
        for place, field in enumerate(figures):
            offset = field - self._means[place]
            self._means[place] = self._means[place] + offset / self.count
            self._squares[place] = self._squares[place] + offset * (field - self._means[place])

    def mean(self) -> Kind:
        """Return the mean of each figure. Raises EvaluationError if there are no pictures."""
        self._check(1)
        return self._kind(*self._means)

    def standard_error(self) -> Kind:
        """Return the standard error of each mean. Raises EvaluationError for fewer than 2 pictures."""
        self._check(2)
        return self._kind(*(np.sqrt(field / (self.count - 1) / self.count) for field in self._squares))

    def _check(self, at_least: int) -> None:
        if self.count < at_least:
            raise EvaluationError(f"colours of {self.count} pictures cannot be averaged; use at least {at_least}")


def central_tendency(picture: Pixels) -> Tendency:
    """Return mean, variance, mean norm and saturation of a picture [H, W, 3]."""
    pixels = picture.reshape(-1, 3)
    sums = sum(_colour_sums(pixels[band].astype(np.float64)) for band in blocks(len(pixels), BAND))
    mean, square, (norm, saturation) = np.split(np.asarray(sums) / len(pixels), [3, 6])
    return Tendency(mean, _variance(mean, square), norm, saturation)


def compare(target: Pixels, generated: Pixels) -> Difference:
    """Return how a picture [H, W, 3] differs from its target. Raises EvaluationError if their sizes differ."""
    _check_sizes(target, generated)
    pairs = target.reshape(-1, 3), generated.reshape(-1, 3)
    sums = sum(_difference_sums(_signed(pairs[0][band], pairs[1][band])) for band in blocks(len(pairs[0]), BAND))
    mean, square, absolute, negative, (norm,) = np.split(np.asarray(sums) / len(pairs[0]), [3, 6, 9, 12])
    return Difference(mean, _variance(mean, square), norm, absolute, negative, np.sqrt(square.mean()))


def percent_error(target: Figures, generated: Figures) -> Figures:
    """Return 100 |target - generated| / target of two means [3]. NaN where the target mean is 0."""
    defined = np.where(target == 0, np.nan, target)
    return np.asarray(100 * np.abs(target - generated) / defined)


def difference(
    target: Pixels, generated: Pixels, kind: Literal["signed", "wrapped", "clipped", "rescaled"]
) -> NDArray[np.float32]:
    """Return target minus generated, [H, W, 3].

    Kinds: signed is -255..255. wrapped is modulo 256, like unsigned bytes. clipped sets negative values to 0. rescaled
    is 127.5 + d / 2, for display.

    Raises EvaluationError if sizes differ.
    """
    _check_sizes(target, generated)
    signed = _signed(target, generated).astype(np.float32)
    match kind:
        case "signed":
            return signed
        case "wrapped":
            return np.mod(signed, np.float32(256))
        case "clipped":
            return np.maximum(signed, np.float32(0))
        case "rescaled":
            return (signed / 2 + 127.5).astype(np.float32)


def difference_histogram(target: Pixels, generated: Pixels) -> NDArray[np.int64]:
    """Return the number of pixels for each difference -255..255 and channel, int64 [3, 511].

    Raises EvaluationError if sizes differ.
    """
    _check_sizes(target, generated)
    places = _signed(target, generated).reshape(-1, 3) + 255
    return np.stack([np.bincount(channel, minlength=511) for channel in places.T]).astype(np.int64)


def _signed(target: Pixels, generated: Pixels) -> NDArray[np.int16]:
    return np.subtract(target, generated, dtype=np.int16)


def _colour_sums(pixels: Figures) -> Figures:
    """Return sums over pixels [n, 3]: R, G, B, their squares (all exact), norm, and saturation (0 for black)."""
    squares = pixels**2
    top, bottom = pixels.max(axis=1), pixels.min(axis=1)
    saturation = np.divide(top - bottom, top, out=np.zeros_like(top), where=top > 0)
    return np.hstack([pixels.sum(axis=0), squares.sum(axis=0), np.sqrt(squares.sum(axis=1)).sum(), saturation.sum()])


def _difference_sums(signed: NDArray[np.int16]) -> Figures:
    """Return sums over differences [n, 3]: values, squares, absolute values, counts below 0, and norm."""
    values = signed.astype(np.float64)
    squares = values**2
    norm = np.sqrt(squares.sum(axis=1)).sum()
    return np.hstack(
        [values.sum(axis=0), squares.sum(axis=0), np.abs(values).sum(axis=0), (values < 0).sum(axis=0), norm]
    )


def _variance(mean: Figures, square: Figures) -> Figures:
    return np.maximum(square - mean**2, 0.0)  # rounding can make it negative


def _check_sizes(target: Pixels, generated: Pixels) -> None:
    if target.shape != generated.shape:
        (h1, w1), (h2, w2) = target.shape[:2], generated.shape[:2]
        raise EvaluationError(
            f"a target of {w1} x {h1} pixels and a picture of {w2} x {h2} cannot be compared; resize both to one size"
        )
