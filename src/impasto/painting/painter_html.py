"""What a notebook shows of a painter: its name, what it does, what it takes and its options."""

from __future__ import annotations

from html import escape

from impasto.data.prompts import ClassPrompt, StylePrompt
from impasto.painting.class_requests import short_names
from impasto.painting.option_list import listed_options
from impasto.painting.painters import LoadedPainter
from impasto.painting.usage import usage_of

MOST_CLASSES = 30
"""Classes that are listed."""


def painter_html(loaded: LoadedPainter) -> str:
    """Return a small card as HTML. Names and texts come from recipes of other people, so all are escaped."""
    does = " ".join(loaded.recipe.about.does.split()) if loaded.recipe.about else ""
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in _facts(loaded).items())
    return f"<b>{escape(loaded.name)}</b><p>{escape(does)}</p><table>{rows}</table>"


def _facts(loaded: LoadedPainter) -> dict[str, str]:
    seen = f", {loaded.images_seen:,} images seen" if loaded.images_seen else ""
    facts = {
        "method": f"{loaded.recipe.method.name}{seen}",
        "paints from": _source(loaded),
        "example": _example(loaded),
    }
    facts |= {f"option {one.name}": f"{one.value}. {one.about}" for one in listed_options(loaded)}
    return facts | {name: f"{value:.4g}" for name, value in loaded.metrics.items()}


def _source(loaded: LoadedPainter) -> str:
    names = short_names(loaded.spec)
    if loaded.painter.prompt_type is not ClassPrompt or len(names) <= MOST_CLASSES:
        return usage_of(loaded.painter).paints_from(loaded.spec)
    return f"{len(names)} classes, at {loaded.spec.size} pixels: {', '.join(names[:MOST_CLASSES])}, ..."


def _example(loaded: LoadedPainter) -> str:
    kind, names = loaded.painter.prompt_type, short_names(loaded.spec)
    if kind is StylePrompt:
        return 'painter.paint("photo.jpg", style="painting.jpg")'
    if kind is not ClassPrompt:
        return 'painter.paint("photo.jpg")'
    return f"painter.paint(classes={names[0]!r}, count=4, seed=3)" if names else "painter.paint(count=4, seed=3)"
