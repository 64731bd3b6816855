"""Pictures as Python programs hold them: paths, PIL images, NumPy arrays and torch tensors, in and out."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from impasto.data.pictures import DAMAGE, read_picture, to_array, upright_rgb
from impasto.data.transforms import to_picture, to_pixels, to_range
from impasto.errors import PictureError

Picture: TypeAlias = "Image.Image | str | PathLike[str] | NDArray[Any] | Tensor"
TOLERANCE = 0.01
"""How far floats may lie outside of their range, as rounding and resizing leave them. They are then clipped."""


def as_picture(given: Picture) -> Image.Image:
    """Return a picture of any kind as an upright 8-bit RGB image; what is given is not changed.

    Arrays are uint8, or floats from 0 to 1: [H, W], [H, W, 1], [H, W, 3] or [H, W, 4] with opacity. Tensors are floats
    in [-1, 1]: [3, H, W] or [1, H, W]. Raises PictureError for anything else.
    """
    if isinstance(given, Image.Image):
        return _from_image(given)
    if isinstance(given, str | PathLike):
        return read_picture(Path(given))
    if isinstance(given, Tensor):
        return _from_tensor(given)
    if isinstance(given, np.ndarray):
        return _from_array(given)
    raise PictureError(
        f"{type(given).__name__} is no kind of picture; give a PIL image, a path, a NumPy array or a torch tensor"
    )


def as_given(picture: Image.Image, given: Picture) -> Any:
    """Return an RGB picture as the kind of thing that was given: an array [H, W, 3], a tensor [3, H, W] or a PIL image.

    Values have the range, dtype and device of what was given, but only 256 levels: painting rounds to 8 bits.
    """
    if isinstance(given, Tensor):
        return to_range(to_pixels(picture)).to(given.device, given.dtype)
    if isinstance(given, np.ndarray):
        pixels = to_array(picture)
        return pixels if given.dtype == np.uint8 else (pixels / 255).astype(given.dtype)
    return picture


def _from_image(given: Image.Image) -> Image.Image:
    try:
        return upright_rgb(given.copy())
    except DAMAGE as error:
        raise PictureError(f"the picture is cut off or damaged ({error}); open another") from error


def _from_tensor(image: Tensor) -> Image.Image:
    if image.dim() != 3 or image.shape[0] not in (1, 3) or not image.is_floating_point():
        raise PictureError(
            f"a tensor of shape {list(image.shape)} and {image.dtype} is not a picture; give floats [3, H, W], or "
            "[N, 3, H, W] for several, in [-1, 1]"
        )
    values = image.detach().cpu().float()
    _check_range("tensor", values.numpy(), -1, "divide 0 to 255 by 127.5 and subtract 1")
    return to_picture(values)


def _from_array(pixels: NDArray[Any]) -> Image.Image:
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.ndim != 2 and (pixels.ndim != 3 or pixels.shape[2] not in (3, 4)):
        raise PictureError(
            f"an array of shape {list(pixels.shape)} is not a picture; give [H, W, 3] or [H, W], or a list of arrays "
            "for several"
        )
    if np.issubdtype(pixels.dtype, np.floating):
        _check_range("array", pixels, 0, "divide 0 to 255 by 255")
        pixels = np.rint(np.clip(pixels, 0, 1).astype(np.float64) * 255).astype(np.uint8)
    if pixels.dtype != np.uint8:
        raise PictureError(f"an array of {pixels.dtype} is not a picture; give uint8, or floats from 0 to 1")
    if 0 in pixels.shape:
        raise PictureError(f"an array of shape {list(pixels.shape)} has no pixels; give a picture")
    return upright_rgb(Image.fromarray(np.ascontiguousarray(pixels)))


def _check_range(kind: str, values: NDArray[Any], lowest: int, remedy: str) -> None:
    """Raise PictureError where floats are not between `lowest` and 1, or there are none."""
    if values.size == 0:
        raise PictureError(f"{'an' if kind == 'array' else 'a'} {kind} of shape {list(values.shape)} has no pixels")
    low, high = float(values.min()), float(values.max())
    if not (low >= lowest - TOLERANCE and high <= 1 + TOLERANCE):  # NaN compares as false
        raise PictureError(
            f"floats in {'an' if kind == 'array' else 'a'} {kind} must lie in {lowest} to 1, not in {low:g} to "
            f"{high:g}; {remedy}"
        )
