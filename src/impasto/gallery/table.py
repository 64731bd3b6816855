"""The page of a published table: what was measured beside what the paper says, the budget, and the figures.

The page is a single file that asks nothing of the network and runs no script.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from string import Template

from impasto.gallery.page import FOOTER, NOTHING, image, load_pictures, remarks, resource, write_page
from impasto.tables import wording
from impasto.tables.result import TableResult
from impasto.tables.wording import Grid, grids

PICTURE_BYTES = 12_000_000
"""What all figures of a page may weigh; base64 adds a third."""
LONGEST_SIDE = 2400
"""Of a figure on the page, pixels: a mixing matrix of 27 classes stays legible."""


def write_table_page(result: TableResult, target: Path) -> Path:
    """Write the page of a table to `target` and return `target`.

    Raises PictureError for a figure that cannot be read and OutputError when the page cannot be written.
    """
    sections = [*(_table(grid) for grid in grids(result)), *_figures(result), *_remarks(result)]
    body = Template(resource("table.html")).substitute(
        title=escape(result.name),
        summary=escape(f"{result.table.about.does} {result.table.source}."),
        sections="\n".join(_section(place, title, html) for place, (title, html) in enumerate(sections)),
        footer=FOOTER,
    )
    style = resource("report.css") + resource("compare.css") + resource("table.css")
    return write_page(target, title=result.name, style=style, body=body)


def _section(place: int, title: str, html: str) -> str:
    return f'<section aria-labelledby="part-{place}">\n<h2 id="part-{place}">{escape(title)}</h2>\n{html}\n</section>'


def _table(grid: Grid) -> tuple[str, str]:
    heads = "".join(f'<th scope="col">{escape(column)}</th>' for column in grid.columns)
    rows = "".join(_row(*row) for row in grid.rows)
    html = f'<div class="wide"><table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>'
    return grid.title, html


def _row(name: str, *cells: str) -> str:
    html = "".join(NOTHING if cell == wording.NOTHING else f"<td>{escape(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row">{escape(name)}</th>{html}</tr>\n'


def _figures(result: TableResult) -> Iterator[tuple[str, str]]:
    pictures = load_pictures((drawn.path for drawn in result.figures.values()), LONGEST_SIDE, PICTURE_BYTES)
    for figure in result.table.figures:
        if drawn := result.figures.get(figure.name):
            yield figure.caption, f"<figure>{image(pictures[drawn.path], figure.caption)}</figure>"


def _remarks(result: TableResult) -> Iterator[tuple[str, str]]:
    if said := [escape(sentence) for sentence in wording.remarks(result)]:
        yield "To be known", remarks(said)
