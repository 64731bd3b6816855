"""How pages are made: Jinja2 templates filled in with plain values, each page one file that works offline.

All HTML and SVG is in `templates/`, all style sheets and scripts are in `assets/`. The one environment here escapes
every value, so that names from other people's files stay words. Python code of this package writes no tags.
"""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from impasto.files import replacing

OPTION = re.compile(r"(--[a-z]+(?: DIR)?)")
"""A command's option in a sentence."""


def write_page(target: Path, template: str, **values: object) -> Path:
    """Fill in a template, write the page to `target` and return `target`.

    Raises OutputError when the page cannot be written.
    """
    page = render(template, **values)
    with replacing(target) as temporary:
        temporary.write_bytes(page.encode("utf-8", errors="replace"))  # a file name may be invalid Unicode
    return target


def render(template: str, **values: object) -> Markup:
    """Return a template filled in; other templates take the result as it is."""
    return Markup(environment.get_template(template).render(values))  # noqa: S704 - the environment escaped it


def asset(name: str) -> Markup:
    """Return a style sheet or a script, which templates take as it is."""
    text = resources.files("impasto.gallery").joinpath("assets", name).read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704 - a file of this package


def figure(value: float) -> str:
    """Return a number to four digits."""
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"


def grouped(number: int) -> str:
    """Return an integer with commas between thousands."""
    return f"{number:,}"


def coordinate(value: float) -> str:
    """Return a coordinate of a drawing to a tenth of its unit."""
    return f"{value:.1f}"


def pieces(text: str, marks: str) -> list[str]:
    """Return a text cut after each of some characters: where a line may break."""
    return [piece for piece in re.split(f"(?<=[{re.escape(marks)}])", text) if piece]


def options_apart(sentence: str) -> list[tuple[str, bool]]:
    """Return the parts of a sentence, and for each whether it is an option such as `--quarantine DIR`."""
    return [(part, bool(OPTION.fullmatch(part))) for part in OPTION.split(sentence) if part]


environment = Environment(
    loader=PackageLoader("impasto.gallery"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
environment.globals["asset"] = asset
for _filter in (coordinate, figure, grouped, options_apart, pieces):
    environment.filters[_filter.__name__] = _filter
