"""The file for the contest "I'm Something of a Painter Myself": written from photos, and checked.

7,000 to 10,000 paintings of 256 x 256 pixels as RGB JPEG in one zip, without folders and with nothing else in it.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from PIL import Image
from torch import Tensor

from impasto.chance import Draws
from impasto.data.collection import Item
from impasto.data.layouts import read_collection
from impasto.data.pictures import DAMAGE, MAX_MEGAPIXELS, SUFFIXES
from impasto.data.prompts import PhotoPrompt
from impasto.data.sources import FORMATS
from impasto.data.stream import decoded_ahead
from impasto.data.transforms import centre_square, read_pixels, stacked, to_picture
from impasto.errors import DataError, EvaluationError, OutputError, PainterError, PictureError
from impasto.files import replacing
from impasto.hardware import keep_large_blocks
from impasto.painting.paint import paint_prompt
from impasto.painting.painters import LoadedPainter

JPEG_QUALITY = 95
"""With colours at full resolution (4:4:4): the contest scores what is left of the paintings."""
BATCH = 8
"""Photos painted at once."""
LOOKED_AT = 64
"""Photos examined at once."""
THREADS = min(8, os.cpu_count() or 1)
DATE = (1980, 1, 1, 0, 0, 0)
"""Date of every member, the earliest in a zip. The same paintings therefore make the same bytes."""
LONGEST_STEM = 80
"""Characters of a photo's name that its painting's keeps."""

MOST_MEMBERS = 20_000
"""An archive that names more is no submission and is not examined."""
MOST_BYTES = 1_000_000
"""Largest picture in bytes. Noise of 256 x 256 pixels needs a quarter of it. Larger ones are not decompressed."""
LONGEST_NAME = 200
"""Bytes of UTF-8; systems stop at 255."""
SHOWN = 5
"""Names shown with each problem."""
LONGEST_SHOWN = 100
"""Characters shown of a name."""

BROKEN_ZIP = (*DAMAGE, zipfile.BadZipFile, zipfile.LargeZipFile)
"""Errors of reading a damaged zip, or a damaged picture in it."""

Progress = Callable[[str, int, int], None]
"""Called with the name of the work, the items done and the items in all."""


@dataclass(frozen=True)
class Limits:
    """What the contest accepts."""

    fewest: int = 7_000
    most: int = 10_000
    side: int = 256
    """Height and width of a painting, pixels."""


CONTEST = Limits()


@dataclass(frozen=True)
class SubmissionOptions:
    """How a submission is painted."""

    seed: int = 0
    """For painters with random numbers."""
    max_megapixels: float = MAX_MEGAPIXELS
    limits: Limits = CONTEST
    overwrite: bool = False
    """Replace the target if it exists."""


@dataclass(frozen=True)
class Written:
    """What was painted of the photos, and what was not."""

    count: int
    """Paintings in the file."""
    left_out: tuple[str, ...]
    """Why photos were left out, a sentence each: they cannot be read, or show the same as another."""


def write_submission(
    photos: Path,
    painter: LoadedPainter,
    target: Path,
    options: SubmissionOptions | None = None,
    progress: Progress | None = None,
) -> Written:
    """Paint the middle of every photo of a folder or zip into the new zip `target`; equal input makes equal bytes.

    Every photo is looked at before the first is painted, so that hours of painting are never lost to one of the last:
    those that cannot be read or show the same as another are left out. `target` appears when it is whole.

    Raises OutputError where `target` exists and may not be overwritten, or cannot be written, PainterError for a
    painter that does not paint from photos, DataError and EvaluationError for photos that are not to be had, too few or
    too many.
    """
    options = options or SubmissionOptions()
    if target.exists() and not options.overwrite:
        raise OutputError(f"{target} exists; pass --overwrite to replace it, or choose another --output")
    if painter.painter.prompt_type is not PhotoPrompt:
        raise PainterError(f"{painter.name} does not paint from photos alone; choose a painter that does")
    items = _photos(photos)
    _check_count(len(items), photos, options.limits)
    keep_large_blocks()
    with replacing(target) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        usable, left_out = _usable(items, options, progress)
        _check_count(len(usable), photos, options.limits, left_out)
        for number, (item, painting) in enumerate(_paintings(usable, painter, options), start=1):
            archive.writestr(_member(number, item), _jpeg(painting, options.limits.side))
            if progress:
                progress("painted", number, len(usable))
    return Written(len(usable), tuple(left_out))


def _photos(folder: Path) -> list[Item]:
    """Return the photos, of all splits, in the order of their names."""
    collection = read_collection(folder)
    if "domain" in collection.attributes or any(item.partner is not None for item in collection.items):
        raise DataError(
            f"{folder} holds more than photos (it looks like {collection.layout}); name the folder of the photos alone"
        )
    return sorted(collection.items, key=lambda item: item.name)


def _check_count(count: int, folder: Path, limits: Limits, left_out: Sequence[str] = ()) -> None:
    if limits.fewest <= count <= limits.most:
        return
    holds = f"{folder} holds {count:,} photo{'s' * (count != 1)}"
    if left_out:
        holds += f" that can be used beside {len(left_out):,} that cannot (such as: {left_out[0]})"
    remedy = "add photos" if count < limits.fewest else "leave some out"
    raise EvaluationError(f"{holds}, and the contest asks for {limits.fewest:,} to {limits.most:,} paintings; {remedy}")


def _usable(
    items: Sequence[Item], options: SubmissionOptions, progress: Progress | None
) -> tuple[list[Item], list[str]]:
    """Return the photos that can be read and show something of their own, and why the others are left out."""

    def look(item: Item) -> bytes | PictureError:
        try:
            return hashlib.blake2b(_square(item, options).contiguous().numpy().tobytes(), digest_size=16).digest()
        except PictureError as error:
            return error

    usable: dict[bytes, Item] = {}
    left_out: list[str] = []
    looked = decoded_ahead(look, zip, _batches(items, LOOKED_AT), THREADS)
    for done, (item, found) in enumerate((pair for pairs in looked for pair in pairs), start=1):
        if isinstance(found, PictureError):
            left_out.append(str(found))
        elif usable.setdefault(found, item) is not item:
            left_out.append(f"{item.picture} shows the same as {usable[found].picture}")
        if progress:
            progress("examined", done, len(items))
    return list(usable.values()), left_out


def _paintings(
    items: Sequence[Item], painter: LoadedPainter, options: SubmissionOptions
) -> Iterator[tuple[Item, Tensor]]:
    """Yield each photo with its painting [3, side, side] in [-1, 1], painted in batches while the next are read."""
    batches = decoded_ahead(
        lambda item: _square(item, options),
        lambda batch, squares: (batch, stacked(squares)),
        _batches(items, BATCH),
        THREADS,
    )
    for batch, images in batches:
        draws = Draws.for_photos(options.seed, len(batch))
        painted = paint_prompt(painter.painter, PhotoPrompt(images), draws, painter.options)
        yield from zip(batch, painted, strict=True)


def _square(item: Item, options: SubmissionOptions) -> Tensor:
    """Return the middle of a photo at the contest's size, uint8 [3, side, side]."""
    side = options.limits.side
    return centre_square(read_pixels(item.picture, options.max_megapixels, side), side)


