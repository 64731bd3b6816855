"""Painting from Python: photos as PIL images, arrays, tensors or files, and classes by name.

`LoadedPainter.paint` calls it. The pixels are those of `impasto paint`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any, SupportsIndex, TypeAlias, get_args

import torch
from PIL import Image
from torch import Tensor

from impasto.data.batches import ImageSpec
from impasto.data.prompts import ClassPrompt, StylePrompt
from impasto.errors import PainterError, PictureError, did_you_mean, naming
from impasto.painting.class_pictures import class_pictures
from impasto.painting.class_requests import Request, find_class, mixed_by_place, requested, short_names
from impasto.painting.image_kinds import Picture, as_given, as_picture
from impasto.painting.option_list import with_options
from impasto.painting.paint_classes import MOST_IN_A_ROW, Series, round_the_classes
from impasto.painting.paint_picture import SMALLEST_BRUSH, SMALLEST_SIDE, Colours, PhotoOptions, paint_picture
from impasto.painting.painters import LoadedPainter
from impasto.painting.picture_grid import Pictures

Classes: TypeAlias = str | Sequence[str] | Mapping[str, float]


@dataclass(frozen=True)
class Asked:
    """The keywords of `LoadedPainter.paint` that all painters share."""

    classes: Classes | None
    count: SupportsIndex | None
    style: Picture | None
    size: SupportsIndex | str | None
    strength: float
    colours: str
    seed: SupportsIndex

    def first_for_photos(self) -> str | None:
        """Return the first keyword that was given and that only painters of photos take."""
        given = {
            "style": self.style is not None,
            "size": self.size is not None,
            "strength": self.strength != 1,
            "colours": self.colours != "painted",
        }
        return next((name for name, is_given in given.items() if is_given), None)

    def first_for_classes(self) -> str | None:
        """Return the first keyword that was given and that only painters of classes take."""
        return next((name for name in ("classes", "count") if getattr(self, name) is not None), None)


def paint(loaded: LoadedPainter, photo: Picture | Sequence[Picture] | None, asked: Asked, **options: Any) -> Any:
    """Paint photos or classes; see `LoadedPainter.paint`."""
    known = [*(field.name for field in fields(Asked)), *type(loaded.options).model_fields]
    for name in options:
        if name not in known:
            raise PainterError(f"{loaded.name} has no option {name}{did_you_mean(name, known)}")
    loaded = with_options(loaded, values=options)
    if loaded.painter.prompt_type is ClassPrompt:
        _check_classes_alone(loaded, photo, asked)
        return _paint_classes(loaded, asked)
    _check_photos_alone(loaded, photo, asked)
    return _paint_photos(loaded, photo, asked)


def _check_classes_alone(loaded: LoadedPainter, photo: object, asked: Asked) -> None:
    """Raise PainterError for what a painter of classes does not take."""
    if photo is not None:
        names = short_names(loaded.spec)
        example = f'painter.paint(classes="{names[0]}")' if names else "painter.paint(count=4)"
        source = "classes" if names else "noise"
        raise PainterError(f"{loaded.name} paints from {source}, not from photos; use {example}")
    if given := asked.first_for_photos():
        raise PainterError(f"{loaded.name} paints without a photo and takes no {given}; leave it out")


def _check_photos_alone(loaded: LoadedPainter, photo: object, asked: Asked) -> None:
    """Raise PainterError for what a painter of photos does not take, and for what is missing."""
    if given := asked.first_for_classes():
        raise PainterError(f"{loaded.name} paints from photos and takes no {given}; leave it out")
    if photo is None:
        raise PainterError(f'{loaded.name} paints from photos; give one, such as painter.paint("photo.jpg")')
    takes_style = loaded.painter.prompt_type is StylePrompt
    if takes_style and asked.style is None:
        raise PainterError(f"{loaded.name} paints in the style of a picture; give it as style=PICTURE")
    if not takes_style and asked.style is not None:
        raise PainterError(f"{loaded.name} takes no style picture; leave style out, or choose another painter")


def _paint_photos(loaded: LoadedPainter, photo: Any, asked: Asked) -> Any:
    options = _photo_options(asked)
    with naming("style"):
        style = None if asked.style is None else _paintable(asked.style)
    if not isinstance(photo, list | tuple):
        return _paint_photo(loaded, photo, options, style)
    paintings = []
    for place, each in enumerate(photo):
        with naming(f"photo {place} of the list"):
            paintings.append(_paint_photo(loaded, each, options, style))
    return Pictures(paintings) if all(isinstance(each, Image.Image) for each in paintings) else paintings


def _paint_photo(loaded: LoadedPainter, photo: Any, options: PhotoOptions, style: Image.Image | None) -> Any:
    """Paint one photo, or several as one tensor; return the same kind of thing."""
    if isinstance(photo, Tensor) and photo.dim() == 4 and len(photo):
        return torch.stack([_paint_photo(loaded, each, options, style) for each in photo])
    return as_given(paint_picture(_paintable(photo), loaded, options, style=style), photo)


def _paintable(given: Any) -> Image.Image:
    """Return a picture that is large enough; raise PictureError for what is none."""
    picture = as_picture(given)
    if min(picture.size) < SMALLEST_SIDE:
        raise PictureError(
            f"a picture of {picture.width} x {picture.height} pixels is too small to paint; use one of {SMALLEST_SIDE} "
            "or more on a side"
        )
    return picture


def _photo_options(asked: Asked) -> PhotoOptions:
    """Check the keywords for photos as `impasto paint` does; raise PainterError for a value that cannot be."""
    if not isinstance(asked.strength, Real) or not 0 <= asked.strength <= 1:
        raise PainterError(f"strength must be a number from 0 (photo) to 1 (painting), not {asked.strength!r}")
    if asked.colours not in get_args(Colours):
        raise PainterError(f"colours must be {' or '.join(get_args(Colours))}, not {asked.colours!r}")
    size = asked.size
    if size is not None and size != "own":
        size = _whole("size", size, SMALLEST_BRUSH, ', or "own"')
    return PhotoOptions(size, float(asked.strength), asked.colours, seed=_whole("seed", asked.seed, 0))


def _paint_classes(loaded: LoadedPainter, asked: Asked) -> Image.Image | Pictures:
    """Return one picture where one class, or one mixture, is given without a count; else all pictures.

    Their numbers, and so their pixels, are those of `impasto paint`.
    """
    seed = _whole("seed", asked.seed, 0)
    count = None if asked.count is None else _whole("count", asked.count, 1)
    series = _series(loaded.spec, asked.classes, count)
    jobs = [(request, number) for one in series for number, request in enumerate(_in_turn(one, count))]
    prompt = ClassPrompt(torch.stack([request.weights for request, _ in jobs]))
    numbers = [number for _, number in jobs]
    pictures = class_pictures(loaded, prompt, seed=seed, numbers=numbers)
    if count is None and isinstance(asked.classes, str | Mapping):
        return next(pictures)
    named = series[0].name if len(series) == 1 else loaded.name
    return Pictures(pictures, title=f"{named}, seed {seed}", **_captions(series))


def _series(spec: ImageSpec, classes: Classes | None, count: int | None) -> list[Series]:
    """Return what to paint: for each class its series, or all classes in turn where none is named."""
    if classes is None:
        return [round_the_classes(spec, count)]
    several = list(classes) if isinstance(classes, Iterable) else []
    names = [classes] if isinstance(classes, str) else several
    if not names or not all(isinstance(name, str) for name in names):
        raise PainterError(f"classes must be a name, a list of names or weights by name, not {classes!r}")
    with naming("classes"):
        if isinstance(classes, Mapping):
            requests = [mixed_by_place(spec, _weights(spec, classes))[0]]
        else:
            requests = requested(spec, names)
    return [Series(request.name, [request]) for request in requests]


def _weights(spec: ImageSpec, classes: Mapping[str, float]) -> dict[int, float]:
    """Return the weights of a mixture by the place of their class among all."""
    weights: dict[int, float] = {}
    for name, weight in classes.items():
        place = find_class(spec, name)
        if not isinstance(weight, Real) or not 0 <= weight < math.inf:
            raise PainterError(f"the weight of {name} must be a number of 0 or more, not {weight!r}")
        if place in weights:
            raise PainterError(f"{name} is there twice; give each class one weight")
        weights[place] = float(weight)
    return weights


def _in_turn(series: Series, count: int | None) -> list[Request]:
    """Return the requests of a series, as often in turn as there are paintings; once each by default."""
    requests = series.requests
    return [requests[number % len(requests)] for number in range(count or len(requests))]


def _captions(series: Sequence[Series]) -> dict[str, list[str]]:
    """Return the captions of a grid: a row for each of several series, a column for each class that takes turns."""
    if len(series) > 1:
        return {"rows": [one.name for one in series]}
    names = [request.name for request in series[0].requests]
    return {"columns": names} if 1 < len(names) <= MOST_IN_A_ROW else {}


def _whole(name: str, value: object, least: int, also: str = "") -> int:
    """Return a whole number of at least `least`; raise PainterError for anything else."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]  # NumPy's integers, too; a str raises
    except TypeError:
        number = least - 1
    if number < least:
        raise PainterError(f"{name} must be a whole number of {least} or more{also}, not {value!r}")
    return number
