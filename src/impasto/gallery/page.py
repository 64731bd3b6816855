"""What all pages share: the head, pictures inside the page, and small pieces of HTML."""

from __future__ import annotations

import base64
import io
import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from typing import NamedTuple

from PIL import Image

from impasto.data.pictures import read_picture
from impasto.files import replacing

Progress = Callable[[int, int], None]
"""Is told how many of how many pictures are done."""

JPEG_QUALITY = 88
THREADS = 4
"""That encode pictures; Pillow lets go of Python's lock meanwhile."""
FOOTER = "Made with impasto. This page is one file: it needs no network and can be passed on as it is."
NOTHING = '<td class="nothing">–</td>'
"""A table's cell where there is nothing to tell."""
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""What a browser lets a page do: nothing beyond itself."""


class Picture(NamedTuple):
    """A picture as the page holds it, and the pixels it was made of."""

    pixels: Image.Image
    media_type: str
    content: bytes

    @property
    def weight(self) -> int:
        """Its bytes."""
        return len(self.content)

    @property
    def uri(self) -> str:
        """The picture as a data URI."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.content).decode()}"


def write_page(target: Path, *, title: str, style: str, body: str, script: str = "") -> Path:
    """Write a page that asks nothing of the network to `target` and return `target`; the title is plain text.

    Raises OutputError when the page cannot be written.
    """
    page = Template(resource("page.html")).substitute(
        policy=POLICY + ("; script-src 'unsafe-inline'" if script else ""),
        title=escape(title),
        style=style,
        body=body,
        script=f"<script>\n{script}\n</script>" if script else "",
    )
    with replacing(target) as temporary:
        temporary.write_bytes(page.encode("utf-8", errors="replace"))  # a file name need not be valid Unicode
    return target


def load_pictures(
    paths: Iterable[Path], longest_side: int, most_bytes: int, progress: Progress | None = None
) -> dict[Path, Picture]:
    """Return the pictures by path, the heaviest ones shrunk until all together weigh no more than `most_bytes`.

    Raises PictureError when one cannot be read.
    """
    wanted = list(dict.fromkeys(paths))
    pictures = {}
    with ThreadPoolExecutor(THREADS, thread_name_prefix="impasto-pages") as pool:
        encoded = pool.map(lambda path: encode(within(read_picture(path), longest_side)), wanted)
        for done, (path, picture) in enumerate(zip(wanted, encoded, strict=True), start=1):
            pictures[path] = picture
            if progress is not None:
                progress(done, len(wanted))
        while sum(picture.weight for picture in pictures.values()) > most_bytes:
            level = _level([picture.weight for picture in pictures.values()], most_bytes)
            heavy = [path for path, picture in pictures.items() if picture.weight > level]
            lighter = pool.map(_lighter, [pictures[path] for path in heavy], itertools.repeat(level))
            pictures.update(zip(heavy, lighter, strict=True))
    return pictures


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
    return min(candidates, key=lambda picture: picture.weight)


def _level(weights: Sequence[int], most: int) -> float:
    """Return the weight to which the heavier ones must come down for all together to weigh `most`."""
    left = float(most)
    for place, weight in enumerate(sorted(weights)):
        level = left / (len(weights) - place)
        if weight > level:
            return level
        left -= weight
    return math.inf


def _lighter(picture: Picture, weight: float) -> Picture:
    """Return a picture shrunk to about that weight, which goes with its area."""
    share = 0.97 * math.sqrt(weight / picture.weight)
    return encode(within(picture.pixels, max(1, int(max(picture.pixels.size) * share))))


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


def remarks(sentences: Iterable[str]) -> str:
    """Return sentences of HTML that must be known to read what stands above."""
    items = "".join(f"<li>{sentence}</li>" for sentence in sentences)
    return f'<ul class="remarks">{items}</ul>' if items else ""


def figure(value: float) -> str:
    """Write a figure to four digits."""
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"
