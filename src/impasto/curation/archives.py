"""Unpacks untrusted archives, completely or not at all, and never outside the target folder.

The metadata of an archive is not trusted. Names are checked part by part, only plain files and folders with plain modes
are created, a name must be unique, and expanded bytes are counted while they are written.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

from impasto.errors import DataError, OutputError
from impasto.files import replacing_folder

Progress = Callable[[int, int], None]
"""Called with (bytes read, all bytes) of the archive."""

CHUNK = 1 << 20
"""Bytes read and written at once. A tar header that needs more at once is an attack."""
PADDING = 16 << 20
"""Maximum bytes of zeros after the end of a tar file."""
DEEPEST = 32
"""Maximum depth of nested folders."""
LONGEST_PART = 255
"""Maximum bytes of UTF-8 in one part of a path."""

DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    IndexError,
    OverflowError,
    struct.error,
    RuntimeError,  # also NotImplementedError: an unknown compression
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    tarfile.TarError,
)
"""Exceptions from reading an archive that is cut off, damaged or hostile."""

_Stream = IO[bytes] | io.BufferedIOBase

_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Limits:
    """Limits for an unpacked archive."""

    files: int = 1_000_000
    """Files and folders in it."""
    bytes: int = 64_000_000_000
    """Bytes on disk of all files together."""


class _Member(NamedTuple):
    name: str
    trouble: str | None
    """Why it is refused, such as `is a symbolic link`."""
    is_folder: bool
    open: Callable[[], IO[bytes]]


def extract(
    archive: Path,
    into: Path,
    *,
    limits: Limits | None = None,
    unwrap: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Unpack a zip or tar archive (plain, gzip, bzip2 or xz) into the folder `into`, and return `into`.

    `into` must be missing or empty. It appears when everything is unpacked. With `unwrap`, a single top folder becomes
    `into` itself.

    Raises DataError, with the name of the member, for absolute paths, `..`, drive letters, backslashes, links, devices,
    duplicate names, encryption, damage, and more than `limits`; OutputError if `into` is not empty or not writable.
    """
    if into.exists() and not (into.is_dir() and not any(into.iterdir())):
        raise OutputError(f"{into} exists; remove it or choose another folder")
    try:
        raw = archive.open("rb")
    except OSError as error:
        raise DataError(f"{archive} cannot be read ({error.strerror}); check the path") from error
    size = archive.stat().st_size
    with raw, replacing_folder(into) as temporary:
        members = _members(archive, raw)
        for _ in _unpack(archive, members, temporary, limits or Limits()):
            if progress:
                progress(min(raw.tell(), size), size)
        if unwrap:
            _unwrap(temporary)
    return into


def _unpack(archive: Path, members: Iterator[_Member], folder: Path, limits: Limits) -> Iterator[None]:
    """Write the members into `folder`. Yield after every chunk and every folder."""
    files = expanded = 0
    for member in members:
        files += 1
        if files > limits.files:
            raise _refused(archive, member, f"exceeds the limit of {limits.files:,} files")
        place = folder.joinpath(*_checked_parts(archive, member))
        if member.is_folder:
            with _placing(archive, member):
                place.mkdir(parents=True, exist_ok=True)
            yield
            continue
        with _placing(archive, member):
            place.parent.mkdir(parents=True, exist_ok=True)
            file = place.open("xb")
        with file:
            for chunk in _chunks(archive, member):
                expanded += len(chunk)
                if expanded > limits.bytes:
                    raise _refused(archive, member, f"exceeds the limit of {limits.bytes:,} unpacked bytes")
                file.write(chunk)
                yield


def _members(archive: Path, raw: IO[bytes]) -> Iterator[_Member]:
    """Yield the members in order. The first bytes of the archive give its format, not its name."""
    with _reading(archive):
        start = raw.read(262)
        raw.seek(0)
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        yield from _members_of_zip(archive, raw)
    elif start.startswith(b"\x1f\x8b"):
        yield from _members_of_tar(archive, gzip.GzipFile(fileobj=raw))
    elif start.startswith(b"BZh"):
        yield from _members_of_tar(archive, bz2.BZ2File(raw))
    elif start.startswith(b"\xfd7zXZ\x00"):
        yield from _members_of_tar(archive, lzma.LZMAFile(raw))  # noqa: SIM115
    elif start[257:262] == b"ustar" or archive.suffix == ".tar":
        yield from _members_of_tar(archive, raw)
    else:
        what = "a web page" if start.lstrip()[:1] == b"<" else "something else"
        raise DataError(f"{archive} is not a zip or tar archive but {what}; remove it and download it again")


def _members_of_zip(archive: Path, raw: IO[bytes]) -> Iterator[_Member]:
    with _reading(archive):
        opened = zipfile.ZipFile(raw)
    with opened:
        for info in opened.infolist():
            name = info.orig_filename  # info.filename ends at a zero byte
            yield _Member(name, _zip_trouble(info), name.endswith("/"), partial(opened.open, info))


