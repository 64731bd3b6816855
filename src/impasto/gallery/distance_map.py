"""A map of distances between classes, as a picture: dark cells are large distances."""

from __future__ import annotations

from typing import TypeAlias

import torch
from PIL import Image, ImageDraw, ImageFont

from impasto.evaluation.matrix import Matrix

Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont
CELL, MARGIN, CAPTION = 76, 18, 52
"""Pixels: a cell's side, the border, and the space for the caption."""
PAPER, INK = (250, 248, 244), (50, 46, 42)
NEAR, FAR = (253, 246, 222), (146, 42, 60)
SAME = (226, 226, 222)
"""Colour of the diagonal, which has another scale."""


def draw_matrix(matrix: Matrix, title: str) -> Image.Image:
    """Draw each distance as a coloured cell with its value. The diagonal compares two halves of a class."""
    font, small = ImageFont.load_default(16), ImageFont.load_default(14)
    names = [f"{name} ({count:,})" for name, count in zip(matrix.classes, matrix.counts, strict=True)]
    label = round(max(font.getlength(name) for name in names)) + 2 * MARGIN
    side = len(names) * CELL
    sheet = Image.new("RGB", (label + side + MARGIN, 2 * MARGIN + 24 + side + label + CAPTION), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, MARGIN), title, INK, ImageFont.load_default(20))
    top = 2 * MARGIN + 24
    off = ~torch.eye(len(names), dtype=torch.bool)
    low, high = float(matrix.values[off].min()), float(matrix.values[off].max())
    for row, name in enumerate(names):
        draw.text((label - MARGIN, top + row * CELL + CELL / 2), name, INK, font, anchor="rm")
        _draw_upright(sheet, name, (label + row * CELL + CELL // 2, top + side + MARGIN // 2), font)
        for column in range(len(names)):
            value = float(matrix.values[row, column])
            share = (
                max(0.0, (value - low) / (high - low)) ** 0.5 if high > low else 0.0
            )  # the root shows differences between small distances
            shade = SAME if row == column else _between(share)
            corner = (label + column * CELL, top + row * CELL)
            draw.rectangle((*corner, corner[0] + CELL - 2, corner[1] + CELL - 2), shade)
            ink = PAPER if row != column and share > 0.55 else INK
            draw.text((corner[0] + CELL / 2, corner[1] + CELL / 2), _short(value), ink, small, anchor="mm")
    about = matrix.about
    caption = f"{matrix.metric.upper()}, features {about.name}" + (
        "" if about.comparable else ", not comparable with published values"
    )
    bottom = sheet.height - CAPTION
    draw.text((MARGIN, bottom), caption, INK, small)
    draw.text((MARGIN, bottom + 20), "On the diagonal: two random halves of the same class.", INK, small)
    return sheet


def _between(share: float) -> tuple[int, int, int]:
    red, green, blue = (round(near + share * (far - near)) for near, far in zip(NEAR, FAR, strict=True))
    return red, green, blue


def _draw_upright(
    sheet: Image.Image, text: str, top: tuple[int, int], font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> None:
    """Draw a text from bottom to top, its middle and end at `top`."""
    strip = Image.new("RGB", (round(font.getlength(text)) + 2, 24), PAPER)
    ImageDraw.Draw(strip).text((0, 2), text, INK, font)
    turned = strip.rotate(90, expand=True)
    sheet.paste(turned, (top[0] - turned.width // 2, top[1]))


def _short(value: float) -> str:
    """Return a value to three significant digits or so."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.4f}" if abs(value) < 0.1 else f"{value:.3g}"
