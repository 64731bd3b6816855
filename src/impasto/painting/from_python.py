"""Painting from Python: photos as PIL images, arrays, tensors or files, and classes by name.

`LoadedPainter.paint` calls it. The pixels are those of `impasto paint`.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from impasto.data.pictures import read_picture, to_array, upright_rgb
from impasto.data.prompts import ClassPrompt
from impasto.data.transforms import to_picture, to_pixels, to_range
from impasto.errors import PainterError, PictureError, did_you_mean
from impasto.painting.class_pictures import check_takes_classes, class_pictures
from impasto.painting.class_requests import Request, each_class, mixed, requested
from impasto.painting.counts import PAINTINGS
from impasto.painting.option_list import with_options
from impasto.painting.paint_files import check_takes_photos
from impasto.painting.paint_picture import PhotoOptions, paint_picture
from impasto.painting.painters import LoadedPainter

Photo: TypeAlias = "Image.Image | NDArray[Any] | Tensor | str | PathLike[str]"
PHOTO_OPTIONS = ("size", "strength", "colours")
CELL = 256
"""Longest side, in pixels, of a picture in a grid."""
COLUMNS = 4


class Pictures(list[Image.Image]):
    """Paintings in a list. A notebook shows them as a grid."""

    def grid(self) -> Image.Image:
        """Return the pictures side by side on one picture, reduced to at most CELL pixels each."""
        small = [picture.copy() for picture in self]
        for picture in small:
            picture.thumbnail((CELL, CELL), Image.Resampling.LANCZOS)
        width, height = (max((picture.size[axis] for picture in small), default=1) for axis in (0, 1))
        columns = max(1, min(COLUMNS, len(small)))
        sheet = Image.new("RGB", (columns * width, max(1, -(-len(small) // columns)) * height), "white")
        for place, picture in enumerate(small):
            row, column = divmod(place, columns)
            sheet.paste(picture, (column * width, row * height))
        return sheet

    def _repr_png_(self) -> bytes:
        content = io.BytesIO()
        self.grid().save(content, "PNG")
        return content.getvalue()


def paint(
    loaded: LoadedPainter,
    photo: Photo | Sequence[Photo] | None = None,
    *,
    classes: str | Sequence[str] | Mapping[str, float] | None = None,
    count: int | None = None,
    style: Photo | None = None,
    seed: int = 0,
    **options: Any,
) -> Any:
    """Paint photos or classes; see `LoadedPainter.paint`."""
    known = [*PHOTO_OPTIONS, "classes", "count", "style", "seed", *type(loaded.options).model_fields]
    for name in options:
        if name not in known:
            raise PainterError(f"{loaded.name}: there is no option {name}{did_you_mean(name, known)}")
    of_photos = {name: options.pop(name) for name in PHOTO_OPTIONS if name in options}
    loaded = with_options(loaded, values=options)
    if photo is None:
        if of_photos or style is not None:
            raise PainterError(
                f"{loaded.name}: {', '.join(of_photos) or 'style'} needs a photo; give one, or leave it out"
            )
        return paint_by_classes(loaded, classes, count, seed)
    if classes is not None or count is not None:
        raise PainterError(f"{loaded.name}: photos and classes do not go together; give one of them")
    check_takes_photos(loaded, None if style is None else Path("style"))
    how = PhotoOptions(seed=seed, **of_photos)
    in_style_of = None if style is None else _picture_of(style)
    if isinstance(photo, list | tuple):
        return [_painted(loaded, each, how, in_style_of) for each in photo]
    return _painted(loaded, photo, how, in_style_of)  # type: ignore[arg-type]  # a sequence of photos was handled


def paint_by_classes(
    loaded: LoadedPainter, classes: str | Sequence[str] | Mapping[str, float] | None, count: int | None, seed: int
) -> Pictures:
    """Return paintings of classes, or of all classes in turn; their numbers and pixels are those of `impasto paint`.

    Raises PainterError for a painter that takes no classes, and for unknown classes.
    """
    check_takes_classes(loaded)
    requests = _requests(loaded, classes)
    count = count if count is not None else max(PAINTINGS, len(requests))
    if count < 1:
        raise PainterError(f"count must be 1 or more, not {count}")
    weights = torch.stack([requests[number % len(requests)].weights for number in range(count)])
    return Pictures(class_pictures(loaded, ClassPrompt(weights), seed=seed))


def _requests(loaded: LoadedPainter, classes: str | Sequence[str] | Mapping[str, float] | None) -> list[Request]:
    spec = loaded.spec
    if not classes:
        return each_class(spec)
    if isinstance(classes, Mapping):
        return [mixed(spec, ",".join(f"{name}={weight}" for name, weight in classes.items()))[0]]
    return requested(spec, [classes] if isinstance(classes, str) else classes)


def _painted(loaded: LoadedPainter, photo: Photo, options: PhotoOptions, style: Image.Image | None) -> Any:
    """Paint one photo, or a batch of them as one tensor; return the same kind of thing."""
    if isinstance(photo, Tensor) and photo.dim() == 4:
        return torch.stack([_painted(loaded, each, options, style) for each in photo])
    painting = paint_picture(_picture_of(photo), loaded, options, style=style)
    if isinstance(photo, Tensor):
        return to_range(to_pixels(painting)).to(photo.device)
    if isinstance(photo, np.ndarray):
        pixels = to_array(painting)
        return pixels if photo.dtype == np.uint8 else (pixels / 255).astype(photo.dtype)
    return painting


def _picture_of(photo: Photo) -> Image.Image:
    """Return an RGB picture; raise PictureError for what is none."""
    if isinstance(photo, Image.Image):
        return upright_rgb(photo.copy())
    if isinstance(photo, str | PathLike):
        return read_picture(Path(photo))
    if isinstance(photo, Tensor):
        if photo.dim() != 3 or photo.shape[0] not in (1, 3) or not photo.is_floating_point():
            raise PictureError(
                f"a tensor of {list(photo.shape)} and {photo.dtype} is not a photo; give float [3, H, W] in [-1, 1]"
            )
        return to_picture(photo.detach().float().cpu().expand(3, -1, -1))
    return _picture_of_array(np.asarray(photo))


def _picture_of_array(pixels: NDArray[Any]) -> Image.Image:
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (3, 4)):
        raise PictureError(f"an array of {list(pixels.shape)} is not a photo; give [H, W, 3] or [H, W]")
    if np.issubdtype(pixels.dtype, np.floating):
        pixels = (np.clip(pixels, 0, 1) * 255).round().astype(np.uint8)
    if pixels.dtype != np.uint8:
        raise PictureError(f"an array of {pixels.dtype} is not a photo; give uint8, or floats from 0 to 1")
    return upright_rgb(Image.fromarray(pixels))
