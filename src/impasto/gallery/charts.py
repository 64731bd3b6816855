"""Line charts as inline SVG: one scalar over the images seen, as measured and smoothed.

Colours live in the page's style sheet, which paints the classes `grid`, `measured`, `smoothed` and `cursor`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 400, 214
"""The drawing, in its own units: the page scales it."""

LEFT, RIGHT, TOP, BOTTOM = 56, 388, 8, 176
"""Where the axes of the plot run inside the drawing."""

MOST_POINTS = 300
"""Points in a curve: about one for each pixel of a small chart, however long the run."""


class Series(NamedTuple):
    """One scalar as the journal tells it, in the order of images seen; a value that is not finite is a gap."""

    name: str
    images_seen: list[int]
    values: list[float]


class Point(NamedTuple):
    """Neighbouring values drawn as one: their extremes and their mean, NaN in a gap."""

    images_seen: int
    low: float
    high: float
    mean: float


class Scale(NamedTuple):
    """A straight map that takes the data's `low` and `high` to the coordinates `start` and `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the coordinate of a value."""
        return self.start + (self.end - self.start) * (value - self.low) / (self.high - self.low)


def line_chart(series: Series, images: float) -> str:
    """Return the SVG of a series over 0 to `images` images seen.

    Its attribute `data-points` lets a script read the curve: [images seen, measured, smoothed, x, y] for each point,
    x and y being where the smoothed line stands.
    """
    points = thin(series, MOST_POINTS)
    means = smooth([point.mean for point in points], reach=len(points) // 40)
    smoothed = [(point.images_seen, mean) for point, mean in zip(points, means, strict=True)]
    measured = [(point.images_seen, value) for point in points for value in dict.fromkeys((point.low, point.high))]
    x, y, drawn_axes = axes(images, series.values)
    readings = [
        [point.images_seen, rounded(point.mean), rounded(mean), round(x(point.images_seen), 1), round(y(mean), 1)]
        for point, mean in zip(points, means, strict=True)
        if math.isfinite(mean)
    ]
    summary, data = escape(_summary(series)), escape(json.dumps(readings, separators=(",", ":")))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"
 aria-label="{summary}" data-points="{data}">
{drawn_axes}
<path class="measured" d="{path(measured, x, y)}"/>
<path class="smoothed" d="{path(smoothed, x, y)}"/>
<g class="cursor" visibility="hidden"><path d="M0,{TOP}V{BOTTOM}"/><circle r="4"/></g>
</svg>"""


def axes(images: float, values: Iterable[float]) -> tuple[Scale, Scale, str]:
    """Return the scales of a chart over 0 to `images` images seen that holds the values, and the axes as SVG."""
    levels = ticks(*_extent(values), intervals=4)
    x = Scale(0, max(images, 1), LEFT, RIGHT)
    y = Scale(levels[0], levels[-1], BOTTOM, TOP)
    drawn = f"""{"".join(_level(value, y(value)) for value in levels)}
{"".join(_mark(value, x(value)) for value in ticks(0, x.high, intervals=4) if value <= x.high)}
<text x="{RIGHT}" y="{HEIGHT - 4}" text-anchor="end">images seen</text>"""
    return x, y, drawn


def path(points: Iterable[tuple[float, float]], x: Scale, y: Scale) -> str:
    """Return the path through points (images seen, value), broken where a value is missing."""
    drawn, pen_is_up = [], True
    for images_seen, value in points:
        if math.isfinite(value):
            place = f"{x(images_seen):.1f},{y(value):.1f}"
            drawn.append(f"M{place}h0" if pen_is_up else f"L{place}")  # h0 makes a dot of a point between two gaps
        pen_is_up = not math.isfinite(value)
    return "".join(drawn)


def rounded(value: float) -> float:
    """Return a value to four digits, as a reading shows it."""
    return float(f"{value:.4g}")


def thin(series: Series, most: int) -> list[Point]:
    """Return at most `most` points, each of equally many neighbouring values; no extreme of a long series is lost."""
    run = max(1, math.ceil(len(series.values) / most))
    return [
        _point(series.images_seen[start : start + run], series.values[start : start + run])
        for start in range(0, len(series.values), run)
    ]


def smooth(values: Sequence[float], reach: int) -> list[float]:
    """Return the mean around each value, its weights falling to zero beyond `reach` neighbours on either side.

    Toward the beginning the window narrows, so that a steep start stays steep. A value that is not finite counts for
    nothing, and its own mean is NaN.
    """
    return [
        _weighted_mean(values, centre, min(reach, centre)) if math.isfinite(value) else math.nan
        for centre, value in enumerate(values)
    ]


def ticks(low: float, high: float, intervals: int) -> list[float]:
    """Return round, evenly spaced values from `low` or just below to `high` or just above."""
    if high - low <= 1e-9 * max(abs(low), abs(high)):  # a constant needs room around it
        room = abs(low) / 2 or 1.0
        low, high = low - room, high + room
    spacing = _round_up((high - low) / intervals)
    first, last = math.floor(low / spacing + 1e-9), math.ceil(high / spacing - 1e-9)
    return [multiple * spacing for multiple in range(first, last + 1)]


def short_number(value: float) -> str:
    """Write a number for an axis: 2e-4, 0.25, 20k, 1.2M."""
    if 0 < abs(value) < 1e-3:
        mantissa, exponent = f"{value:e}".split("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:.6g}{letter}"
    return f"{value:.6g}"


def _point(images_seen: Sequence[int], values: Sequence[float]) -> Point:
    middle = images_seen[len(images_seen) // 2]
    finite = _finite(values)
    if not finite:
        return Point(middle, math.nan, math.nan, math.nan)
    return Point(middle, min(finite), max(finite), sum(value / len(finite) for value in finite))


def _weighted_mean(values: Sequence[float], centre: int, reach: int) -> float:
    window = range(centre - reach, min(centre + reach + 1, len(values)))
    weights = {index: reach + 1 - abs(index - centre) for index in window if math.isfinite(values[index])}
    total = sum(weights.values())
    return sum(values[index] * (weight / total) for index, weight in weights.items())


def _extent(values: Iterable[float]) -> tuple[float, float]:
    finite = _finite(values) or [0.0]
    return min(finite), max(finite)


def _finite(values: Iterable[float]) -> list[float]:
    return [value for value in values if math.isfinite(value)]


def _round_up(spacing: float) -> float:
    """Return the next larger of 1, 2, 2.5 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(spacing))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= spacing * (1 - 1e-9))


def _level(value: float, y: float) -> str:
    return (
        f'<path class="grid" d="M{LEFT},{y:.1f}H{RIGHT}"/>'
        f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{short_number(value)}</text>'
    )


def _mark(images_seen: float, x: float) -> str:
    return (
        f'<path class="grid" d="M{x:.1f},{BOTTOM}v5"/>'
        f'<text x="{x:.1f}" y="{BOTTOM + 18}" text-anchor="middle">{short_number(images_seen)}</text>'
    )


def _summary(series: Series) -> str:
    known = [pair for pair in zip(series.images_seen, series.values, strict=True) if math.isfinite(pair[1])]
    if not known:
        return f"{series.name}: no finite values"
    (first_images, first), (last_images, last) = known[0], known[-1]
    return f"{series.name}: {first:.4g} at {first_images:,} images seen, {last:.4g} at {last_images:,}"
