"""Writes and checks submissions to the Kaggle contest "I'm Something of a Painter Myself".

A submission is one zip of 7,000 to 10,000 paintings of 256 x 256 pixels as RGB JPEG, without folders or other files.
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
"""JPEG quality, with colours at full resolution (4:4:4), because the contest scores the compressed paintings."""
BATCH = 8
"""Photos painted at a time."""
EXAMINED = 64
"""Photos examined at a time."""
THREADS = min(8, os.cpu_count() or 1)
DATE = (1980, 1, 1, 0, 0, 0)
"""Date of every member: the earliest of a zip. So the same paintings make the same bytes."""
LONGEST_STEM = 80
"""Characters of a photo's name that are kept in the name of its painting."""

MOST_MEMBERS = 20_000
"""An archive with more members is not examined."""
MOST_BYTES = 1_000_000
"""Largest size of a picture. Noise of 256 x 256 pixels needs only a quarter. Nothing larger is unpacked."""
LONGEST_NAME = 200
"""Longest name in bytes of UTF-8. Operating systems allow 255."""
SHOWN = 5
"""Names shown with each problem."""
LONGEST_SHOWN = 100
"""Characters shown of a name."""

BROKEN_ZIP = (*DAMAGE, zipfile.BadZipFile, zipfile.LargeZipFile)
"""Exceptions raised by damaged zips and damaged pictures in them."""

Progress = Callable[[str, int, int], None]
"""Called with the current step, the number of files done and the total."""


@dataclass(frozen=True)
class Limits:
    """What the contest accepts."""

    fewest: int = 7_000
    """Fewest paintings."""
    most: int = 10_000
    """Most paintings."""
    side: int = 256
    """Height and width of a painting, in pixels."""


CONTEST = Limits()


@dataclass(frozen=True)
class SubmissionOptions:
    """How a submission is painted."""

    seed: int = 0
    """Random seed, for painters that use randomness."""
    max_megapixels: float = MAX_MEGAPIXELS
    """Largest photo to read."""
    limits: Limits = CONTEST
    overwrite: bool = False
    """Replace the target if it exists."""


@dataclass(frozen=True)
class Written:
    """The result of `write_submission`."""

    count: int
    """Number of paintings in the file."""
    left_out: tuple[str, ...]
    """One sentence for each photo that was left out: it is unreadable, or shows the same as another."""


def write_submission(
    photos: Path,
    painter: LoadedPainter,
    target: Path,
    options: SubmissionOptions | None = None,
    progress: Progress | None = None,
) -> Written:
    """Paint the centre square of every photo of a folder or zip into a new zip `target`. Equal input makes equal bytes.

    All photos are examined before the first is painted, so a bad photo cannot waste hours of painting. Unreadable
    photos and copies are left out. `target` is written atomically.

    Raises OutputError if `target` exists and may not be overwritten, or cannot be written. Raises PainterError for a
    painter that does not paint from photos, DataError for missing photos, and EvaluationError for too few or too many.
    """
    options = options or SubmissionOptions()
    if target.exists() and not options.overwrite:
        raise OutputError(f"{target} exists; pass --overwrite to replace it, or choose another --output")
    if painter.painter.prompt_type is not PhotoPrompt:
        raise PainterError(f"{painter.name} does not paint from photos alone; use a painter that does")
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
    """Return the photos of all splits, sorted by name. Raises DataError if there are other pictures too."""
    collection = read_collection(folder)
    if "domain" in collection.attributes or any(item.partner is not None for item in collection.items):
        raise DataError(
            f"{folder} holds more than photos (it looks like {collection.layout}); use the folder with only the photos"
        )
    return sorted(collection.items, key=lambda item: item.name)


def _check_count(count: int, folder: Path, limits: Limits, left_out: Sequence[str] = ()) -> None:
    if limits.fewest <= count <= limits.most:
        return
    holds = f"{folder} holds {count:,} photo{'s' * (count != 1)}"
    if left_out:
        holds += f" that can be used and {len(left_out):,} that cannot (for example: {left_out[0]})"
    remedy = "add photos" if count < limits.fewest else "remove photos"
    raise EvaluationError(f"{holds}, but the contest requires {limits.fewest:,} to {limits.most:,} paintings; {remedy}")


