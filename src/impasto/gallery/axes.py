"""The axes of a chart: scales from values to coordinates, and the round values that are written beside them.

Charts are inline SVG: Python computes coordinates here, templates draw them, and the page's style sheet colours them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

WIDTH, HEIGHT = 400, 214
"""Size of a drawing in its own units. The page scales it."""

LEFT, RIGHT, TOP, BOTTOM = 56, 388, 8, 176
"""The rectangle inside the drawing where curves run."""

FRAME: Mapping[str, int] = {
    "width": WIDTH,
    "height": HEIGHT,
    "left": LEFT,
    "right": RIGHT,
    "top": TOP,
    "bottom": BOTTOM,
}
"""All of these, for the template of a line chart."""


class Scale(NamedTuple):
    """A linear map that takes the data's `low` and `high` to the coordinates `start` and `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the coordinate of a value."""
        return self.start + (self.end - self.start) * (value - self.low) / (self.high - self.low)


class Tick(NamedTuple):
    """A value written beside an axis, and its coordinate."""

    coordinate: float
    text: str


class Axes(NamedTuple):
    """The axes of a line chart: images seen from left to right, values upwards."""

    x: Scale
    y: Scale
    marks: list[Tick]
    """The ticks of the horizontal axis."""
    levels: list[Tick]
    """The ticks of the vertical axis, from the lowest to the highest."""


def axes(images: float, values: Iterable[float]) -> Axes:
    """Return the axes of a chart over 0 to `images` images seen that holds all finite values."""
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    levels = ticks(min(finite), max(finite), intervals=4)
    x = Scale(0, max(images, 1), LEFT, RIGHT)
    y = Scale(levels[0], levels[-1], BOTTOM, TOP)
    marks = [value for value in ticks(0, x.high, intervals=4) if value <= x.high]
    return Axes(x, y, _written(marks, x), _written(levels, y))


def path(points: Iterable[tuple[float, float]], axes: Axes) -> str:
    """Return the SVG path through points (images seen, value), broken where a value is missing."""
    drawn, pen_is_up = [], True
    for images_seen, value in points:
        if math.isfinite(value):
            place = f"{axes.x(images_seen):.1f},{axes.y(value):.1f}"
            drawn.append(f"M{place}h0" if pen_is_up else f"L{place}")  # h0 makes a dot of a point between two gaps
        pen_is_up = not math.isfinite(value)
    return "".join(drawn)


def ticks(low: float, high: float, intervals: int) -> list[float]:
    """Return round, evenly spaced values from `low` or just below to `high` or just above."""
    if high - low <= 1e-9 * max(abs(low), abs(high)):  # a constant needs room around it
        room = abs(low) / 2 or 1.0
        low, high = low - room, high + room
    spacing = _round_up((high - low) / intervals)
    first, last = math.floor(low / spacing + 1e-9), math.ceil(high / spacing - 1e-9)
    return [multiple * spacing for multiple in range(first, last + 1)]


def short_number(value: float) -> str:
    """Return a number as written beside an axis: 2e-4, 0.25, 20k, 1.2M."""
    if 0 < abs(value) < 1e-3:
        mantissa, exponent = f"{value:e}".split("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:.6g}{letter}"
    return f"{value:.6g}"


def _written(values: Iterable[float], scale: Scale) -> list[Tick]:
    return [Tick(scale(value), short_number(value)) for value in values]


def _round_up(spacing: float) -> float:
    """Return the next larger of 1, 2, 2.5 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(spacing))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= spacing * (1 - 1e-9))
