"""Line charts of several runs, one over the other, as inline SVG."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from impasto.gallery.charts import BOTTOM, HEIGHT, TOP, WIDTH, Scale, Series, axes, path, rounded, smooth, thin
from impasto.gallery.swatch import run_class


class Curve(NamedTuple):
    """What is drawn of one run."""

    line: list[tuple[int, float]]
    """(images seen, value), NaN in a gap: what the eye follows and the pointer reads."""
    behind: list[tuple[int, float]]
    """The values as measured, where the line is smoothed."""
    intervals: list[tuple[int, float, float]]
    """(images seen, low, high)."""


def smoothed_curve(series: Series, most_points: int) -> Curve:
    """Return a curve of many noisy values: their moving mean, and behind it what was measured."""
    points = thin(series, most_points)
    means = smooth([point.mean for point in points], reach=len(points) // 40)
    line = [(point.images_seen, mean) for point, mean in zip(points, means, strict=True)]
    behind = [(point.images_seen, value) for point in points for value in dict.fromkeys((point.low, point.high))]
    return Curve(line, behind, [])


def overlay_chart(name: str, curves: Mapping[int, Curve], runs: Sequence[str], images: float) -> str:
    """Return the SVG of curves by the place of their run among `runs`, over 0 to `images` images seen.

    Its attribute `data-points` lets a script read the curves: for each place, [images seen, value, x, y] of each point.
    """
    values = [value for curve in curves.values() for value in _heights(curve)]
    x, y, drawn_axes = axes(images, values)
    readings = {place: _readings(curve, x, y) for place, curve in curves.items()}
    data = escape(json.dumps(readings, separators=(",", ":")))
    said = escape(f"{name}: " + ", ".join(_summary(runs[place], curve) for place, curve in curves.items()))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"
 aria-label="{said}" data-points="{data}">
{drawn_axes}
<path class="cursor" visibility="hidden" d="M0,{TOP}V{BOTTOM}"/>
{"".join(_drawn(place, curve, x, y) for place, curve in curves.items())}
</svg>"""


def last_value(curve: Curve) -> tuple[int, float] | None:
    """Return (images seen, value) where the line ends, if it has any value."""
    return next((point for point in reversed(curve.line) if math.isfinite(point[1])), None)


def _heights(curve: Curve) -> list[float]:
    ends = [end for _, low, high in curve.intervals for end in (low, high)]
    return [value for _, value in (*curve.line, *curve.behind)] + ends


def _readings(curve: Curve, x: Scale, y: Scale) -> list[list[float]]:
    return [
        [images_seen, rounded(value), round(x(images_seen), 1), round(y(value), 1)]
        for images_seen, value in curve.line
        if math.isfinite(value)
    ]


def _drawn(place: int, curve: Curve, x: Scale, y: Scale) -> str:
    behind = f'<path class="measured" d="{path(curve.behind, x, y)}"/>' if curve.behind else ""
    whiskers = "".join(f"M{x(seen):.1f},{y(low):.1f}V{y(high):.1f}" for seen, low, high in curve.intervals)
    intervals = f'<path class="interval" d="{whiskers}"/>' if whiskers else ""
    dots = "" if curve.behind else _dots(curve, x, y)
    return (
        f'<g class="{run_class(place)}" data-run="{place}">{behind}{intervals}'
        f'<path class="line" d="{path(curve.line, x, y)}"/>{dots}<circle class="cursor" visibility="hidden" r="4"/></g>'
    )


def _dots(curve: Curve, x: Scale, y: Scale) -> str:
    """Return a dot for each value of a curve of few, so that one sees when it was measured."""
    dots = [f"M{x(seen):.1f},{y(value):.1f}h0" for seen, value in curve.line if math.isfinite(value)]
    return f'<path class="dots" d="{"".join(dots)}"/>'


def _summary(run: str, curve: Curve) -> str:
    last = last_value(curve)
    return f"{run} {last[1]:.4g} at {last[0]:,} images seen" if last else f"{run} without finite values"
