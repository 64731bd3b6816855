"""Reads a picture file of any mode, orientation or colour profile as upright RGB pixels in sRGB."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile, ImageOps, UnidentifiedImageError

from impasto.data.sources import FORMATS, Half, Source, open_image
from impasto.errors import DataError, PictureError

SUFFIXES = frozenset[str]().union(*FORMATS.values())
"""Suffixes of the files in a folder that count as pictures."""

DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    OverflowError,
    RuntimeError,  # from the AVIF decoder
    struct.error,
    zlib.error,
)
"""Exceptions that Pillow raises for files that are cut off or damaged."""

READ_BYTES = 1 << 20
"""Bytes that Pillow's decoders get at once. With its default of 64 KB, large photographs decode 5 % slower."""

MAX_MEGAPIXELS = 200.0
"""Default limit. Larger pictures are refused: a decoded megapixel takes at least 3 MB."""


def list_pictures(folder: Path) -> list[Path]:
    """Return the pictures in a folder and its sub-folders, sorted, without hidden files and folders.

    Raises DataError if the folder is missing, is not a folder or holds no picture.
    """
    return [folder / name for name in picture_names(folder)]


def picture_names(folder: Path) -> list[str]:
    """Return the pictures in a folder as relative names with / between folders. See `list_pictures`."""
    try:
        if not folder.exists():
            raise DataError(f"{folder} does not exist; check the path")
        if not folder.is_dir():
            raise DataError(f"{folder} is not a folder; name the folder that holds the pictures")
        found = sorted(_walk(str(folder)), key=lambda name: name.split("/"))
    except OSError as error:  # no permission, or too long a name
        raise DataError(f"{folder} cannot be read ({error.strerror}); check the path and its permissions") from error
    if not found:
        raise DataError(f"{folder} holds no pictures; impasto looks for {', '.join(sorted(SUFFIXES))}")
    return found


def _walk(folder: str) -> Iterator[str]:
    def fail(error: OSError) -> None:
        raise error

    for place, folders, files in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        prefix = os.path.relpath(place, folder).replace(os.sep, "/") + "/" if place != folder else ""
        for name in files:
            if name.startswith(".") or os.path.splitext(name)[1].lower() not in SUFFIXES:  # noqa: PTH122
                continue
            path = os.path.join(place, name)  # noqa: PTH118 - a Path object for each file would take seconds
            if os.path.isfile(path) or not os.path.exists(path):  # noqa: PTH110, PTH113
                yield prefix + name  # broken links too, so they are reported; not pipes, which would block


def open_picture(source: Source, max_megapixels: float = MAX_MEGAPIXELS) -> Image.Image:
    """Open the header of a picture without decoding it, and check its size.

    Raises PictureError if the file cannot be read as a picture or has more than `max_megapixels`.
    """
    Image.MAX_IMAGE_PIXELS = None  # the limit below replaces Pillow's, with a message of our own
    ImageFile.MAXBLOCK = READ_BYTES
    try:
        picture = open_image(source)
    except UnidentifiedImageError as error:
        raise PictureError(f"{source} is not a picture that can be read; remove it or replace it") from error
    except OSError as error:
        raise PictureError(f"{source} cannot be opened ({error.strerror or error}); remove it or replace it") from error
    except DAMAGE as error:
        raise PictureError(f"{source} is damaged ({error}); remove it or replace it") from error
    megapixels = picture.width * picture.height / 1e6
    if megapixels > max_megapixels:
        picture.close()
        raise PictureError(
            f"{source} has {picture.width} x {picture.height} pixels ({megapixels:.0f} megapixels), more than the "
            f"limit of {max_megapixels:g}; shrink it or raise max_megapixels"
        )
    return picture


def read_picture(source: Source, max_megapixels: float = MAX_MEGAPIXELS, *, at_least: int | None = None) -> Image.Image:
    """Return a picture as upright 8-bit RGB in sRGB. Transparent parts become white.

    With `at_least`, a JPEG can be decoded at 1/2, 1/4 or 1/8 of its size, which is much faster. Its shorter side then
    keeps at least this many pixels.

    Raises PictureError if the file is not a picture, is cut off, or is larger than `max_megapixels`.
    """
    with open_picture(source, max_megapixels) as opened:
        try:
            if at_least is not None and not isinstance(source, Half):
                opened.draft(None, scaled(opened.size, at_least))
            picture = upright_rgb(opened)
        except DAMAGE as error:
            raise PictureError(f"{source} is cut off or damaged ({error}); remove it or replace it") from error
    return picture.crop(source.box(*picture.size)) if isinstance(source, Half) else picture


def scaled(size: tuple[int, int], short_side: int) -> tuple[int, int]:
    """Return a size (two numbers in any order), scaled to a shorter side of `short_side`."""
    scale = short_side / min(size)
    return max(short_side, round(size[0] * scale)), max(short_side, round(size[1] * scale))


def to_array(picture: Image.Image) -> NDArray[np.uint8]:
    """Return the pixels of an RGB picture, [H, W, 3] uint8."""
    return np.array(picture, dtype=np.uint8)


def upright_rgb(picture: Image.Image) -> Image.Image:
    """Decode a picture and return it upright, as 8-bit RGB in sRGB on white. Raises one of DAMAGE on damage."""
    profile = picture.info.get("icc_profile")
    picture.load()
    _turn_upright(picture)
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return Image.fromarray(_eight_bits(np.asarray(picture))).convert("RGB")
    if picture.mode == "P" or "transparency" in picture.info:
        picture = picture.convert("RGBA")
    alpha = picture.getchannel("A") if "A" in picture.getbands() else None
    if alpha is not None and picture.mode != "RGBA":  # LA, La, PA
        picture = picture.convert("RGBA")
    colours = _to_srgb(picture, profile)
    if alpha is None:
        return colours
    white = Image.new("RGB", colours.size, "white")
    white.paste(colours, mask=alpha)
    return white


def _turn_upright(picture: Image.Image) -> None:
    """Rotate a picture by its EXIF orientation. Damaged EXIF data is ignored."""
    with suppress(*DAMAGE):
        ImageOps.exif_transpose(picture, in_place=True)


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert to sRGB with the embedded profile. Without a valid profile, assume sRGB or plain CMYK."""
    if picture.mode in ("RGBA", "RGBX"):
        picture = picture.convert("RGB")
    if profile and picture.mode in ("RGB", "CMYK", "L"):
        try:
            converted = ImageCms.profileToProfile(
                picture, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError):
            converted = None  # scans often have a profile that does not fit; the plain values are the best guess
        if converted is not None:
            return converted
    return picture if picture.mode == "RGB" else picture.convert("RGB")  # convert() would copy


def _eight_bits(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Convert 16-bit, 32-bit integer or float grey [H, W] to uint8. Floats up to 1 count as 0..1."""
    values = pixels.astype(np.float64)
    top = float(values.max(initial=0.0))
    if pixels.dtype.kind == "f":
        white = 1.0 if top <= 1.0 else 255.0 if top <= 255.0 else 65535.0
    else:
        white = 65535.0 if pixels.dtype.itemsize <= 2 or top <= 65535.0 else top
    return np.clip(np.round(values * (255.0 / white)), 0, 255).astype(np.uint8)
