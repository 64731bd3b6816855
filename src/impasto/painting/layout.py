"""Pictures in rows and columns on a sheet, with captions, a title and a line below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFont

from impasto.errors import PainterError

Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont
MARGIN, GAP = 18, 4
TITLE, CAPTION, SMALL = 22, 16, 14
"""Font sizes, in pixels."""
LINE = 1.5
"""Line height, as a multiple of the font size."""
LEGIBLE_SIDE = 64
"""Smaller pictures are enlarged by a whole factor to at least this many pixels."""
LEAST_LEGIBLE = 16
"""Smallest side of a picture on a sheet, in pixels, unless the picture itself is smaller."""
LARGEST_SIDE = 10_000
"""Largest side of all pictures of a sheet together, in pixels. More pictures are reduced to fit."""
LONGEST_CAPTION = 240
PAPER, INK = (250, 248, 244), (50, 46, 42)


@dataclass(frozen=True)
class Captions:
    """The texts around the pictures."""

    title: str
    below: str
    rows: Sequence[str] = ()
    """One for each row, or nothing."""
    columns: Sequence[str] = ()
    """One for each column, or nothing."""


def draw_sheet(pictures: Sequence[Image.Image], columns: int, captions: Captions) -> Image.Image:
    """Return a sheet of pictures of the same size, row by row. The last row may be short."""
    rows = -(-len(pictures) // columns)
    side = _cell_side(pictures[0].width, max(rows, columns))
    height = max(1, round(side * pictures[0].height / pictures[0].width))
    across, down = side + GAP, height + GAP
    font, title, small = (ImageFont.load_default(size) for size in (CAPTION, TITLE, SMALL))
    row_names = [fitting(name, font, LONGEST_CAPTION) for name in captions.rows]
    left = MARGIN + (_widest(row_names, font) + MARGIN // 2 if row_names else 0)
    heads = _heads(captions.columns, font, side)
    top = MARGIN + _line(captions.title, TITLE) + max((head.height + GAP for head in heads), default=0)
    width = max(
        left + columns * across, MARGIN + _widest([captions.title], title), MARGIN + _widest([captions.below], small)
    )
    sheet = Image.new("RGB", (width + MARGIN, top + rows * down + _line(captions.below, SMALL) + MARGIN), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, MARGIN), captions.title, INK, title)
    for column, head in enumerate(heads):
        sheet.paste(head, (left + column * across + (side - head.width) // 2, top - GAP - head.height))
    for row, name in enumerate(row_names):
        draw.text((left - MARGIN // 2, top + row * down + height // 2), name, INK, font, anchor="rm")
    for place, picture in enumerate(pictures):
        row, column = divmod(place, columns)
        sheet.paste(_brought_to(picture, side, height), (left + column * across, top + row * down))
    draw.text((MARGIN, top + rows * down + GAP), captions.below, INK, small)
    return sheet


def check_legible(size: int, rows: int, columns: int) -> None:
    """Raise PainterError if pictures of `size` pixels would be too small on a sheet of this many rows and columns."""
    if (side := _cell_side(size, max(rows, columns))) < min(size, LEAST_LEGIBLE):
        raise PainterError(
            f"{rows:,} rows of {columns:,} paintings would leave {side} pixels for each; use fewer, or more equal "
            "numbers of rows and columns"
        )


def enlarged(picture: Image.Image, side: int) -> Image.Image:
    """Enlarge a picture by the smallest whole factor that makes it at least `side` pixels wide, without smoothing."""
    factor = -(-side // picture.width)
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)


def fitting(text: str, font: Font, width: int) -> str:
    """Return a text, cut to a width in pixels. A cut text ends with an ellipsis."""
    cut = text
    while cut and font.getlength(cut if cut == text else f"{cut}…") > width:
        cut = cut[:-1]
    return cut if cut == text else f"{cut}…"


def _cell_side(size: int, cells: int) -> int:
    wanted = size * -(-LEGIBLE_SIDE // size)
    return max(1, min(wanted, LARGEST_SIDE // cells - GAP))


def _brought_to(picture: Image.Image, width: int, height: int) -> Image.Image:
    larger = enlarged(picture, width) if width % picture.width == 0 else picture
    return larger if larger.size == (width, height) else larger.resize((width, height), Image.Resampling.LANCZOS)


def _line(text: str, letters: int) -> int:
    """Return the height of a line of text, in pixels; 0 where there is no text."""
    return round(letters * LINE) if text else 0


def _heads(names: Sequence[str], font: Font, side: int) -> list[Image.Image]:
    """Return the columns' captions as pictures: horizontal if all fit above their column, else rotated."""
    names = [fitting(name, font, LONGEST_CAPTION) for name in names]
    level = _widest(names, font) <= side
    heads = [_written(name, font) for name in names]
    return heads if level else [head.rotate(90, expand=True) for head in heads]


def _written(text: str, font: Font) -> Image.Image:
    strip = Image.new("RGB", (_widest([text], font) + 1, round(CAPTION * LINE)), PAPER)
    ImageDraw.Draw(strip).text((0, 2), text, INK, font)
    return strip


def _widest(texts: Sequence[str], font: Font) -> int:
    return max((round(font.getlength(text)) for text in texts), default=0)
