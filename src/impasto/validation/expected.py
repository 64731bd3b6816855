"""What a field of a model accepts, in words: `a whole number from 1 to 512`, `auto, cpu or cuda`, `a list of text`."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

WORDS: Mapping[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
}
PLURALS = {"a whole number": "whole numbers", "a number": "numbers", "a path": "paths"}


@dataclass(frozen=True)
class MustBe:
    """Mark for `Annotated` that says what a value must be, where the type alone does not: `MustBe("a folder")`."""

    words: str


class Expected(NamedTuple):
    """What one place in a model accepts."""

    kind: Any
    """Its type, without `Annotated` and without None."""
    marks: tuple[Any, ...] = ()
    """Limits, FieldInfo and MustBe, the outermost first."""

    @property
    def model(self) -> type[BaseModel] | None:
        """The model, where a block of options is accepted."""
        return self.kind if isinstance(self.kind, type) and issubclass(self.kind, BaseModel) else None


ANYTHING = Expected(Any)


def of_type(kind: Any, marks: tuple[Any, ...] = ()) -> Expected:
    """Return what a type annotation accepts."""
    if get_origin(kind) is Annotated:
        inner, *found = get_args(kind)
        return of_type(inner, (*marks, *(part for mark in found for part in _flat(mark))))
    if get_origin(kind) in (Union, types.UnionType):
        options = [option for option in get_args(kind) if option is not type(None)]
        if len(options) == 1:
            return of_type(options[0], marks)
    return Expected(kind, marks)


def _flat(mark: Any) -> Iterable[Any]:
    return (mark, *mark.metadata) if isinstance(mark, FieldInfo) else (mark,)


def options_of(expected: Expected) -> list[Expected]:
    """Return the alternatives of a union; empty where there is only one type."""
    if get_origin(expected.kind) not in (Union, types.UnionType):
        return []
    return [of_type(option) for option in get_args(expected.kind) if option is not type(None)]


def discriminator(expected: Expected) -> str | None:
    """Return the field that chooses among the models of a union, such as `kind`."""
    found = (mark.discriminator for mark in expected.marks if isinstance(mark, FieldInfo))
    return next((name for name in found if isinstance(name, str)), None)


def tags(expected: Expected, key: str) -> dict[str, type[BaseModel]]:
    """Return the models of a discriminated union by the values of the field that chooses."""
    models = [option.kind for option in options_of(expected)]
    return {str(tag): model for model in models for tag in get_args(model.model_fields[key].annotation)}


def field_of(model: type[BaseModel], name: str) -> Expected:
    """Return what a field of a model accepts."""
    info = model.model_fields.get(name)
    return ANYTHING if info is None else of_type(info.annotation, tuple(_flat(info)))


def entry_of(expected: Expected) -> Expected:
    """Return what the entries of a list or mapping accept."""
    inside = get_args(expected.kind)
    if not inside:
        return ANYTHING
    return of_type(inside[1] if is_mapping(expected) else inside[0])


def key_of(expected: Expected) -> Expected:
    """Return what the keys of a mapping accept."""
    inside = get_args(expected.kind)
    return of_type(inside[0]) if inside else ANYTHING


def is_mapping(expected: Expected) -> bool:
    """Whether a block of names and values is accepted."""
    return _is(expected, Mapping)


def is_list(expected: Expected) -> bool:
    """Whether a list is accepted."""
    return _is(expected, Sequence | set | frozenset) and expected.kind is not str


def _is(expected: Expected, kinds: Any) -> bool:
    origin = get_origin(expected.kind) or expected.kind
    return isinstance(origin, type) and issubclass(origin, kinds)


def literals(expected: Expected) -> list[Any]:
    """Return the values to choose from, where there are only these."""
    options = options_of(expected)
    if options:
        found = [literals(option) for option in options]
        return [value for values in found for value in values] if all(found) else []
    return list(get_args(expected.kind)) if get_origin(expected.kind) is Literal else []


def in_words(expected: Expected) -> str:
    """Return what is accepted, as the end of a sentence that begins with `must be`."""
    marked = next((mark.words for mark in expected.marks if isinstance(mark, MustBe)), None)
    if marked is not None:
        return marked
    if (key := discriminator(expected)) is not None:
        return f"a block of options such as {{{key}: {next(iter(tags(expected, key)))}}}"
    if options := options_of(expected):
        return joined([words for option in options for words in _alternatives(option)])
    if values := literals(expected):
        return joined([str(value) for value in values])
    return _of_one_type(expected)


def _alternatives(expected: Expected) -> list[str]:
    """Return the alternatives apart, so that those of a union join into one list: `imagenet, none or a path`."""
    return [str(value) for value in literals(expected)] or [in_words(expected)]


def _of_one_type(expected: Expected) -> str:
    if expected.model is not None:
        return f"a block of options{_example(expected.model)}"
    if is_mapping(expected):
        return "a block of names and values"
    if is_list(expected):
        item = in_words(entry_of(expected))
        least = next((mark.min_length for mark in expected.marks if hasattr(mark, "min_length")), None)
        return f"a list with {least} or more entries, each {item}" if least else f"a list of {PLURALS.get(item, item)}"
    words = WORDS.get(expected.kind, "another value")
    limits = _limits(expected.marks)
    return f"{words} {limits}" if limits else words


def _example(model: type[BaseModel]) -> str:
    """Return the first option of a block as an example."""
    for name in model.model_fields:
        values = literals(field_of(model, name))
        return f" such as {{{name}: {values[0] if values else '...'}}}"
    return ""


def _limits(marks: Iterable[Any]) -> str:
    """Return the limits of a number: `from 4 to 512`, `above 0 and at most 1`."""
    found: dict[str, Any] = {}
    for mark in marks:
        for name in ("ge", "gt", "le", "lt"):
            if (limit := getattr(mark, name, None)) is not None:
                found[name] = f"{limit:g}" if isinstance(limit, float) else str(limit)
    if found.keys() == {"ge", "le"}:
        return f"from {found['ge']} to {found['le']}"
    forms = {"ge": "of at least {}", "gt": "above {}", "le": "at most {}", "lt": "below {}"}
    return " and ".join(forms[name].format(limit) for name, limit in found.items())


def joined(words: Iterable[str]) -> str:
    """Return alternatives as `a, b or c`, each once."""
    *first, last = dict.fromkeys(words)
    return f"{', '.join(first)} or {last}" if first else last
