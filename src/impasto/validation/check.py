"""Validation of a block of settings, with one sentence for each mistake."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from impasto.errors import did_you_mean
from impasto.validation.expected import (
    Expected,
    discriminator,
    entry_of,
    field_of,
    in_words,
    is_list,
    joined,
    key_of,
    literals,
    options_of,
    tags,
)

Model = TypeVar("Model", bound=BaseModel)
LONGEST_SHOWN = 80
"""Characters of a wrong value that a sentence repeats."""


def checked(
    model: type[Model], values: Any, block: str = "", *, whole: str | None = None
) -> tuple[Model | None, list[str]]:
    """Return the options that `values` spell, or None and a sentence for each mistake, as `mistakes` words it."""
    try:
        return model.model_validate(values), []
    except ValidationError as error:
        return None, mistakes(error, model, block, whole=whole)


def mistakes(error: ValidationError, model: type[BaseModel], block: str = "", *, whole: str | None = None) -> list[str]:
    """Return a sentence for each mistake that pydantic found.

    Each begins with the dotted path of the mistake. In the block `training` that is `training.images: ...`. A tree
    without a name has an empty block; `whole` is what sentences call it then, such as `a table`.
    """
    details = error.errors()
    found: dict[str, str] = {}
    for detail in details:
        if detail["type"] == "too_short" and any(_is_inside(other, detail) for other in details):
            continue  # wrong entries do not count, and each has a sentence of its own
        place = _place(model, block, detail["loc"])  # branches of a union share it: one sentence tells all of them
        found.setdefault(place.path, _sentence(place, detail, whole or block))
    return list(found.values())


def chosen_name(tree: Mapping[str, Any], block: str, key: str, known: Collection[str]) -> tuple[str | None, list[str]]:
    """Return the known name that a block's own `name` or `kind` chooses, or None and the mistake."""
    values = tree.get(block)
    if values is not None and not isinstance(values, dict):
        return None, [f"{block}: must be a block of options such as {{{key}: {next(iter(known))}}}{_not(values)}"]
    if not values or key not in values:
        return None, [f"{block}.{key}: missing{_missing_space(values or ()) or did_you_mean('', known)}"]
    if values[key] not in list(known):
        return None, [f"{block}.{key}: there is no {shown(values[key])}{did_you_mean(str(values[key]), known)}"]
    return str(values[key]), []


@dataclass(frozen=True)
class Place:
    """Where a mistake is."""

    parts: tuple[str, ...]
    """The dotted path, part by part."""
    expected: Expected
    """What is accepted there."""
    block: type[BaseModel] | None = None
    """The model of the block that the place is in; None in a list or mapping."""

    @property
    def path(self) -> str:
        """The dotted path."""
        return ".".join(self.parts)


def _place(model: type[BaseModel], block: str, location: Iterable[str | int]) -> Place:
    """Follow pydantic's location through a model; leave out the parts that pydantic adds for branches of unions."""
    parts = [block] if block else []
    outer = expected = Expected(model)
    around = None
    for part in location:
        if part == "[key]":
            expected = key_of(outer)
        elif (key := discriminator(expected)) is not None:
            expected = Expected(tags(expected, key)[str(part)])
        elif options_of(expected):
            break  # the union is told as a whole
        else:
            parts.append(str(part))
            outer, around = expected, expected.model
            expected = entry_of(expected) if around is None else field_of(around, str(part))
    return Place(tuple(parts), expected, around)


def _is_inside(detail: ErrorDetails, of: ErrorDetails) -> bool:
    return len(detail["loc"]) > len(of["loc"]) and detail["loc"][: len(of["loc"])] == of["loc"]


def _sentence(place: Place, detail: ErrorDetails, whole: str) -> str:
    """Return one mistake as a sentence. Pydantic's own words are for programmers and never shown."""
    kind, given = detail["type"], detail["input"]
    start = f"{place.path}: " if place.path else ""
    if kind == "json_invalid":
        return f"{start}not JSON"
    if kind in ("value_error", "assertion_error"):  # raised by our own validators
        return f"{start}{detail['ctx']['error']}"
    if kind in ("extra_forbidden", "invalid_key") and place.block is not None:
        *parents, name = place.parts
        hint = _missing_space([name]) or did_you_mean(name, place.block.model_fields)
        return f"{start}not an option of {'.'.join(parents) or whole}{hint}"
    if kind == "missing":
        return f"{start}missing; it must be {in_words(place.expected)}"
    if kind.startswith("union_tag") and (key := discriminator(place.expected)) is not None:
        choices = tags(place.expected, key)
        if key not in given:
            hint = _missing_space(given) or f"; it must be {joined(choices)}"
            return f"{place.path}.{key}: missing{hint}"
        return f"{place.path}.{key}: must be {joined(choices)}{_not(given[key])}{_near(given[key], choices)}"
    return f"{start}must be {in_words(place.expected)}{_not(given)}{_remedy(place.expected, given)}"


def shown(value: Any) -> str:
    """Return a value as a sentence repeats it: as YAML writes it, on one line and not too long."""
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."


def _not(given: Any) -> str:
    return "; it is empty" if given is None else f", not {shown(given)}"


def _near(given: Any, known: Iterable[Any]) -> str:
    near = difflib.get_close_matches(str(given), [str(word) for word in known], n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _remedy(expected: Expected, given: Any) -> str:
    """Return how to write a value so that it is read as it was meant; empty where that cannot be guessed."""
    if values := literals(expected):
        return _near(given, values)
    if not isinstance(given, str):
        quoted = expected.kind is str and isinstance(given, int | float)
        return f"""; put it in quotes: '"{shown(given)}"'""" if quoted else ""
    if is_list(expected):
        return f"; write [{given}]"
    if expected.kind is int:
        try:
            number = float(given.replace(",", ""))
        except ValueError:
            return ""
        return f"; write {number:.0f}" if number.is_integer() and abs(number) < 1e15 else ""
    return ""


def _missing_space(keys: Iterable[Any]) -> str:
    """Return the remedy for `{kind:ada}`, which YAML reads as one word; empty where no key has a colon."""
    found = next((key.split(":", 1) for key in keys if isinstance(key, str) and ":" in key), None)
    return "" if found is None else f"; write a space after the colon: {{{found[0]}: {found[1]}}}"
