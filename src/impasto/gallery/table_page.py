"""The page of a published table: measured values beside the paper's, the budget, and the figures."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from impasto.gallery.comparison_metrics import Remark
from impasto.gallery.page import write_page
from impasto.gallery.pictures import Picture, load_pictures
from impasto.tables import wording
from impasto.tables.result import TableResult

PICTURE_BYTES = 12_000_000
"""Most bytes of all figures of a page; base64 adds a third."""
LONGEST_SIDE = 2400
"""Longer side of a figure in pixels: a mixing matrix of 27 classes stays legible."""


class _Figure(NamedTuple):
    caption: str
    picture: Picture


def write_table_page(result: TableResult, target: Path) -> Path:
    """Write the page of a table to `target` and return `target`.

    Raises PictureError for a figure that cannot be read and OutputError when the page cannot be written.
    """
    return write_page(
        target,
        "table.html",
        title=result.name,
        summary=f"{result.table.about.does} {result.table.source}.",
        grids=list(wording.grids(result)),
        nothing_cell=wording.NOTHING,
        figures=_figures(result),
        remarks=[Remark(sentence) for sentence in wording.remarks(result)],
    )


def _figures(result: TableResult) -> list[_Figure]:
    pictures = load_pictures((drawn.path for drawn in result.figures.values()), LONGEST_SIDE, PICTURE_BYTES)
    return [
        _Figure(figure.caption, pictures[result.figures[figure.name].path])
        for figure in result.table.figures
        if figure.name in result.figures
    ]