def _zip_trouble(info: zipfile.ZipInfo) -> str | None:
    if info.flag_bits & 0x1:
        return "is encrypted"
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind in (0, stat.S_IFREG, stat.S_IFDIR):  # 0: the zip was not made on Unix
        return None
    return "is a symbolic link" if kind == stat.S_IFLNK else "is a device, pipe or socket"


def _members_of_tar(archive: Path, raw: _Stream) -> Iterator[_Member]:
    forward = _Forward(raw)
    with _reading(archive):
        # bytes that are not UTF-8 are replaced, because a name with them cannot be shown in messages
        opened = tarfile.open(fileobj=forward, mode="r:", encoding="utf-8", errors="replace")  # type: ignore[call-overload] # noqa: SIM115
        while (info := opened.next()) is not None:
            opened.members.clear()  # otherwise a million names stay in memory
            yield _Member(info.name, _tar_trouble(info), info.isdir(), partial(_open_in_tar, opened, info))
        if forward.last != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError("its end is missing")  # tarfile treats a damaged header as the end
        forward.read_rest()


def _open_in_tar(opened: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    stream = opened.extractfile(info)
    assert stream is not None  # only plain files are opened
    return stream


def _tar_trouble(info: tarfile.TarInfo) -> str | None:
    if info.issym():
        return "is a symbolic link"
    if info.islnk():
        return "is a hard link"
    if info.isdev():
        return "is a device or pipe"
    if info.issparse() or not (info.isreg() or info.isdir()):
        return "has a type that is not supported"
    return None


class _Forward:
    """A stream with the operations that tarfile needs: forward only, with limited reads."""

    def __init__(self, raw: _Stream) -> None:
        self.raw = raw
        self.last = b""
        """The last bytes read."""

    def tell(self) -> int:
        return self.raw.tell()

    def read(self, size: int) -> bytes:
        if size > CHUNK:
            raise tarfile.ReadError(f"a header of {size:,} bytes")
        self.last = self.raw.read(size)
        return self.last

    def seek(self, position: int) -> None:
        if position < self.raw.tell():
            raise tarfile.ReadError("a member before its header")
        self.raw.seek(position)

    def read_rest(self) -> None:
        """Read the padding at the end of a tar file, so the checksum of the compression is verified."""
        for _ in range(PADDING // CHUNK):
            if not self.raw.read(CHUNK):
                return
        raise tarfile.ReadError("too much data after its end")


def _checked_parts(archive: Path, member: _Member) -> list[str]:
    """Return the parts of the path of a member. They stay inside the folder.

    Raises DataError for a member that is refused for any reason.
    """
    if member.trouble:
        raise _refused(archive, member, member.trouble)
    name = member.name
    if name.startswith("/") or _DRIVE.match(name):
        raise _refused(archive, member, "is an absolute path")
    if "\\" in name or _CONTROL.search(name):
        raise _refused(archive, member, "has a backslash or a control character in its name")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise _refused(archive, member, "points outside of its folder")
    if not parts and not member.is_folder:
        raise _refused(archive, member, "is a file without a name")
    if len(parts) > DEEPEST or any(len(part.encode(errors="surrogatepass")) > LONGEST_PART for part in parts):
        raise _refused(archive, member, "has a name that is too long")
    return parts


@contextmanager
def _placing(archive: Path, member: _Member) -> Iterator[None]:
    """Convert errors of conflicting names, also those that only this file system conflates, such as `a` and `A`."""
    try:
        yield
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise _refused(archive, member, "exists twice, or both as a file and as a folder") from error
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL):
            raise _refused(archive, member, "has a name that cannot be written here") from error
        raise


def _chunks(archive: Path, member: _Member) -> Iterator[bytes]:
    with _reading(archive), member.open() as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


@contextmanager
def _reading(archive: Path) -> Iterator[None]:
    """Convert errors from damage while reading."""
    try:
        yield
    except DAMAGE as error:
        raise DataError(f"{archive} is damaged or cut off ({error}); remove it and download it again") from error


def _refused(archive: Path, member: _Member, why: str) -> DataError:
    name = member.name if len(member.name) <= 100 else member.name[:100] + "..."
    return DataError(f"{archive} is not unpacked: its member {name!r} {why}; get another copy of the archive")


def _unwrap(folder: Path) -> None:
    """Move the contents of the only folder in `folder` up into it."""
    inside = list(folder.iterdir())
    if len(inside) != 1 or not inside[0].is_dir():
        return
    aside = ".unwrapped"
    while (inside[0] / aside).exists():
        aside += "."
    only = inside[0].rename(folder / aside)  # it can contain an entry with its own name
    for path in list(only.iterdir()):
        path.rename(folder / path.name)
    only.rmdir()