def _batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    return (items[first : first + size] for first in range(0, len(items), size))


def _jpeg(painting: Tensor, side: int) -> bytes:
    """Return a painting [3, H, W] in [-1, 1] as a JPEG of `side` x `side` pixels."""
    picture = to_picture(painting)
    if picture.size != (side, side):
        picture = picture.resize((side, side), Image.Resampling.LANCZOS)
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return content.getvalue()


def _member(number: int, item: Item) -> zipfile.ZipInfo:
    """Return a painting's entry: its number makes the name unique, the photo's name says where it comes from."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", PurePosixPath(item.name).stem)[:LONGEST_STEM]
    entry = zipfile.ZipInfo(f"{number:05d}-{stem}.jpg", DATE)
    entry.create_system = 3  # Unix, wherever it was made
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    return entry


class Check(NamedTuple):
    """One check. Both texts may contain the limits."""

    asks: str
    """What the contest requires."""
    denies: str
    """What is wrong with the files, after `3 files are`."""


CHECKS: Mapping[str, Check] = {
    "count": Check("{fewest:,} to {most:,} pictures", ""),
    "names": Check("plain names", "named in a way that is unsafe to unpack"),
    "unique": Check("no name twice", "of a name that comes twice"),
    "flat": Check("no folders", "a folder or in one"),
    "others": Check("nothing but pictures", "no picture by name"),
    "packing": Check("plainly packed", "encrypted, a link or packed in a rare way"),
    "bytes": Check(f"no picture above {MOST_BYTES / 1e6:g} MB", f"larger than {MOST_BYTES / 1e6:g} MB"),
    "readable": Check("every picture whole", "damaged, cut off or no picture at all"),
    "format": Check("JPEG", "not JPEG"),
    "size": Check("{side} x {side} pixels", "not {side} x {side} pixels"),
    "mode": Check("RGB", "not RGB"),
    "distinct": Check("no picture twice", "a copy of another"),
}
"""All checks, in the order in which they are printed."""


def asked(check: str, limits: Limits = CONTEST) -> str:
    """Return what the contest requires, such as `256 x 256 pixels`."""
    return CHECKS[check].asks.format(**asdict(limits))


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a submission."""

    check: str
    """A key of CHECKS."""
    count: int
    """Number of files with this problem; for `count`, the number of pictures."""
    names: tuple[str, ...]
    """At most SHOWN of the files, each with what was found."""
    says: str
    """The problem as a sentence."""


