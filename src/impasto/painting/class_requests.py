"""Converts class names from the user into requests to a painter: class weights with a name."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from impasto.data.batches import ImageSpec
from impasto.errors import PainterError, did_you_mean, naming

SUM_TOLERANCE = 1e-6
"""A mixture whose weights sum to 1 within this tolerance is not reported as scaled."""


class Request(NamedTuple):
    """Class weights for one painting, with a name."""

    name: str
    """The name in captions, such as `ukiyo_e + landscape` or `ukiyo_e 0.6 + impressionism 0.4`."""
    weights: Tensor
    """[K] float32, as in Labels"""


class Attribute(NamedTuple):
    """A label column, such as style or genre."""

    name: str
    places: range
    """Indices of its classes among all K."""


def attributes_of(spec: ImageSpec) -> tuple[Attribute, ...]:
    """Return the attributes in order. A single attribute without a name is called `class`."""
    ends = list(itertools.accumulate(spec.attributes))
    spans = [range(end - size, end) for end, size in zip(ends, spec.attributes, strict=True)]
    names = [spec.classes[span.start].partition("=")[0] if spec.groups else "class" for span in spans]
    return tuple(Attribute(name, span) for name, span in zip(names, spans, strict=True))


def find_attribute(spec: ImageSpec, name: str | None) -> Attribute:
    """Return an attribute by name. Default: the first. Raises PainterError for an unknown name."""
    known = {attribute.name: attribute for attribute in attributes_of(spec)}
    if name is None:
        return next(iter(known.values()))
    if name not in known:
        raise PainterError(f"the painter knows no attribute {name}{did_you_mean(name, known)}")
    return known[name]


def short_names(spec: ImageSpec) -> tuple[str, ...]:
    """Return the class names without their attribute, except for values that two attributes share."""
    if not spec.groups:
        return spec.classes
    values = [_value(name) for name in spec.classes]
    uses = Counter(values)
    return tuple(value if uses[value] == 1 else name for name, value in zip(spec.classes, values, strict=True))


def find_class(spec: ImageSpec, label: str) -> int:
    """Return the index of a class among all K, by its full name or, if that is unambiguous, by its value.

    An exact match comes first. Otherwise case is ignored, and space, `_` and `-` are equal. Raises PainterError for an
    unknown or ambiguous label.
    """
    places = _places_of(spec, label) or _places_of(spec, label, _normalized)
    if not places:
        raise PainterError(f"the painter knows no class {label}{did_you_mean(label, short_names(spec))}")
    if len(places) > 1:
        names = " or ".join(spec.classes[place] for place in places)
        raise PainterError(f"the class {label} is ambiguous; use the full name: {names}")
    return places[0]


def requested(spec: ImageSpec, labels: Iterable[str]) -> list[Request]:
    """Return a request for each named class. With several attributes: for each combination of their named classes."""
    chosen = [find_class(spec, label) for label in dict.fromkeys(labels)]
    groups = [[place for place in chosen if place in attribute.places] for attribute in attributes_of(spec)]
    return [_of_places(spec, places) for places in itertools.product(*filter(None, groups))]


def requested_one(spec: ImageSpec, labels: Sequence[str]) -> Request:
    """Return one request with all labels. Raises PainterError if they name two classes of the same attribute."""
    requests = requested(spec, labels)
    if len(requests) != 1:
        raise PainterError(f"{', '.join(labels)} are several classes; use one, or one of each attribute")
    return requests[0]


def completed(spec: ImageSpec, request: Request) -> Request:
    """Return the request, with the first class of each attribute that has none. Every real picture has all of them."""
    chosen = request.weights.nonzero().flatten().tolist()
    return _of_places(spec, [_first_of(attribute, chosen) for attribute in attributes_of(spec) if attribute.places])


def each_class(spec: ImageSpec) -> list[Request]:
    """Return requests that contain each class at least once. Several attributes cycle through their classes together.

    Without classes, return one request without class weights.
    """
    spans = [attribute.places for attribute in attributes_of(spec) if attribute.places]
    most = max(1, *spec.attributes)
    return [_of_places(spec, [span[number % len(span)] for span in spans]) for number in range(most)]


def mixed(spec: ImageSpec, mixture: str) -> tuple[Request, list[str]]:
    """Return the request of `NAME=WEIGHT,NAME=WEIGHT`, and a sentence for each attribute that was scaled.

    The weights of an attribute's classes are scaled to sum to 1. Raises PainterError for an unknown class or an
    invalid weight.
    """
    given = _weights_given(spec, mixture)
    with naming("--mix"):
        return mixed_by_place(spec, given)


def mixed_by_place(spec: ImageSpec, given: Mapping[int, float]) -> tuple[Request, list[str]]:
    """Return what `mixed` does, for weights of 0 or more by the place of their class among all K.

    Raises PainterError where the weights of an attribute do not add up to a number above 0.
    """
    weights, notes = torch.zeros(len(spec.classes)), []
    for attribute in attributes_of(spec):
        named = {place: weight for place, weight in given.items() if place in attribute.places}
        if not named:
            continue
        total = sum(named.values())
        if not 0 < total < math.inf:
            raise PainterError(f"the weights add up to {total:g}; use weights such as 0.6 and 0.4")
        for place, weight in named.items():
            weights[place] = weight / total
        if abs(total - 1) > SUM_TOLERANCE:
            notes.append(_scaled_note(attribute, total, [weight / total for weight in named.values()], spec))
    names = short_names(spec)
    return Request(" + ".join(f"{names[place]} {weights[place]:.2g}" for place in given), weights), notes


def _weights_given(spec: ImageSpec, mixture: str) -> dict[int, float]:
    given: dict[int, float] = {}
    for part in mixture.split(","):
        name, _, number = part.strip().rpartition("=")
        with naming("--mix"):
            place = find_class(spec, name) if name else None
        try:
            weight = float(number)
        except ValueError:
            weight = math.nan
        if place is None or not 0 <= weight < math.inf:
            raise PainterError(
                f"--mix: {part.strip() or 'an empty part'} has no weight of 0 or more; use NAME=NUMBER for each class, "
                "such as a=0.6,b=0.4"
            )
        if place in given:
            raise PainterError(f"--mix names {name} twice; give each class one weight")
        given[place] = weight
    return given


def _places_of(spec: ImageSpec, label: str, spelled: Callable[[str], str] = str) -> list[int]:
    """Return the classes whose name, or else whose value, equals the label after `spelled` is applied to both."""
    wanted = spelled(label)
    whole = [place for place, name in enumerate(spec.classes) if spelled(name) == wanted]
    return whole or [p for p, name in enumerate(spec.classes) if spec.groups and spelled(_value(name)) == wanted]


def _first_of(attribute: Attribute, places: Sequence[int]) -> int:
    """Return the first of the indices that belongs to the attribute, else the attribute's first class."""
    return next((place for place in places if place in attribute.places), attribute.places.start)


def _normalized(name: str) -> str:
    return name.casefold().replace("_", " ").replace("-", " ")


def _scaled_note(attribute: Attribute, total: float, scaled: Sequence[float], spec: ImageSpec) -> str:
    of = f" for {attribute.name}" if spec.groups else ""
    *first, last = [f"{weight:.2g}" for weight in scaled]
    listed = f"{', '.join(first)} and {last}" if first else last
    return f"The weights of --mix{of} add up to {total:.3g}; they are scaled to {listed}."


def _of_places(spec: ImageSpec, places: Iterable[int]) -> Request:
    weights = torch.zeros(len(spec.classes))
    names = short_names(spec)
    chosen = list(places)
    weights[chosen] = 1.0
    return Request(" + ".join(names[place] for place in chosen), weights)


def _value(name: str) -> str:
    return name.partition("=")[2]
