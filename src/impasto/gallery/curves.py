"""Values over the images seen, prepared for a chart: thinned to what a small drawing can show, and smoothed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

MOST_POINTS = 300
"""Points in a curve: about one for each pixel of a small chart, however long the run."""


class Series(NamedTuple):
    """One scalar of a journal in the order of images seen. A value that is not finite is a gap."""

    name: str
    images_seen: list[int]
    values: list[float]


class Point(NamedTuple):
    """Neighbouring values drawn as one: their extremes and their mean, NaN in a gap."""

    images_seen: int
    low: float
    high: float
    mean: float


class SmoothedSeries(NamedTuple):
    """A series as it is drawn."""

    means: list[tuple[int, float]]
    """(images seen, mean of the values that are drawn as one point)."""
    smoothed: list[tuple[int, float]]
    """(images seen, moving mean)."""
    measured: list[tuple[int, float]]
    """(images seen, value as measured): the extremes of each point."""


def smoothed_series(series: Series, most_points: int = MOST_POINTS) -> SmoothedSeries:
    """Return a series of at most `most_points` points, and its moving mean over about a twentieth of its length."""
    points = thin(series, most_points)
    means = [point.mean for point in points]
    moments = [point.images_seen for point in points]
    return SmoothedSeries(
        list(zip(moments, means, strict=True)),
        list(zip(moments, smooth(means, reach=len(points) // 40), strict=True)),
        [(point.images_seen, value) for point in points for value in dict.fromkeys((point.low, point.high))],
    )


def thin(series: Series, most: int) -> list[Point]:
    """Return at most `most` points, each of the same number of neighbouring values, without loss of any extreme."""
    run = max(1, math.ceil(len(series.values) / most))
    return [
        _point(series.images_seen[start : start + run], series.values[start : start + run])
        for start in range(0, len(series.values), run)
    ]


def smooth(values: Sequence[float], reach: int) -> list[float]:
    """Return the mean around each value. Weights fall linearly to zero beyond `reach` neighbours on either side.

    Toward the beginning the window narrows, so that a steep start stays steep. A value that is not finite has no
    weight, and its own mean is NaN.
    """
    return [
        _weighted_mean(values, centre, min(reach, centre)) if math.isfinite(value) else math.nan
        for centre, value in enumerate(values)
    ]


def rounded(value: float) -> float:
    """Return a value to four digits, as a page shows it."""
    return float(f"{value:.4g}")


def _point(images_seen: Sequence[int], values: Sequence[float]) -> Point:
    middle = images_seen[len(images_seen) // 2]
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return Point(middle, math.nan, math.nan, math.nan)
    return Point(middle, min(finite), max(finite), sum(value / len(finite) for value in finite))


def _weighted_mean(values: Sequence[float], centre: int, reach: int) -> float:
    window = range(centre - reach, min(centre + reach + 1, len(values)))
    weights = {index: reach + 1 - abs(index - centre) for index in window if math.isfinite(values[index])}
    total = sum(weights.values())
    return sum(values[index] * (weight / total) for index, weight in weights.items())
