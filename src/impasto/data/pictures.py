"""One picture file in, upright RGB pixels in sRGB out, whatever the file's mode, orientation or colour profile."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from impasto.errors import DataError, PictureError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".ppm", ".pgm", ".avif"})
"""File names that are taken for pictures in a folder."""

DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    OverflowError,
    struct.error,
    zlib.error,
)
"""What Pillow raises on files that are cut off or scrambled."""

MAX_MEGAPIXELS = 200.0
"""Pictures above this are refused unless the caller raises the limit: a decoded megapixel takes 3 MB and more."""


def list_pictures(folder: Path) -> list[Path]:
    """Return the pictures in a folder and its sub-folders, sorted; hidden files and folders are left out.

    Raises DataError when the folder is missing, is not a folder or holds no picture.
    """
    try:
        if not folder.exists():
            raise DataError(f"{folder} does not exist; check the path")
        if not folder.is_dir():
            raise DataError(f"{folder} is not a folder; name the folder that holds the pictures")
        found = sorted(path for path in folder.rglob("*") if _is_picture(path, folder))
    except OSError as error:  # no permission, or a name that is too long
        raise DataError(f"{folder} cannot be read ({error.strerror}); check the path and its permissions") from error
    if not found:
        raise DataError(f"{folder} holds no pictures; impasto looks for {', '.join(sorted(SUFFIXES))}")
    return found


def _is_picture(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.suffix.lower() in SUFFIXES and not hidden and path.is_file()


def open_picture(path: Path, max_megapixels: float = MAX_MEGAPIXELS) -> Image.Image:
    """Open a picture's header without decoding it, and check its size.

    Raises PictureError when the file cannot be read as a picture or has more than `max_megapixels`.
    """
    Image.MAX_IMAGE_PIXELS = None  # our own limit below takes the place of Pillow's, and is told in our words
    try:
        picture = Image.open(path)
    except UnidentifiedImageError as error:
        raise PictureError(f"{path} is not a picture that can be read; remove it or replace it") from error
    except OSError as error:
        raise PictureError(f"{path} cannot be opened ({error.strerror or error}); remove it or replace it") from error
    except DAMAGE as error:
        raise PictureError(f"{path} is damaged ({error}); remove it or replace it") from error
    megapixels = picture.width * picture.height / 1e6
    if megapixels > max_megapixels:
        picture.close()
        raise PictureError(
            f"{path} has {picture.width} x {picture.height} pixels ({megapixels:.0f} megapixels), more than the limit "
            f"of {max_megapixels:g}; shrink it or raise max_megapixels"
        )
    return picture


def read_picture(path: Path, max_megapixels: float = MAX_MEGAPIXELS, short_side: int | None = None) -> Image.Image:
    """Return a picture as upright 8-bit RGB in sRGB; transparent parts become white.

    With `short_side` the picture is resized, antialiased and with its aspect ratio kept, so that its shorter side has
    that many pixels; JPEGs are decoded near the needed size.

    Raises PictureError when the file is no picture, cut off, or larger than `max_megapixels`.
    """
    with open_picture(path, max_megapixels) as opened:
        try:
            if short_side is not None:
                opened.draft(
                    None, _scaled(opened.size, short_side)
                )  # JPEG: decode at 1/2, 1/4 or 1/8 where that is enough
            picture = _upright_rgb(opened)
        except DAMAGE as error:
            raise PictureError(f"{path} is cut off or damaged ({error}); remove it or replace it") from error
    if short_side is None:
        return picture
    width, height = _scaled(picture.size, short_side)
    if width * height / 1e6 > max_megapixels:
        raise PictureError(
            f"{path} is so thin ({picture.width} x {picture.height} pixels) that resizing it to a short side of "
            f"{short_side} exceeds {max_megapixels:g} megapixels; crop it or remove it"
        )
    return picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0)


def to_array(picture: Image.Image) -> NDArray[np.uint8]:
    """Return the pixels of an RGB picture, [H, W, 3] uint8."""
    return np.array(picture, dtype=np.uint8)


def _scaled(size: tuple[int, int], short_side: int) -> tuple[int, int]:
    scale = short_side / min(size)
    return max(short_side, round(size[0] * scale)), max(short_side, round(size[1] * scale))


def _upright_rgb(picture: Image.Image) -> Image.Image:
    profile = picture.info.get("icc_profile")
    picture.load()
    picture = _upright(picture)
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


def _upright(picture: Image.Image) -> Image.Image:
    """Turn a picture as its EXIF says; scrambled EXIF says nothing."""
    try:
        return ImageOps.exif_transpose(picture)
    except DAMAGE:
        return picture


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert to sRGB through the embedded profile; a missing or broken one means sRGB (or plain CMYK)."""
    if picture.mode in ("RGBA", "RGBX"):
        picture = picture.convert("RGB")
    if profile and picture.mode in ("RGB", "CMYK", "L"):
        try:
            converted = ImageCms.profileToProfile(
                picture, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError):
            converted = (
                None  # a profile that does not fit its picture is common in scans: the plain values are the best guess
            )
        if converted is not None:
            return converted
    return picture.convert("RGB")


def _eight_bits(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Bring 16-bit, 32-bit integer or floating-point grey [H, W] to uint8; floats up to 1 are taken as 0..1."""
    values = pixels.astype(np.float64)
    top = float(values.max(initial=0.0))
    if pixels.dtype.kind == "f":
        white = 1.0 if top <= 1.0 else 255.0 if top <= 255.0 else 65535.0
    else:
        white = 65535.0 if pixels.dtype.itemsize <= 2 or top <= 65535.0 else top
    return np.clip(np.round(values * (255.0 / white)), 0, 255).astype(np.uint8)
