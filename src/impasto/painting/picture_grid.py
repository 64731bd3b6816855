"""Several pictures in a list that a notebook shows as a grid."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence

from PIL import Image

from impasto.painting.layout import PAPER, Captions, draw_sheet

CELL = 256
"""Longest side, in pixels, of a picture in a grid."""
MOST_IN_GRID = 100


class Pictures(list[Image.Image]):
    """PIL images in a list, which a notebook shows as a grid."""

    def __init__(
        self,
        pictures: Iterable[Image.Image] = (),
        *,
        title: str = "",
        rows: Sequence[str] = (),
        columns: Sequence[str] = (),
    ) -> None:
        """`rows` or `columns` are captions of the grid and give its shape; without them it is about square."""
        super().__init__(pictures)
        self.title, self.rows, self.columns = title, tuple(rows), tuple(columns)

    def grid(self) -> Image.Image:
        """Return the first MOST_IN_GRID pictures side by side, each reduced to at most CELL pixels a side."""
        shown = _of_equal_size(self[:MOST_IN_GRID])
        if not shown:
            return Image.new("RGB", (1, 1), PAPER)
        more = f"{len(shown)} of {len(self):,} pictures" if len(shown) < len(self) else ""
        columns = self._in_a_row(len(shown))
        rows = self.rows[: -(-len(shown) // columns)]
        return draw_sheet(shown, columns, Captions(self.title, more, rows, self.columns[:columns]))

    def _in_a_row(self, count: int) -> int:
        if self.rows:
            return -(-len(self) // len(self.rows))
        return min(count, len(self.columns)) or math.ceil(math.sqrt(count))

    def __repr__(self) -> str:
        """Return how many pictures there are."""
        return f"<Pictures: {len(self)}>"

    def _repr_png_(self) -> bytes:
        content = io.BytesIO()
        self.grid().save(content, "PNG")
        return content.getvalue()


def _of_equal_size(pictures: Sequence[Image.Image]) -> list[Image.Image]:
    """Return pictures reduced to at most CELL pixels a side, each in the middle of as much paper as the largest."""
    small = [picture.convert("RGB") for picture in pictures]  # always a copy
    for picture in small:
        picture.thumbnail((CELL, CELL), Image.Resampling.LANCZOS)
    width, height = (max((picture.size[axis] for picture in small), default=0) for axis in (0, 1))
    return [_amid(picture, width, height) for picture in small]


def _amid(picture: Image.Image, width: int, height: int) -> Image.Image:
    if picture.size == (width, height):
        return picture
    paper = Image.new("RGB", (width, height), PAPER)
    paper.paste(picture, ((width - picture.width) // 2, (height - picture.height) // 2))
    return paper
