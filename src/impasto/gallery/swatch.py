"""How a page that shows several runs tells them apart: by colour and by name.

Colours live in the page's style sheet, which paints the classes `run-0`, `run-1`, and so on.
"""

from __future__ import annotations

from html import escape

COLOURS = 6
"""In the style sheet; further runs take them again, their lines dashed."""


def run_class(place: int) -> str:
    """Return the classes that give the run at a place its colour and line."""
    return f"run-{place % COLOURS}" + " dashed" * (place // COLOURS % 2)


def swatch_and_name(place: int, name: str) -> str:
    """Return a run's name beside a line of its colour."""
    return f'<span class="run"><i class="swatch {run_class(place)}"></i><span class="name">{escape(name)}</span></span>'
