"""Two histograms with one axis, as inline SVG: what was measured above it, what it is compared with below.

The page's style sheet colours the classes `grid`, `marked`, `others`, `below` and `limit`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import Markup

from impasto.gallery.axes import Scale, short_number, ticks
from impasto.gallery.page import render

WIDTH, HEIGHT = 400, 190
"""Size of the drawing in its own units. The page scales it."""
LEFT, RIGHT, TOP, AXIS, BOTTOM = 8, 392, 20, 92, 164
BARS = 32


class Bar(NamedTuple):
    """One interval. Its parts are shares of all values, 0..1."""

    low: float
    high: float
    marked: float
    """Share of the measured values: those that are marked."""
    others: float
    """Share of the measured values: the rest."""
    below: float
    """Share of the values that are compared with."""


class Limit(NamedTuple):
    """A limit, drawn as a line with its name."""

    value: float
    name: str


class _Box(NamedTuple):
    kind: str
    x: float
    y: float
    width: float
    height: float


class _Label(NamedTuple):
    x: float
    text: str
    anchor: str
    text_x: float


def mirrored_histogram(
    marked: Sequence[float],
    others: Sequence[float],
    below: Sequence[float],
    limit: Limit | None,
    description: str,
) -> Markup:
    """Return the SVG of non-negative values: marked and other measured ones stacked above the axis, `below` below it.

    Each side is drawn as shares of its own number of values.
    """
    levels = ticks(0, max([*marked, *others, *below, limit.value if limit else 0]), intervals=5)
    bars = bars_of(marked, others, below, levels[-1])
    x = Scale(0, levels[-1], LEFT, RIGHT)
    most = max([max(bar.marked + bar.others, bar.below) for bar in bars])
    y = Scale(0, most or 1.0, 0, AXIS - TOP)
    return render(
        "mirrored_histogram.svg",
        description=description,
        boxes=[box for bar in bars for box in _boxes(bar, x, y)],
        limit=_limit(limit, x) if limit else None,
        marks=[_mark(level, x) for level in levels],
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=RIGHT,
        top=TOP,
        axis=AXIS,
        bottom=BOTTOM,
    )


def bars_of(marked: Sequence[float], others: Sequence[float], below: Sequence[float], highest: float) -> list[Bar]:
    """Return BARS intervals of equal length from 0 to `highest`."""
    own = max(1, len(marked) + len(others))
    parts = [_shares(values, highest, total) for values, total in ((marked, own), (others, own))]
    parts.append(_shares(below, highest, max(1, len(below))))
    edges = [highest * place / BARS for place in range(BARS + 1)]
    return [Bar(edges[place], edges[place + 1], *shares) for place, shares in enumerate(zip(*parts, strict=True))]


def _shares(values: Iterable[float], highest: float, total: int) -> list[float]:
    counts = [0] * BARS
    for value in values:
        counts[min(int(value / highest * BARS), BARS - 1)] += 1
    return [count / total for count in counts]


def _boxes(bar: Bar, x: Scale, y: Scale) -> list[_Box]:
    left, width = x(bar.low) + 0.5, x(bar.high) - x(bar.low) - 1
    marked, others, below = y(bar.marked), y(bar.others), y(bar.below)
    boxes = [
        _Box("marked", left, AXIS - marked, width, marked),
        _Box("others", left, AXIS - marked - others, width, others),
        _Box("below", left, AXIS, width, below),
    ]
    return [box for box in boxes if box.height]


def _limit(limit: Limit, scale: Scale) -> _Label:
    """Return a limit with its name on the side where there is room."""
    x = scale(limit.value)
    to_the_left = x > (LEFT + RIGHT) / 2
    return _Label(x, limit.name, "end" if to_the_left else "start", x + (-5 if to_the_left else 5))


def _mark(value: float, scale: Scale) -> _Label:
    x = scale(value)
    return _Label(x, short_number(value), "start" if x <= LEFT else "end" if x >= RIGHT else "middle", x)
