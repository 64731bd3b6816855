"""The paint options of a painter: listed with their defaults, and changed by `NAME=VALUE`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from impasto.errors import PainterError, RecipeError
from impasto.painting.painters import LoadedPainter
from impasto.recipe import with_paint_options


class ListedOption(NamedTuple):
    """A paint option as the user sees it."""

    name: str
    value: str
    """What the painter uses unless the user chooses another value."""
    about: str


def listed_options(loaded: LoadedPainter) -> list[ListedOption]:
    """Return the paint options of a painter, in the order of their declaration."""
    return [
        ListedOption(name, _as_text(getattr(loaded.options, name)), " ".join((field.description or "").split()))
        for name, field in type(loaded.options).model_fields.items()
    ]


def with_options(
    loaded: LoadedPainter, settings: Sequence[str] = (), values: Mapping[str, Any] | None = None
) -> LoadedPainter:
    """Return the painter with paint options changed by `NAME=VALUE`, such as `steps=50`, or by values.

    Raises PainterError that tells every mistake, each by its dotted path.
    """
    if not settings and not values:
        return loaded
    if incomplete := [setting for setting in settings if "=" not in setting[1:]]:
        raise PainterError(f"{loaded.name}: {incomplete[0]!r} is not a setting; write NAME=VALUE, such as steps=50")
    try:
        options = with_paint_options(loaded.options, settings, values)
    except RecipeError as error:
        raise PainterError("\n".join(f"{loaded.name}: {problem}" for problem in error.problems)) from error
    return replace(loaded, options=options)


def _as_text(value: object) -> str:
    return "not set" if value is None else str(value)