@dataclass(frozen=True)
class Submission:
    """What a submission file contains."""

    count: int
    """Pictures, good or bad."""
    problems: tuple[Problem, ...]
    """In the order of CHECKS. Empty if the contest will accept the file."""


def validate_submission(path: Path, limits: Limits = CONTEST, progress: Progress | None = None) -> Submission:
    """Check every file of a submission: names, packing, format, size, mode, damage, copies, and how many there are.

    Nothing that the archive says of itself is believed, and nothing large is expanded. Copies are told by the SHA-256
    of the files. Raises EvaluationError where `path` is no zip, or one of more than MOST_MEMBERS files.
    """
    with _opened(path) as archive:
        members = archive.infolist()
        if len(members) > MOST_MEMBERS:
            raise EvaluationError(
                f"{path} names {len(members):,} files and is not examined; the contest takes {limits.most:,} at most"
            )
        examination = _Examination(archive, limits)
        for done, member in enumerate(members, start=1):
            examination.examine(member)
            if progress:
                progress("checked", done, len(members))
    return Submission(examination.pictures, tuple(examination.problems()))


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError as error:
        raise EvaluationError(f"{path} does not exist; check the path") from error
    except BROKEN_ZIP as error:
        raise EvaluationError(f"{path} cannot be read as a zip ({error}); make or copy it again") from error
    with archive:
        yield archive