def _usable(
    items: Sequence[Item], options: SubmissionOptions, progress: Progress | None
) -> tuple[list[Item], list[str]]:
    """Return the photos that are readable and unique, and a sentence for each other photo."""

    def digest_of(item: Item) -> bytes | PictureError:
        try:
            return hashlib.blake2b(_square(item, options).contiguous().numpy().tobytes(), digest_size=16).digest()
        except PictureError as error:
            return error

    usable: dict[bytes, Item] = {}
    left_out: list[str] = []
    examined = decoded_ahead(digest_of, zip, _batches(items, EXAMINED), THREADS)
    for done, (item, found) in enumerate((pair for pairs in examined for pair in pairs), start=1):
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
    """Yield each photo with its painting [3, side, side] in [-1, 1], painted in batches.

    The next photos are read while a batch is painted.
    """
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
    """Return the centre square of a photo at the contest's size, uint8 [3, side, side]."""
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
    """Return the zip entry of a painting. The number makes its name unique, and the photo's name shows its source."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", PurePosixPath(item.name).stem)[:LONGEST_STEM]
    entry = zipfile.ZipInfo(f"{number:05d}-{stem}.jpg", DATE)
    entry.create_system = 3  # Unix, so that all systems write the same bytes
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    return entry


class Check(NamedTuple):
    """One check of a submission. Both texts may contain the fields of `Limits` in braces."""

    requirement: str
    """What the contest requires."""
    violation: str
    """Describes files that fail the check, after `3 files are`."""


CHECKS: Mapping[str, Check] = {
    "count": Check("{fewest:,} to {most:,} pictures", ""),
    "names": Check("plain names", "named in a way that is unsafe to unpack"),
    "unique": Check("no name twice", "named like an earlier file"),
    "flat": Check("no folders", "a folder or in one"),
    "others": Check("nothing but pictures", "not named like a picture"),
    "packing": Check("stored or deflated", "encrypted, a link or packed with another method"),
    "bytes": Check(f"no picture above {MOST_BYTES / 1e6:g} MB", f"larger than {MOST_BYTES / 1e6:g} MB"),
    "readable": Check("every picture readable", "damaged, cut off or not a picture"),
    "format": Check("JPEG", "not JPEG"),
    "size": Check("{side} x {side} pixels", "not {side} x {side} pixels"),
    "mode": Check("RGB", "not RGB"),
    "distinct": Check("no picture twice", "a copy of another"),
}
"""All checks, in the order of the report."""


def requirement(check: str, limits: Limits = CONTEST) -> str:
    """Return what the contest requires, such as `256 x 256 pixels`."""
    return CHECKS[check].requirement.format(**asdict(limits))


@dataclass(frozen=True)
class Problem:
    """One problem of a submission."""

    check: str
    """A key of CHECKS."""
    count: int
    """Number of files with the problem. For the check `count`, the number of pictures."""
    names: tuple[str, ...]
    """Names of at most SHOWN of these files, with details."""
    message: str
    """The problem in one sentence."""


@dataclass(frozen=True)
class Submission:
    """The result of `validate_submission`."""

    count: int
    """Number of pictures, including bad ones."""
    problems: tuple[Problem, ...]
    """In the order of CHECKS. Empty if the contest will accept the file."""


def validate_submission(path: Path, limits: Limits = CONTEST, progress: Progress | None = None) -> Submission:
    """Check every file of a submission: names, packing, format, size, mode, damage, copies, and the number of files.

    Sizes and names in the archive are not trusted, and nothing large is unpacked. Copies have the same SHA-256.

    Raises EvaluationError if `path` is not a zip, or if it has more than MOST_MEMBERS files.
    """
    with _opened(path) as archive:
        members = archive.infolist()
        if len(members) > MOST_MEMBERS:
            raise EvaluationError(
                f"{path} names {len(members):,} files and is not examined; use at most {limits.most:,} files"
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
        raise EvaluationError(f"{path} cannot be read as a zip ({error}); write or copy it again") from error
    with archive:
        yield archive


class _Examination:
    """Examines the files of a submission one by one, and collects the problems."""

    def __init__(self, archive: zipfile.ZipFile, limits: Limits) -> None:
        self._archive, self._limits = archive, limits
        self._wrong: Counter[str] = Counter()
        self._shown: defaultdict[str, list[str]] = defaultdict(list)
        self._names: set[str] = set()
        self._first: dict[bytes, str] = {}
        """The first name of each content, by digest."""
        self.pictures = 0

    def examine(self, member: zipfile.ZipInfo) -> None:
        """Examine one file."""
        name = member.orig_filename  # `filename` ends at a zero byte
        self._examine_name(name)
        if name.endswith("/"):
            return
        if not _is_picture(name):
            self._add_problem("others", name)
            return
        self.pictures += 1
        if _is_oddly_packed(member):
            self._add_problem("packing", name)
        elif member.file_size > MOST_BYTES:
            self._add_problem("bytes", name, f"{member.file_size:,} bytes")
        else:
            self._examine_content(member, name)

    def problems(self) -> Iterator[Problem]:
        """Yield the problems, in the order of CHECKS."""
        limits = self._limits
        if not limits.fewest <= self.pictures <= limits.most:
            holds = f"it holds {self.pictures:,} picture{'s' * (self.pictures != 1)}"
            yield Problem(
                "count", self.pictures, (), f"{holds}, but the contest requires {requirement('count', limits)}"
            )
        for check in CHECKS:
            if count := self._wrong[check]:
                names = tuple(self._shown[check])
                yield Problem(
                    check, count, names, _message(count, CHECKS[check].violation.format(**asdict(limits)), names)
                )

    def _add_problem(self, check: str, name: str, note: str = "") -> None:
        self._wrong[check] += 1
        if len(self._shown[check]) < SHOWN:
            self._shown[check].append(f"{_shown(name)} ({note})" if note else _shown(name))

    def _examine_name(self, name: str) -> None:
        if name in self._names:
            self._add_problem("unique", name)
        self._names.add(name)
        if _is_unsafe(name):
            self._add_problem("names", name)
        elif "/" in name:
            self._add_problem("flat", name)

    def _examine_content(self, member: zipfile.ZipInfo, name: str) -> None:
        try:
            with self._archive.open(member) as stream:
                content = stream.read(MOST_BYTES + 1)  # reading to the end verifies the checksum
            self._examine_picture(content, name)
        except BROKEN_ZIP as error:
            self._add_problem("readable", name, str(error) or type(error).__name__)
            return
        digest = hashlib.sha256(content).digest()
        if digest in self._first:
            self._add_problem("distinct", name, f"of {_shown(self._first[digest])}")
        self._first.setdefault(digest, name)

    def _examine_picture(self, content: bytes, name: str) -> None:
        """Check the format. Pillow's exceptions for damaged pictures are raised."""
        kind = _format(content)
        if kind is None:
            self._add_problem("readable", name, "unknown format")
        elif kind != "JPEG":
            self._add_problem("format", name, kind)
        else:
            if PurePosixPath(name).suffix.lower() not in FORMATS["JPEG"]:
                self._add_problem("format", name, "by its name")
            self._examine_jpeg(content, name)

    def _examine_jpeg(self, content: bytes, name: str) -> None:
        Image.MAX_IMAGE_PIXELS = None  # only pictures of the required size are decoded
        with Image.open(io.BytesIO(content), formats=["JPEG"]) as picture:
            is_required_size = picture.size == (self._limits.side, self._limits.side)
            if is_required_size:
                picture.load()
        if not is_required_size:
            self._add_problem("size", name, f"{picture.width} x {picture.height}")
        if picture.mode != "RGB":
            self._add_problem("mode", name, "grey" if picture.mode == "L" else picture.mode)


def _format(content: bytes) -> str | None:
    """Return the format of the first bytes. Opens nothing, because some decoders allocate large buffers."""
    Image.init()
    signs = {kind: Image.OPEN[kind][1] for kind in FORMATS if kind in Image.OPEN}
    return next((kind for kind, shows in signs.items() if shows is not None and shows(content[:16])), None)


def _message(count: int, violation: str, names: Sequence[str]) -> str:
    files = "file is" if count == 1 else "files are"
    others = f" and {count - len(names):,} more" if count > len(names) else ""
    return f"{count:,} {files} {violation}: {', '.join(names)}{others}"


def _is_picture(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) and part != ".." for part in path.parts)
    return path.suffix.lower() in SUFFIXES and not hidden


def _is_unsafe(name: str) -> bool:
    """Whether a name is empty, absolute or too long, leaves its folder, or has control characters."""
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
    """Return a name that is safe to print: short and without control characters."""
    return repr(name if len(name) <= LONGEST_SHOWN else name[:LONGEST_SHOWN] + "...")
