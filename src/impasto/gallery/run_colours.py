"""How a page that shows several runs tells them apart: by colour and by name.

The colours are in `assets/runs.css`, for the classes `run-0`, `run-1`, and so on.
"""

from __future__ import annotations

COLOURS = 6
"""Colours in the style sheet. Further runs use them again with dashed lines."""


def run_colour(place: int) -> str:
    """Return the CSS classes that give the run at a place its colour and line."""
    return f"run-{place % COLOURS}" + " dashed" * (place // COLOURS % 2)
