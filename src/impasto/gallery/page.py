"""What all pages share: pictures inside the page, and small pieces of HTML."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from html import escape
from importlib import resources
from typing import NamedTuple

from PIL import Image

JPEG_QUALITY = 88


class Picture(NamedTuple):
    """A picture as the page holds it, and the pixels it was made of."""

    pixels: Image.Image
    media_type: str
    content: bytes

    @property
    def uri(self) -> str:
        """The picture as a data URI."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.content).decode()}"


def within(pixels: Image.Image, longest_side: int) -> Image.Image:
    """Return a picture shrunk, where needed, to a longer side of `longest_side` pixels."""
    smaller = pixels.copy()
    smaller.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    return smaller


def encode(pixels: Image.Image) -> Picture:
    """Encode as JPEG, or as PNG where that is smaller (flat colours, drawings)."""
    jpeg, png = io.BytesIO(), io.BytesIO()
    pixels.save(jpeg, "JPEG", quality=JPEG_QUALITY, subsampling="4:4:4")  # red beside blue must not bleed
    pixels.save(png, "PNG")
    candidates = Picture(pixels, "image/jpeg", jpeg.getvalue()), Picture(pixels, "image/png", png.getvalue())
    return min(candidates, key=lambda picture: len(picture.content))


def resource(name: str) -> str:
    """Return a text that lies beside this file: a template, a style sheet or a script."""
    return resources.files("impasto.gallery").joinpath(name).read_text(encoding="utf-8")


def image(picture: Picture, description: str) -> str:
    """Return a picture as HTML."""
    width, height = picture.pixels.size
    return f'<img src="{picture.uri}" alt="{escape(description)}" width="{width}" height="{height}">'


def facts_list(facts: Mapping[str, str]) -> str:
    """Return short texts by name, side by side."""
    chips = [f"<li>{escape(name)} <strong>{escape(value)}</strong></li>" for name, value in facts.items()]
    return f'<ul class="facts">{"".join(chips)}</ul>' if chips else ""


def hint(text: str) -> str:
    """Return a sentence that explains what follows."""
    return f'<p class="hint">{escape(text)}</p>'


def note(text: str) -> str:
    """Return a sentence that says what is not there."""
    return f'<p class="note">{escape(text)}</p>'
