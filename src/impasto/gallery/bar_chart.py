"""Bar charts as inline SVG: one row for each class or interval, its parts one after the other.

The page's style sheet colours the classes `part-0` and `part-1`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from impasto.gallery.page import render

WIDTH = 400
"""Width of the drawing in its own units. The page scales it."""
ROW, THICKNESS = 22, 14
LABEL_END, BARS_START, BARS_END = 124, 132, 344
LONGEST_LABEL = 20
"""Letters of a label that fit beside the bars."""


class Row(NamedTuple):
    """One bar."""

    label: str
    parts: tuple[int, ...]

    @property
    def total(self) -> int:
        """The sum of its parts."""
        return sum(self.parts)

    @property
    def short_label(self) -> str:
        """The label, cut where it does not fit."""
        return self.label if len(self.label) <= LONGEST_LABEL else f"{self.label[: LONGEST_LABEL - 1]}…"


class _Box(NamedTuple):
    """One part of a bar."""

    part: int
    x: float
    width: float


class _Bar(NamedTuple):
    """A bar as it is drawn."""

    row: Row
    top: float
    boxes: list[_Box]
    end: float


def bar_chart(rows: Sequence[Row], description: str) -> Markup:
    """Return the SVG of a bar chart. Its longest bar takes the whole width."""
    most = max([1, *(row.total for row in rows)])
    return render(
        "bar_chart.svg",
        description=f"{description}: {', '.join(f'{row.label} {row.total:,}' for row in rows)}",
        bars=[_bar(row, place, most) for place, row in enumerate(rows)],
        width=WIDTH,
        height=ROW * len(rows),
        thickness=THICKNESS,
        label_end=LABEL_END,
    )


def _bar(row: Row, place: int, most: int) -> _Bar:
    boxes, x = [], float(BARS_START)
    for number, part in enumerate(row.parts):
        width = (BARS_END - BARS_START) * part / most
        if part:
            boxes.append(_Box(number, x, max(width, 1)))
        x += width
    return _Bar(row, place * ROW + (ROW - THICKNESS) / 2, boxes, x)
