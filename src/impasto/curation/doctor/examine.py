"""Examines one stored picture: its properties, whether it can be decoded completely, and its thumbnail."""

from __future__ import annotations

import functools
import hashlib
import io
import stat
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Literal, NamedTuple, TypeAlias

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from impasto.data.likeness import SIDE
from impasto.data.pictures import DAMAGE, MAX_MEGAPIXELS, scaled, upright_rgb
from impasto.data.sources import FORMATS, Packed, Raw

Stored: TypeAlias = Path | Packed | Raw
"""The location of a whole picture."""

Fault = Literal["not-a-picture", "corrupt", "truncated", "unopened"]

SIGNS: Mapping[bytes, str] = {
    b"%PDF": "a PDF document",
    b"%!PS": "a PostScript document",
    b"8BPS": "a Photoshop document",
    b"PK\3\4": "a zip archive or an office document",
    b"\x1f\x8b": "a gzip archive",
    b"Rar!": "a RAR archive",
    b"version https://git-lfs": "a Git LFS pointer to a picture that was not downloaded",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 picture, which impasto does not read",
    b"\x93NUMPY": "a NumPy array",
}
"""First bytes of files that often have the suffix of a picture."""

PICTURE_SIGNS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"P5", b"P6")
"""First bytes of pictures, even damaged ones. WebP and AVIF are checked separately."""

READ_WHOLE_BYTES = 64 << 20
"""Larger files are not held in memory."""
LARGE_MEGAPIXELS = 25.0
"""Larger pictures are decoded one at a time, so memory does not grow with the number of threads."""
ENOUGH = 2 * SIDE
"""Shorter side of the picture from which a thumbnail is made, pixels."""
COLOURLESS = 6
"""Maximum difference between the channels of a grey thumbnail, levels of 255."""

TROUBLE = (*DAMAGE, AttributeError, AssertionError, ArithmeticError, RuntimeError, MemoryError, ImageCms.PyCMSError)
"""Exceptions that Pillow's plugins raise for damaged files, including unintended ones."""

_one_large = threading.Lock()


@dataclass(frozen=True, slots=True)
class Record:
    """The properties of one stored picture."""

    size: int = 0
    """Bytes as stored."""
    digest: str = ""
    """BLAKE2b-128 of the stored bytes or of uncompressed pixels, hexadecimal."""
    fault: Fault | None = None
    says: str = ""
    """The fault in words. It follows the name of the file."""
    format: str = ""
    """A key of FORMATS, `raw`, or empty for an unknown format."""
    mode: str = ""
    """Mode in Pillow: 1, L, P, RGB, RGBA, CMYK and so on."""
    deep: bool = False
    """More than 8 bits per channel."""
    width: int = 0
    height: int = 0
    """Of the upright picture, in pixels."""
    orientation: int = 1
    """EXIF orientation: 1 to 8."""
    profile: str = ""
    """Name of the embedded colour profile, if it is not sRGB."""
    animated: bool = False
    transparent: bool = False
    """Whether some pixels are transparent."""
    colourless: bool = False
    thumbnail: bytes = b""
    """16 x 16 grey levels, row by row. Empty if it was not decoded."""

    @property
    def megapixels(self) -> float:
        """Millions of pixels."""
        return self.width * self.height / 1e6


class _Content(NamedTuple):
    file: IO[bytes]
    size: int
    digest: str


def examine(stored: Stored, max_megapixels: float = MAX_MEGAPIXELS) -> Record:
    """Open a picture, decode it completely unless it has more than `max_megapixels`, and return its record.

    It raises no exception, whatever the file holds.
    """
    try:
        if isinstance(stored, Raw):
            return _examined_raw(stored)
        with _opened(stored) as content:
            return _examined(content, max_megapixels)
    except OSError as error:  # of the file system; errors of the content are handled where it is decoded
        return Record(fault="unopened", says=f"cannot be opened ({error.strerror or error})")
    except (*TROUBLE, EOFError) as error:
        return Record(fault="corrupt", says=f"cannot be extracted from its archive ({_words(error)})")


def looks_like_a_picture(path: Path) -> bool:
    """Return whether a file with any name has the header of a readable picture."""
    try:
        if not path.is_file():  # opening a pipe would block
            return False
        with path.open("rb") as file:
            if _kind_of(file.read(64)):
                return False
        with Image.open(path, formats=tuple(FORMATS)):
            return True
    except TROUBLE:
        return False


@contextmanager
def _opened(stored: Path | Packed) -> Iterator[_Content]:
    """Open a stored picture, after reading it once for its digest."""
    if isinstance(stored, Packed):
        yield _held(stored.read())
        return
    status = stored.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError("it is not a regular file")
    with stored.open("rb") as file:
        if status.st_size <= READ_WHOLE_BYTES:
            yield _held(file.read())
        else:
            digest = hashlib.file_digest(file, _digest).hexdigest()
            file.seek(0)
            yield _Content(file, status.st_size, digest)


def _held(content: bytes) -> _Content:
    digest = _digest()
    digest.update(content)
    return _Content(io.BytesIO(content), len(content), digest.hexdigest())


def _digest() -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=16)


def _examined_raw(stored: Raw) -> Record:
    picture = stored.picture()
    pixels = picture.tobytes()
    digest = _digest()
    digest.update(repr(picture.size).encode() + pixels)
    record = Record(len(pixels), digest.hexdigest(), format="raw", mode=picture.mode)
    return _with_pixels(replace(record, width=picture.width, height=picture.height), picture)


