"""Two histograms back to back as inline SVG: what was measured stands above the axis, what it is held against below.

Colours live in the page's style sheet, which paints the classes `grid`, `marked`, `others`, `held-against` and `limit`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from impasto.gallery.charts import Scale, short_number, ticks

WIDTH, HEIGHT = 400, 190
"""The drawing, in its own units: the page scales it."""
LEFT, RIGHT, TOP, AXIS, BOTTOM = 8, 392, 20, 92, 164
BARS = 32


class Bar(NamedTuple):
    """One interval; its parts are shares of all values, 0..1."""

    low: float
    high: float
    marked: float
    """Of the measured values, those that are marked."""
    others: float
    """Of the measured values, the rest."""
    held_against: float


def histogram(
    marked: Sequence[float], others: Sequence[float], held_against: Sequence[float], limit: float | None, said: str
) -> str:
    """Return the SVG of non-negative values: marked and other measured ones stacked, `held_against` hanging below.

    Each side is drawn as shares of its own number. `said` describes the drawing to who cannot see it.
    """
    levels = ticks(0, max([*marked, *others, *held_against, limit or 0]), intervals=5)
    bars = bars_of(marked, others, held_against, levels[-1])
    x = Scale(0, levels[-1], LEFT, RIGHT)
    most = max([max(bar.marked + bar.others, bar.held_against) for bar in bars])
    y = Scale(0, most or 1.0, 0, AXIS - TOP)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"
 aria-label="{escape(said)}">
{"".join(_bar(bar, x, y) for bar in bars)}
<path class="grid" d="M{LEFT},{AXIS}H{RIGHT}"/>
{_limit(x(limit)) if limit is not None else ""}
{"".join(_mark(level, x(level)) for level in levels)}
</svg>"""


def bars_of(
    marked: Sequence[float], others: Sequence[float], held_against: Sequence[float], highest: float
) -> list[Bar]:
    """Return BARS intervals of equal length from 0 to `highest`."""
    own = max(1, len(marked) + len(others))
    parts = [_shares(values, highest, of) for values, of in ((marked, own), (others, own))]
    parts.append(_shares(held_against, highest, max(1, len(held_against))))
    edges = [highest * place / BARS for place in range(BARS + 1)]
    return [Bar(edges[place], edges[place + 1], *shares) for place, shares in enumerate(zip(*parts, strict=True))]


def _shares(values: Iterable[float], highest: float, of: int) -> list[float]:
    counts = [0] * BARS
    for value in values:
        counts[min(int(value / highest * BARS), BARS - 1)] += 1
    return [count / of for count in counts]


def _bar(bar: Bar, x: Scale, y: Scale) -> str:
    left, width = x(bar.low) + 0.5, x(bar.high) - x(bar.low) - 1
    marked, others, below = y(bar.marked), y(bar.others), y(bar.held_against)
    boxes = (
        ("marked", AXIS - marked, marked),
        ("others", AXIS - marked - others, others),
        ("held-against", AXIS, below),
    )
    return "".join(
        f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"/>'
        for kind, top, height in boxes
        if height
    )


def _limit(x: float) -> str:
    """Draw a limit, its name on the side where there is room."""
    end = x > (LEFT + RIGHT) / 2
    return (
        f'<path class="limit" d="M{x:.1f},{TOP}V{BOTTOM}"/>'
        f'<text x="{x + (-5 if end else 5):.1f}" y="{TOP - 6}" text-anchor="{"end" if end else "start"}">'
        "limit of MiFID</text>"
    )


def _mark(value: float, x: float) -> str:
    anchor = "start" if x <= LEFT else "end" if x >= RIGHT else "middle"
    return (
        f'<path class="grid" d="M{x:.1f},{BOTTOM}v5"/>'
        f'<text x="{x:.1f}" y="{BOTTOM + 20}" text-anchor="{anchor}">{short_number(value)}</text>'
    )
