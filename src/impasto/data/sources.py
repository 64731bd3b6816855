"""The location of one picture: a file, a part of a larger file, uncompressed pixels, or half of another picture.

`str(source)` names it in messages.
"""

from __future__ import annotations

import functools
import gzip
import io
import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, Protocol, TypeAlias

import numpy as np
from PIL import Image

from impasto.errors import PictureError

ZIP_LOCAL_HEADER = 30
"""Bytes before the name in the local header of a zip member. That header can be longer than the directory entry."""

FORMATS: Mapping[str, frozenset[str]] = {
    "JPEG": frozenset({".jpg", ".jpeg"}),
    "PNG": frozenset({".png"}),
    "WEBP": frozenset({".webp"}),
    "TIFF": frozenset({".tif", ".tiff"}),
    "BMP": frozenset({".bmp"}),
    "GIF": frozenset({".gif"}),
    "PPM": frozenset({".ppm", ".pgm"}),
    "AVIF": frozenset({".avif"}),
}
"""Formats that are decoded, by Pillow's names, with their suffixes. No others, above all not EPS, which runs code."""

MOST_BYTES = 1 << 30
"""Limit for decompressed content."""


class File(Protocol):
    """A file that may have to be downloaded before it is opened."""

    def open(self, mode: str) -> IO[bytes]:
        """Open it as a path does."""


@dataclass(frozen=True, slots=True)
class Packed:
    """An encoded picture inside a larger file: a zip, a tar or a TFRecord file."""

    file: Path | File
    offset: int
    """Offset of its first byte. For a member of a zip: of the local header of the member."""
    length: int
    name: str
    zipped: Literal["stored", "deflated"] | None = None

    def __str__(self) -> str:
        return f"{self.name} in {self.file}"

    def read(self) -> bytes:
        """Return the encoded picture. Raises OSError or ValueError if the archive is damaged."""
        with self.file.open("rb") as file:
            start = self.offset
            if self.zipped is not None:
                file.seek(start)
                signature, name_length, extra_length = struct.unpack("<4s22xHH", file.read(ZIP_LOCAL_HEADER))
                if signature != b"PK\3\4":
                    raise ValueError("the directory of the archive does not match its members")
                start += ZIP_LOCAL_HEADER + name_length + extra_length
            file.seek(start)
            content = file.read(self.length)
        if len(content) < self.length:
            raise ValueError("the archive is cut off")
        return _inflated(content) if self.zipped == "deflated" else content


@dataclass(frozen=True, slots=True)
class Raw:
    """Uncompressed pixels inside a larger file, gzipped or not: MNIST and CIFAR-10."""

    file: Path
    offset: int
    height: int
    width: int
    channels: Literal[1, 3]
    """1: grey; 3: one plane each for red, green and blue."""
    name: str

    def __str__(self) -> str:
        return f"{self.name} in {self.file}"

    def picture(self) -> Image.Image:
        """Return the picture. Raises ValueError if the file is cut off."""
        count = self.channels * self.height * self.width
        pixels = np.frombuffer(whole_file(self.file), np.uint8, count, self.offset)
        planes = pixels.reshape(self.channels, self.height, self.width)
        return Image.fromarray(planes[0] if self.channels == 1 else np.ascontiguousarray(planes.transpose(1, 2, 0)))


@dataclass(frozen=True, slots=True)
class Half:
    """The left or right half of a picture that shows a pair side by side."""

    whole: Path | Packed | Raw
    side: Literal["left", "right"]

    def __str__(self) -> str:
        return str(self.whole)

    def box(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Return the left, upper, right and lower edge of the half. Raises PictureError for an odd width."""
        if width % 2:
            raise PictureError(
                f"{self} has an odd width of {width} pixels and cannot be split into a pair; crop or remove it"
            )
        return (0, 0, width // 2, height) if self.side == "left" else (width // 2, 0, width, height)


Source: TypeAlias = Path | Packed | Raw | Half


def whole_file(file: Path) -> bytes:
    """Return the content of a file, decompressed if it is gzipped. It is cached, because many pictures share it.

    Raises OSError, EOFError or zlib.error if it is damaged.
    """
    status = file.stat()
    return _whole_file(file, status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=16)
def _whole_file(file: Path, size: int, changed: int) -> bytes:  # noqa: ARG001 - a changed file is read again
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rb") as stream:
        content = bytes(stream.read(MOST_BYTES + 1))
    if len(content) > MOST_BYTES:
        raise OSError(f"it holds more than {MOST_BYTES >> 30} GB")
    return content


def is_here(source: Source) -> bool:
    """Return whether a picture is on this machine, not in a shard that must be downloaded first."""
    return not isinstance(source, Packed) or isinstance(source.file, Path)


def open_image(source: Source) -> Image.Image:
    """Open a picture without decoding it; of a half, the whole picture. Raises what Pillow raises."""
    if isinstance(source, Half):
        return open_image(source.whole)
    if isinstance(source, Raw):
        return source.picture()
    return Image.open(source if isinstance(source, Path) else io.BytesIO(source.read()), formats=tuple(FORMATS))


def excerpt(source: Source, length: int = 4096) -> bytes:
    """Return the size and the first and last bytes of the stored picture, to notice that it was replaced."""
    if isinstance(source, Half):
        return excerpt(source.whole, length)
    if isinstance(source, Raw):
        picture = source.picture()
        return repr(picture.size).encode() + picture.tobytes()
    if isinstance(source, Packed):
        if not is_here(source):  # downloading everything would take hours; the digest is enough
            return repr(source).encode()
        content = source.read()
        return _ends(io.BytesIO(content), len(content), length)
    with source.open("rb") as file:
        return _ends(file, os.fstat(file.fileno()).st_size, length)


def _inflated(content: bytes) -> bytes:
    expander = zlib.decompressobj(-zlib.MAX_WBITS)
    picture = expander.decompress(content, MOST_BYTES)
    if expander.unconsumed_tail:
        raise ValueError(f"it expands to more than {MOST_BYTES >> 30} GB")
    return picture


def _ends(file: IO[bytes], size: int, length: int) -> bytes:
    first = file.read(length)
    if size > length:
        file.seek(max(length, size - length))
    return size.to_bytes(8, "big") + first + file.read(length)
