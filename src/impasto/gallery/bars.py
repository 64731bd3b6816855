"""Bar charts as inline SVG: one row for each class or interval, its parts one after the other.

Colours live in the page's style sheet, which paints the classes `part-0` and `part-1`.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH = 400
"""The drawing, in its own units: the page scales it."""
ROW, THICKNESS = 22, 14
LABEL_END, BARS_START, BARS_END = 124, 132, 344
LONGEST_LABEL = 20
"""Letters; more do not fit."""


class Row(NamedTuple):
    """One bar."""

    label: str
    parts: tuple[int, ...]


def bar_chart(rows: Sequence[Row], description: str) -> str:
    """Return the SVG of a bar chart; its longest bar takes the whole width."""
    most = max([1, *(sum(row.parts) for row in rows)])
    drawn = "\n".join(_row(row, place, most) for place, row in enumerate(rows))
    said = escape(f"{description}: " + ", ".join(f"{row.label} {sum(row.parts):,}" for row in rows))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {ROW * len(rows)}" role="img"
 aria-label="{said}">
{drawn}
</svg>"""


def _row(row: Row, place: int, most: int) -> str:
    top, middle = place * ROW + (ROW - THICKNESS) / 2, place * ROW + ROW / 2 + 4
    bars, x = [], float(BARS_START)
    for number, part in enumerate(row.parts):
        width = (BARS_END - BARS_START) * part / most
        if part:
            box = f'x="{x:.1f}" y="{top:g}" width="{max(width, 1):.1f}" height="{THICKNESS}"'
            bars.append(f'<rect class="part-{number}" {box}/>')
        x += width
    label = row.label if len(row.label) <= LONGEST_LABEL else f"{row.label[: LONGEST_LABEL - 1]}…"
    return (
        f"<g><title>{escape(row.label)}: {sum(row.parts):,}</title>"
        f'<text x="{LABEL_END}" y="{middle:g}" text-anchor="end">{escape(label)}</text>{"".join(bars)}'
        f'<text class="count" x="{x + 8:.1f}" y="{middle:g}">{sum(row.parts):,}</text></g>'
    )
