"""A line chart of one scalar that a notebook shows, without a plotting library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from impasto.files import write_text
from impasto.gallery.curves import Series
from impasto.gallery.line_chart import line_chart
from impasto.gallery.page import render
from impasto.gallery.run_reader import number


class Chart:
    """A chart as SVG."""

    def __init__(self, svg: str) -> None:
        self.svg = svg

    def save(self, path: str | Path) -> None:
        """Write the chart as an SVG file; raise OutputError where that is impossible."""
        write_text(Path(path), self.svg)

    def _repr_svg_(self) -> str:
        return self.svg


def chart(name: str, rows: Iterable[Mapping[str, Any]], images: int) -> Chart:
    """Return the chart of a value over 0 to `images` images seen, from rows that have it and `images_seen`."""
    series = Series(name, [], [])
    for row in rows:
        series.images_seen.append(row["images_seen"])
        series.values.append(number(row[name]))
    return Chart(str(render("notebook_chart.svg", name=name, chart=line_chart(series, images))))
