"""What a painter says of itself: the card that ships with it, or one made from its run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from impasto.durations import in_words
from impasto.errors import PainterError
from impasto.method import LatentPainter
from impasto.painting.painters import LoadedPainter
from impasto.recipe import Recipe
from impasto.run_folder import WEIGHTS, RunFolder

CARD = "README.md"
USE = "## Paint with it"
"""The heading that publishing adds."""


def card_of(loaded: LoadedPainter, folder: Path) -> str:
    """Return the Markdown card of the painter in a folder: the one that lies there, else one made from what is known.

    For a checkpoint of a run the card may lie in the run's folder. What publishing adds to a card is left out, and no
    path of this machine is in one that is made. Raises PainterError for a card that is no text.
    """
    for own in (folder / CARD, _run_of(folder).path / CARD):
        if own.is_file() and (own.parent == folder or _run_of(folder).exists()):
            try:
                return _as_written(own.read_text(encoding="utf-8"))
            except UnicodeDecodeError as error:
                raise PainterError(f"{own} is not UTF-8 text; save it as such, or remove it") from error
    sentences = "\n".join(f"- **{name}**: {said}" for name, said in _known(loaded, folder))
    return f"# {loaded.name}\n\n{_does(loaded.recipe)}\n\n{sentences}\n"


def _run_of(folder: Path) -> RunFolder:
    """Return the run that a checkpoint's folder belongs to, if it is one."""
    return RunFolder(folder.absolute().parent.parent)


def _as_written(card: str) -> str:
    """Return a card without what the hub needs before it, and without how to fetch it after it."""
    front = re.match(r"---\n.*?\n---\n\s*", card, re.DOTALL)
    return card[front.end() if front else 0 :].partition(f"\n{USE}\n")[0].rstrip() + "\n"


def _does(recipe: Recipe) -> str:
    return " ".join(recipe.about.does.split()) if recipe.about else "A painter of a recipe of its owner's."


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
        yield "Measured while it learned", f"{measured}."
    yield "Weights", f"{(folder / WEIGHTS).stat().st_size / 1e6:.1f} MB; SHA-256 begins with {loaded.fingerprint}."
    yield "Limits", "not described yet."


def painted_from(loaded: LoadedPainter) -> str:
    """Say what the painter is given."""
    if isinstance(loaded.painter, LatentPainter):
        return f"labels, at {loaded.spec.size} pixels: {', '.join(loaded.spec.classes)}."
    return f"photos of any size; it learned at {loaded.spec.size} pixels."


def _history(run: RunFolder, images_seen: int) -> tuple[Mapping[str, Any] | None, float]:
    """Return the entry of the last start that led to so many images, and the seconds it took until then."""
    start, seconds = None, 0.0
    for entry in run.journal():
        if entry["images_seen"] > images_seen:
            break
        seconds = max(seconds, float(entry["seconds"]))
        if entry["kind"] == "start" and entry["images_seen"] < images_seen:
            start = entry
    return start, seconds
