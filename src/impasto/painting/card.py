"""The card of a painter: the one in its folder, or one made from its run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from impasto.data.prompts import ClassPrompt
from impasto.durations import in_words
from impasto.errors import PainterError
from impasto.painting.painters import Found, LoadedPainter
from impasto.painting.usage import usage_of
from impasto.recipe import PainterRecipe, Recipe
from impasto.run_folder import WEIGHTS, RunFolder

CARD = "README.md"
USE = "## Paint with it"
"""Heading of the section that publishing adds."""


def card_of(loaded: LoadedPainter, found: Found) -> str:
    """Return the Markdown card of a painter: the one in its folder or its run's folder, else a new one.

    The parts that publishing adds are left out. A new card contains no path of this machine. Raises PainterError for a
    card that is not UTF-8 text.
    """
    folder = found.folder
    own = None if folder is None else _own_card(folder)
    if own is not None:
        return own
    known = _known_of_untrained(loaded) if folder is None else _known(loaded, folder)
    sentences = "\n".join(f"- **{name}**: {text}" for name, text in known)
    return f"# {loaded.name}\n\n{_does(loaded.recipe)}\n\n{sentences}\n"


def _own_card(folder: Path) -> str | None:
    """Return the card in a painter's folder or in its run's folder, or None."""
    for own in (folder / CARD, _run_of(folder).path / CARD):
        if own.is_file() and (own.parent == folder or _run_of(folder).exists()):
            try:
                return _as_written(own.read_text(encoding="utf-8"))
            except UnicodeDecodeError as error:
                raise PainterError(f"{own} is not UTF-8 text; save it as UTF-8, or remove it") from error
    return None


def _run_of(folder: Path) -> RunFolder:
    """Return the run folder of a checkpoint. It may not exist."""
    return RunFolder(folder.absolute().parent.parent)


def _as_written(card: str) -> str:
    """Return a card without the hub's metadata at its start and the download commands at its end."""
    front = re.match(r"---\n.*?\n---\n\s*", card, re.DOTALL)
    return card[front.end() if front else 0 :].partition(f"\n{USE}\n")[0].rstrip() + "\n"


def _does(recipe: PainterRecipe) -> str:
    return " ".join(recipe.about.does.split()) if recipe.about else "A painter trained with the user's own recipe."


def _known_of_untrained(loaded: LoadedPainter) -> Iterator[tuple[str, str]]:
    yield "Method", f"{loaded.recipe.method.name}, which does not learn."
    yield "Paints from", painted_from(loaded)


def _known(loaded: LoadedPainter, folder: Path) -> Iterator[tuple[str, str]]:
    start, seconds = _history(_run_of(folder), loaded.images_seen)
    yield "Method", f"{loaded.recipe.method.name}; `recipe.yaml` has every setting."
    yield "Paints from", painted_from(loaded)
    seen = f"{loaded.images_seen:,} images seen."
    yield "Learned from", f"{start['data']}; {seen}" if start else seen
    if start:
        yield (
            "Trained with",
            f"impasto {start['impasto']}, {start['device']}, {start['precision']}; {in_words(seconds)}.",
        )
    if loaded.metrics:
        measured = ", ".join(f"{name} {value:.4g}" for name, value in loaded.metrics.items())
        yield "Measured during training", f"{measured}."
    yield "Weights", f"{(folder / WEIGHTS).stat().st_size / 1e6:.1f} MB; SHA-256 begins with {loaded.fingerprint}."
    yield "Limits", "not described yet."


def painted_from(loaded: LoadedPainter) -> str:
    """Return what the painter paints from. If it accepts any size, add the size of its training images."""
    taken = usage_of(loaded.painter).paints_from(loaded.spec)
    any_size = loaded.painter.prompt_type is not ClassPrompt
    learned = f"; it learned at {loaded.spec.size} pixels" if any_size and isinstance(loaded.recipe, Recipe) else ""
    return f"{taken}{learned}."


def _history(run: RunFolder, images_seen: int) -> tuple[Mapping[str, Any] | None, float]:
    """Return the journal entry of the last start before this many images, and the seconds of training until then."""
    start, seconds = None, 0.0
    for entry in run.journal():
        if entry["images_seen"] > images_seen:
            break
        seconds = max(seconds, float(entry["seconds"]))
        if entry["kind"] == "start" and entry["images_seen"] < images_seen:
            start = entry
    return start, seconds