def _examined(content: _Content, max_megapixels: float) -> Record:
    record = Record(content.size, content.digest)
    head = content.file.read(64)
    content.file.seek(0)
    Image.MAX_IMAGE_PIXELS = None  # replaced by our own limit below
    try:
        picture = Image.open(content.file, formats=tuple(FORMATS))
    except UnidentifiedImageError:
        kind = _kind_of(head)
        if kind:
            return replace(record, fault="not-a-picture", says=f"is {kind}")
        return replace(record, fault="corrupt", says="begins as a picture, but its header is damaged")
    except TROUBLE as error:
        return replace(record, fault="corrupt", says=f"has a damaged header ({_words(error)})")
    with picture:
        record = _with_header(record, picture)
        if record.megapixels > max_megapixels:
            return record
        with _one_large if record.megapixels > LARGE_MEGAPIXELS else nullcontext():
            return _decoded(record, picture, content.file)


def _with_header(record: Record, picture: Image.Image) -> Record:
    """Add the properties in the header of a picture, before decoding."""
    orientation = _orientation(picture)
    width, height = picture.size if orientation < 5 else picture.size[::-1]
    kind = "JPEG" if picture.format == "MPO" else picture.format or ""
    return replace(
        record,
        format=kind,
        mode=picture.mode,
        deep=picture.mode in ("I", "F") or ";16" in f"{picture.mode} {getattr(picture, 'tile', '')}",
        width=width,
        height=height,
        orientation=orientation,
        profile=_profile_name(picture.info.get("icc_profile") or b""),
        animated=picture.format != "MPO" and _is_animated(picture),  # MPO: a JPEG with a preview or a second lens
    )


def _decoded(record: Record, picture: Image.Image, file: IO[bytes]) -> Record:
    """Decode a picture completely and add the properties of its pixels."""
    try:
        picture.draft(None, scaled(picture.size, ENOUGH))  # JPEG: an eighth of the pixels, but the whole stream
        picture.load()
        if record.format == "PNG":
            _check_png(file)
        return _with_pixels(record, picture)
    except MemoryError:
        return replace(record, fault="unopened", says="needs more memory to decode than available")
    except TROUBLE as error:
        words = _words(error)
        cut = isinstance(error, EOFError) or any(sign in words.lower() for sign in ("truncated", "cut off", "end of"))
        if cut:
            return replace(record, fault="truncated", says="is cut off, so a part of the picture is missing")
        return replace(record, fault="corrupt", says=f"is damaged inside ({words})")


def _with_pixels(record: Record, picture: Image.Image) -> Record:
    """Add the properties of the pixels of a decoded picture."""
    transparent = _is_transparent(picture)
    small = upright_rgb(_reduced(picture)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    spread = np.ptp(np.asarray(small), axis=2)
    return replace(
        record,
        transparent=transparent,
        colourless=bool(spread.max() <= COLOURLESS),
        thumbnail=small.convert("L").tobytes(),
    )


def _reduced(picture: Image.Image) -> Image.Image:
    """Average blocks of pixels down to the size for a thumbnail, so few colours need conversion."""
    factor = min(picture.size) // ENOUGH
    if factor < 2 or picture.mode in ("1", "P"):
        return picture
    return (picture.convert("I") if picture.mode.startswith("I;") else picture).reduce(factor)


def _is_transparent(picture: Image.Image) -> bool:
    if not picture.has_transparency_data:
        return False
    alpha = picture if "A" in picture.getbands() else picture.convert("RGBA")
    lowest, _ = alpha.getchannel("A").getextrema()
    assert isinstance(lowest, int)
    return lowest < 255


def _is_animated(picture: Image.Image) -> bool:
    try:
        return bool(getattr(picture, "is_animated", False))
    except TROUBLE:  # a damaged second frame; only the first one is used
        return False


def _orientation(picture: Image.Image) -> int:
    try:
        said = picture.getexif().get(0x0112, 1)
    except TROUBLE:
        return 1
    return said if isinstance(said, int) and 1 <= said <= 8 else 1


@functools.lru_cache(maxsize=256)
def _profile_name(profile: bytes) -> str:
    """Return the name of a colour profile. Empty for sRGB."""
    if not profile:
        return ""
    try:
        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile))).strip()
    except TROUBLE:
        return "damaged"
    return "" if "srgb" in name.lower() else name or "without a name"


def _check_png(file: IO[bytes]) -> None:
    """Check the checksums of the critical chunks of a PNG. Pillow does not check those of the pixels.

    Raises ValueError if one is wrong, EOFError if the end is missing.
    """
    file.seek(8)
    kind = b""
    while kind != b"IEND":
        head = file.read(8)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        body = file.read(length)
        checksum = file.read(4)
        if len(checksum) < 4:
            raise EOFError
        if kind[:1].isupper() and zlib.crc32(body, zlib.crc32(kind)) != int.from_bytes(checksum, "big"):
            raise ValueError(f"a checksum of {kind.decode('latin-1')} is wrong")


def _kind_of(head: bytes) -> str:
    """Return the kind of a file by its first bytes, with an article. Empty for a picture."""
    if head.startswith(PICTURE_SIGNS) or head[8:12] == b"WEBP" or head[4:12] in (b"ftypavif", b"ftypavis"):
        return ""
    if not head:
        return "empty"
    if not head.strip(b"\0"):
        return "only zero bytes"
    if head[4:8] == b"ftyp":
        heic = head[8:11] in (b"hei", b"mif", b"hev")
        return "a HEIC photo, which impasto does not read" if heic else "a video"
    for sign, kind in SIGNS.items():
        if head.startswith(sign):
            return kind
    return _kind_of_text(head)


def _kind_of_text(head: bytes) -> str:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:14].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head")):
        return "a web page, perhaps an error page of a download"
    if start.startswith((b"<svg", b"<?xml")):
        return "an SVG drawing or other XML"
    readable = sum(32 <= byte < 127 or byte in b"\t\r\n" for byte in head)
    return "text" if readable > 0.9 * len(head) else "something else"


def _words(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
