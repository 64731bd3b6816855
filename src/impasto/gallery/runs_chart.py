"""The line chart of one scalar of several runs, one curve over the other, as inline SVG."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from impasto.gallery.axes import FRAME, Axes, axes, path
from impasto.gallery.curves import Series, rounded, smoothed_series
from impasto.gallery.page import render
from impasto.gallery.run_colours import run_colour


class Curve(NamedTuple):
    """What is drawn of one run."""

    line: list[tuple[int, float]]
    """(images seen, value), NaN in a gap: the visible line, which the pointer reads."""
    behind: list[tuple[int, float]]
    """The values as measured. Empty where the line is not smoothed."""
    intervals: list[tuple[int, float, float]]
    """(images seen, low, high)."""


class _Line(NamedTuple):
    """A curve as SVG paths, empty where there is nothing to draw."""

    run: int
    colour: str
    measured: str
    intervals: str
    line: str
    dots: str


def smoothed_curve(series: Series, most_points: int) -> Curve:
    """Return a curve of many noisy values: their moving mean, and behind it the values as measured."""
    curve = smoothed_series(series, most_points)
    return Curve(curve.smoothed, curve.measured, [])


def runs_chart(name: str, curves: Mapping[int, Curve], runs: Sequence[str], images: float) -> Markup:
    """Return the SVG of curves by the place of their run among `runs`, over 0 to `images` images seen.

    Its attribute `data-points` lets a script read the curves: for each place, [images seen, value, x, y] of each point.
    """
    drawn = axes(images, [value for curve in curves.values() for value in _heights(curve)])
    readings = {place: _readings(curve, drawn) for place, curve in curves.items()}
    summaries = [_summary(runs[place], curve) for place, curve in curves.items()]
    return render(
        "runs_chart.svg",
        description=f"{name}: {', '.join(summaries)}",
        data=json.dumps(readings, separators=(",", ":")),
        axes=drawn,
        lines=[_line(place, curve, drawn) for place, curve in curves.items()],
        **FRAME,
    )


def last_value(curve: Curve) -> tuple[int, float] | None:
    """Return (images seen, value) of the last finite value of the line, if it has any."""
    return next((point for point in reversed(curve.line) if math.isfinite(point[1])), None)


def _heights(curve: Curve) -> list[float]:
    ends = [end for _, low, high in curve.intervals for end in (low, high)]
    return [value for _, value in (*curve.line, *curve.behind)] + ends


def _readings(curve: Curve, axes: Axes) -> list[list[float]]:
    return [
        [images_seen, rounded(value), round(axes.x(images_seen), 1), round(axes.y(value), 1)]
        for images_seen, value in curve.line
        if math.isfinite(value)
    ]


def _line(place: int, curve: Curve, axes: Axes) -> _Line:
    return _Line(
        place,
        run_colour(place),
        path(curve.behind, axes),
        _whiskers(curve.intervals, axes),
        path(curve.line, axes),
        "" if curve.behind else _dots(curve.line, axes),
    )


def _whiskers(intervals: Iterable[tuple[int, float, float]], axes: Axes) -> str:
    return "".join(f"M{axes.x(seen):.1f},{axes.y(low):.1f}V{axes.y(high):.1f}" for seen, low, high in intervals)


def _dots(line: Iterable[tuple[int, float]], axes: Axes) -> str:
    """Return a dot for each value of a curve of few, to show when each was measured."""
    return "".join(f"M{axes.x(seen):.1f},{axes.y(value):.1f}h0" for seen, value in line if math.isfinite(value))


def _summary(run: str, curve: Curve) -> str:
    last = last_value(curve)
    return f"{run} {last[1]:.4g} at {last[0]:,} images seen" if last else f"{run} without finite values"