class _Examination:
    """Checks the files of a submission one by one, and collects the problems."""

    def __init__(self, archive: zipfile.ZipFile, limits: Limits) -> None:
        self._archive, self._limits = archive, limits
        self._wrong: Counter[str] = Counter()
        self._shown: defaultdict[str, list[str]] = defaultdict(list)
        self._names: set[str] = set()
        self._first: dict[bytes, str] = {}
        """The digest of each content, with the name under which it came first."""
        self.pictures = 0

    def examine(self, member: zipfile.ZipInfo) -> None:
        """Check one file."""
        name = member.orig_filename  # the other one ends at a zero byte
        self._examine_name(name)
        if name.endswith("/"):
            return
        if not _is_picture(name):
            self._blame("others", name)
            return
        self.pictures += 1
        if _is_oddly_packed(member):
            self._blame("packing", name)
        elif member.file_size > MOST_BYTES:
            self._blame("bytes", name, f"{member.file_size:,} bytes")
        else:
            self._examine_content(member, name)

    def problems(self) -> Iterator[Problem]:
        """Yield the problems, in the order of CHECKS."""
        limits = self._limits
        if not limits.fewest <= self.pictures <= limits.most:
            holds = f"it holds {self.pictures:,} picture{'s' * (self.pictures != 1)}"
            yield Problem("count", self.pictures, (), f"{holds}, and the contest asks for {asked('count', limits)}")
        for check in CHECKS:
            if count := self._wrong[check]:
                names = tuple(self._shown[check])
                yield Problem(check, count, names, _told(count, CHECKS[check].denies.format(**asdict(limits)), names))

    def _blame(self, check: str, name: str, note: str = "") -> None:
        self._wrong[check] += 1
        if len(self._shown[check]) < SHOWN:
            self._shown[check].append(f"{_shown(name)} ({note})" if note else _shown(name))

    def _examine_name(self, name: str) -> None:
        if name in self._names:
            self._blame("unique", name)
        self._names.add(name)
        if _is_unsafe(name):
            self._blame("names", name)
        elif "/" in name:
            self._blame("flat", name)

    def _examine_content(self, member: zipfile.ZipInfo, name: str) -> None:
        try:
            with self._archive.open(member) as stream:
                content = stream.read(MOST_BYTES + 1)  # to its end, where the checksum is compared
            self._examine_picture(content, name)
        except BROKEN_ZIP as error:
            self._blame("readable", name, str(error) or type(error).__name__)
            return
        digest = hashlib.sha256(content).digest()
        if digest in self._first:
            self._blame("distinct", name, f"of {_shown(self._first[digest])}")
        self._first.setdefault(digest, name)

    def _examine_picture(self, content: bytes, name: str) -> None:
        """Distinguish JPEG from other formats. Raises Pillow's errors for damaged files."""
        kind = _format(content)
        if kind is None:
            self._blame("readable", name, "no picture that is known")
        elif kind != "JPEG":
            self._blame("format", name, kind)
        else:
            if PurePosixPath(name).suffix.lower() not in FORMATS["JPEG"]:
                self._blame("format", name, "by its name")
            self._examine_jpeg(content, name)

    def _examine_jpeg(self, content: bytes, name: str) -> None:
        Image.MAX_IMAGE_PIXELS = None  # only pictures of the required size are decoded
        with Image.open(io.BytesIO(content), formats=["JPEG"]) as picture:
            is_asked_size = picture.size == (self._limits.side, self._limits.side)
            if is_asked_size:
                picture.load()
        if not is_asked_size:
            self._blame("size", name, f"{picture.width} x {picture.height}")
        if picture.mode != "RGB":
            self._blame("mode", name, "grey" if picture.mode == "L" else picture.mode)


def _format(content: bytes) -> str | None:
    """Return the format that the first bytes show; nothing is opened, for some decoders begin with large buffers."""
    Image.init()
    signs = {kind: Image.OPEN[kind][1] for kind in FORMATS if kind in Image.OPEN}
    return next((kind for kind, shows in signs.items() if shows is not None and shows(content[:16])), None)


def _told(count: int, denies: str, names: Sequence[str]) -> str:
    files = "file is" if count == 1 else "files are"
    others = f" and {count - len(names):,} more" if count > len(names) else ""
    return f"{count:,} {files} {denies}: {', '.join(names)}{others}"


def _is_picture(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) and part != ".." for part in path.parts)
    return path.suffix.lower() in SUFFIXES and not hidden


def _is_unsafe(name: str) -> bool:
    """Whether a name is empty, absolute or too long, leads out of its folder, or has control characters."""
    return (
        not name
        or name.startswith("/")
        or ".." in name.split("/")
        or re.search(r"\\|^[A-Za-z]:|[\x00-\x1f\x7f]", name) is not None
        or len(name.encode()) > LONGEST_NAME
    )


def _is_oddly_packed(member: zipfile.ZipInfo) -> bool:
    is_plain = stat.S_IFMT(member.external_attr >> 16) in (0, stat.S_IFREG)  # 0: not made on Unix
    is_known = member.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    return not is_plain or not is_known or bool(member.flag_bits & 0x1)


def _shown(name: str) -> str:
    """Return a name without characters that control a terminal."""
    return repr(name if len(name) <= LONGEST_SHOWN else name[:LONGEST_SHOWN] + "...")
