"""Image datasets of the Hugging Face hub, streamed into a folder of pictures and a metadata.jsonl.

A dataset with one column of pictures becomes a plain folder. With two or more columns it becomes folders A, B, ...; the
pictures of one row share their name, and the table is in A. Other columns of strings, integers and classes become
attributes. No code of a dataset is executed: the library refuses datasets that need it.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from PIL import Image

from impasto.data.layouts.layout import as_split
from impasto.data.layouts.tables import PATH_COLUMNS
from impasto.data.pictures import open_picture, read_picture, scaled
from impasto.errors import DataError, OutputError, PictureError, did_you_mean
from impasto.files import make_folder, replacing, unwritable, write_text

Progress = Callable[[int, int | None], None]
"""Called with (rows done, all rows). All rows is None if the hub does not know."""

TABLE = "metadata.jsonl"
JOURNAL = ".hub.json"
"""The file with the progress of a folder."""
SAVE_EVERY = 100
"""Rows between two writes of the journal."""
QUALITY = 95
"""Quality of shrunk JPEG and WebP files."""
RESERVED = {*PATH_COLUMNS, "split", "hub_split"}
"""Column names with another meaning in a table of pictures. Columns of a dataset get an underscore."""

MAGIC = {
    b"\xff\xd8\xff": ".jpg",
    b"\x89PNG\r\n\x1a\n": ".png",
    b"GIF8": ".gif",
    b"II*\x00": ".tif",
    b"MM\x00*": ".tif",
    b"BM": ".bmp",
}
"""First bytes of the formats that are kept unchanged. WebP is checked separately."""

FORMATS = {".jpg": "JPEG", ".webp": "WEBP", ".png": "PNG"}
"""Formats of shrunk pictures, by the original suffix. Others become PNG."""


@dataclass(frozen=True)
class HubFacts:
    """Facts of a dataset from the hub."""

    revision: str
    """The commit that is read from now on."""
    licence: str | None
    size: int
    """Bytes of all its files."""


@dataclass(frozen=True)
class HubOutcome:
    """The contents of a finished folder."""

    folder: Path
    pictures: int
    """Rows of the table."""
    unreadable: int
    """Rows that were left out because a picture is missing or has an unknown format."""


def hub_facts(name: str) -> HubFacts:
    """Return the facts of `owner/name` or `owner/name:configuration`.

    Raises DataError if there is no such dataset, it is not accessible, or the hub cannot be reached.
    """
    huggingface_hub, _ = _libraries()
    with _told(name):
        info = huggingface_hub.HfApi().dataset_info(_parted(name)[0], files_metadata=True, timeout=30)
    licence = info.card_data.get("license") if info.card_data else None
    size = sum(file.size or 0 for file in info.siblings or ())
    return HubFacts(info.sha, ", ".join(licence) if isinstance(licence, list) else licence, size)


def hub_to_folder(
    name: str,
    into: Path,
    *,
    split: str | None = None,
    limit: int | None = None,
    short_side: int | None = None,
    progress: Progress | None = None,
) -> HubOutcome:
    """Stream a dataset into the folder `into`. It resumes where an earlier call stopped.

    At most `limit` rows of every split, or only of `split`, are used. Pictures keep their bytes, but with `short_side`,
    in pixels, larger ones are shrunk.

    Raises DataError if the hub or the dataset lacks something, OutputError if `into` holds something else.
    """
    journal = _open_journal(into, name, short_side)
    if not journal.is_done(split, limit):
        _libraries()
        journal.revision = journal.revision or hub_facts(name).revision
        streams = _streams(name, journal.revision)
        _write(into, journal, streams, _chosen(name, split, streams), limit, progress)
    with (into / journal.table).open("rb") as table:
        pictures = sum(1 for _ in table)
    return HubOutcome(into, pictures, sum(mark.unreadable for mark in journal.marks.values()))


@dataclass(frozen=True)
class _Mark:
    """Progress of one split."""

    rows: int = 0
    """Rows read from the hub."""
    unreadable: int = 0
    state: Mapping[str, Any] | None = None
    """The state from which the stream continues."""
    table_end: int = 0
    """Bytes of the table at this point."""
    complete: bool = False


@dataclass
class _Journal:
    """The source of a folder, and its progress."""

    name: str
    short_side: int | None
    revision: str = ""
    table: str = TABLE
    """Path of the table in the folder."""
    marks: dict[str, _Mark] = field(default_factory=dict)
    """By split, for all splits of the dataset."""
    finished: bool = False
    """Whether the table is complete up to the marks and has its final name."""

    def is_done(self, split: str | None, limit: int | None) -> bool:
        """Return whether all requested rows are there. False while the splits are unknown."""
        asked = [mark for name, mark in self.marks.items() if split in (None, name)]
        return self.finished and bool(asked) and all(_is_done(mark, limit) for mark in asked)


def _is_done(mark: _Mark, limit: int | None) -> bool:
    return mark.complete or (limit is not None and mark.rows >= limit)


def _open_journal(into: Path, name: str, short_side: int | None) -> _Journal:
    """Return the journal of an existing folder, or a new one. Raises OutputError if the folder is something else."""
    file = into / JOURNAL
    if not file.exists():
        if into.exists() and not (into.is_dir() and not any(into.iterdir())):
            raise OutputError(f"{into} exists; remove it or choose another folder")
        return _Journal(name, short_side)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        marks = {split: _Mark(**mark) for split, mark in content.pop("marks").items()}
        journal = _Journal(**content, marks=marks)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise OutputError(f"{file} is damaged; remove {into} and run the command again") from error
    if (journal.name, journal.short_side) != (name, short_side):
        size = "original size" if journal.short_side is None else f"a short side of {journal.short_side}"
        raise OutputError(f"{into} was begun with {journal.name} in {size}; use the same or choose another folder")
    return journal


@dataclass(frozen=True)
class _Columns:
    """The columns of a dataset that are used."""

    pictures: tuple[str, ...]
    attributes: Mapping[str, Callable[[Any], str | None]]
    """Conversion of the other columns to strings, by name. It gives None for an empty value."""


def _streams(name: str, revision: str) -> dict[str, Any]:
    """Open every split of a dataset, with the needed columns only and encoded pictures."""
    _, datasets = _libraries()
    repository, configuration = _parted(name)
    with _told(name):
        try:
            opened = datasets.load_dataset(repository, configuration, revision=revision, streaming=True)
        except (
            RuntimeError,
            ValueError,
        ) as error:  # it needs code of its own, or one of several configurations must be chosen
            raise DataError(
                f"{name} cannot be opened ({_one_line(error)}); use OWNER/NAME:CONFIGURATION or another dataset"
            ) from error
    streams = {}
    for split, stream in opened.items():
        columns = _columns(name, stream.features)
        streams[split] = stream.decode(False).select_columns([*columns.pictures, *columns.attributes])  # noqa: FBT003
    return streams


def _columns(name: str, features: Mapping[str, Any] | None) -> _Columns:
    """Return the used columns of a dataset. Raises DataError if none has pictures."""
    _, datasets = _libraries()
    features = features or {}
    pictures = tuple(column for column, feature in features.items() if isinstance(feature, datasets.Image))
    if not pictures:
        raise DataError(f"{name} has no column of pictures, only {', '.join(features) or 'none'}; use another dataset")
    attributes: dict[str, Callable[[Any], str | None]] = {}
    for column, feature in features.items():
        if isinstance(feature, datasets.ClassLabel):
            attributes[column] = partial(_class_name, feature.names)
        elif isinstance(feature, datasets.Value) and re.fullmatch(r"(large_)?string|u?int\d+|bool", feature.dtype):
            attributes[column] = _text
    return _Columns(pictures, attributes)


def _class_name(names: Sequence[str], value: int | None) -> str | None:
    return names[value] if value is not None and 0 <= value < len(names) else None  # -1: the row has no class


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)


def _chosen(name: str, split: str | None, streams: Mapping[str, Any]) -> list[str]:
    if split is not None and split not in streams:
        raise DataError(f"{name} has no split {split!r}{did_you_mean(split, streams)}")
    for known in streams:
        if not re.fullmatch(r"\w[\w.-]*", known):  # it is used in file names
            raise DataError(
                f"{name} has a split named {known!r}, which cannot be used in file names; use another dataset"
            )
    return list(streams) if split is None else [split]


def _write(
    into: Path,
    journal: _Journal,
    streams: Mapping[str, Any],
    splits: list[str],
    limit: int | None,
    progress: Progress | None,
) -> None:
    """Write the rows of the splits into the folder. The progress is recorded, however it ends."""
    journal.marks = {split: journal.marks.get(split, _Mark()) for split in streams}
    columns = {split: _columns(journal.name, streams[split].features) for split in splits}
    done = sum(journal.marks[split].rows for split in splits)
    total = _rows_in([streams[split] for split in splits], limit)
    with _Writer(into, journal, len(columns[splits[0]].pictures)) as writer:
        for split in splits:
            for _ in _take(split, streams[split], columns[split], writer, limit):
                done += 1
                if progress:
                    progress(done, total)
        writer.finish()


def _take(split: str, stream: Any, columns: _Columns, writer: _Writer, limit: int | None) -> Iterator[None]:
    """Write the remaining rows of one split. Yield after each."""
    marks = writer.journal.marks
    if _is_done(marks[split], limit):
        return
    if marks[split].state:
        stream.load_state_dict(marks[split].state)
    for contents, attributes in _rows(stream, columns, writer.journal.name):
        mark = marks[split]
        good = writer.add(split, mark.rows, contents, attributes)
        # a single assignment, so an interrupt leaves a consistent state
        marks[split] = _Mark(mark.rows + 1, mark.unreadable + (not good), stream.state_dict(), writer.end)
        if (mark.rows + 1) % SAVE_EVERY == 0:
            writer.save()
        yield
        if _is_done(marks[split], limit):
            return
    marks[split] = replace(marks[split], complete=True)


def _rows(stream: Any, columns: _Columns, name: str) -> Iterator[tuple[list[bytes | None], dict[str, str]]]:
    """Yield the encoded pictures and the attributes of each row."""
    with _told(name):
        for row in stream:
            said = {column: word(row[column]) for column, word in columns.attributes.items()}
            pictures = [_stored(row[column]) for column in columns.pictures]
            yield pictures, {column: text for column, text in said.items() if text is not None}


def _stored(value: Mapping[str, Any] | None) -> bytes | None:
    """Return the bytes of a picture, from the row or from the files of the dataset. None if the row has none."""
    import fsspec

    if not value:
        return None
    content, path = value.get("bytes"), value.get("path")
    if content or not path or not re.fullmatch(r"(zip://[^:]*::)?hf://[^:]*", path):  # never a local file
        return content
    with fsspec.open(path, "rb") as file:
        return bytes(file.read())


class _Writer:
    """Writes a folder: pictures, the growing table (metadata.jsonl.part) and the journal."""

    def __init__(self, into: Path, journal: _Journal, columns: int) -> None:
        self.into, self.journal = into, journal
        self.folders = [into] if columns == 1 else [into / chr(ord("A") + number) for number in range(columns)]
        journal.table = (self.folders[0] / TABLE).relative_to(into).as_posix()
        self.table = into / journal.table
        self.part = self.table.with_name(TABLE + ".part")

    def __enter__(self) -> _Writer:
        for folder in self.folders:
            make_folder(folder)
        self.journal.finished = False
        noted = max(mark.table_end for mark in self.journal.marks.values())
        try:
            if self.table.exists() and not self.part.exists():
                shutil.copyfile(self.table, self.part)
            self.part.touch()
            if self.part.stat().st_size < noted:
                raise OutputError(f"{self.part} is damaged; remove {self.into} and run the command again")
            self.file = self.part.open("ab", buffering=0)
            self.file.truncate(noted)  # rows that were written but not recorded come again
        except OSError as error:
            raise unwritable(self.part, error) from error
        self.end = noted
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.save()

    def add(self, split: str, number: int, contents: list[bytes | None], attributes: Mapping[str, str]) -> bool:
        """Write the pictures of a row, then its line. Return False if one of them is not a picture."""
        pictures = [self._encoded(content) for content in contents]
        stem = f"{split}-{number:06d}"
        for folder, picture in zip(self.folders, pictures, strict=True):
            if picture is None:
                return False
            with replacing(folder / (stem + picture[1])) as temporary:
                temporary.write_bytes(picture[0])
        assert pictures[0] is not None
        said = {"split": split} if as_split(split) else {"hub_split": split}
        renamed = {f"{key}_" if key in RESERVED else key: text for key, text in attributes.items()}
        self._append(json.dumps({"file_name": stem + pictures[0][1], **said, **renamed}, ensure_ascii=False) + "\n")
        return True

    def save(self) -> None:
        """Record the progress."""
        write_text(self.into / JOURNAL, json.dumps(asdict(self.journal)))

    def finish(self) -> None:
        """Give the table its final name."""
        try:
            os.fsync(self.file.fileno())
            self.part.replace(self.table)
        except OSError as error:
            raise unwritable(self.table, error) from error
        self.journal.finished = True

    def _append(self, line: str) -> None:
        try:
            self.end += self.file.write(line.encode())
        except OSError as error:
            raise unwritable(self.table, error) from error

    def _encoded(self, content: bytes | None) -> tuple[bytes, str] | None:
        """Return the bytes and suffix of a picture to save. None if it is not a picture."""
        suffix = _suffix(content or b"")
        if content is None or suffix is None or self.journal.short_side is None:
            return None if content is None or suffix is None else (content, suffix)
        scratch = self.into / ".scratch"
        try:
            scratch.write_bytes(content)
            return _shrunk(scratch, self.journal.short_side, suffix) or (content, suffix)
        except PictureError:
            return None
        except OSError as error:
            raise unwritable(scratch, error) from error
        finally:
            scratch.unlink(missing_ok=True)


def _shrunk(file: Path, short_side: int, suffix: str) -> tuple[bytes, str] | None:
    """Return a picture file shrunk to a short side, and its suffix. None if it is not larger.

    Raises PictureError if it is not a picture.
    """
    with open_picture(file) as opened:
        if min(opened.size) <= short_side:
            return None
    picture = read_picture(file, at_least=short_side)
    picture = picture.resize(scaled(picture.size, short_side), Image.Resampling.BICUBIC, reducing_gap=3.0)
    suffix = suffix if suffix in FORMATS else ".png"
    content = io.BytesIO()
    picture.save(content, FORMATS[suffix], quality=QUALITY)
    return content.getvalue(), suffix


def _suffix(content: bytes) -> str | None:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return ".webp"
    return next((suffix for magic, suffix in MAGIC.items() if content.startswith(magic)), None)


def _rows_in(streams: list[Any], limit: int | None) -> int | None:
    """Return the final number of rows, or None if the dataset does not give its number of rows."""
    total = 0
    for stream in streams:
        info = (stream.info.splits or {}).get(stream.split)
        if info is None or not info.num_examples:
            return None
        total += info.num_examples if limit is None else min(limit, info.num_examples)
    return total


def _parted(name: str) -> tuple[str, str | None]:
    """Return repository and configuration of `owner/name:configuration`."""
    repository, _, configuration = name.partition(":")
    return repository, configuration or None


def _libraries() -> tuple[ModuleType, ModuleType]:
    """Return huggingface_hub and datasets without their output. Raises DataError if they are not installed."""
    try:
        import datasets
        import huggingface_hub
    except ImportError as error:
        raise DataError(
            "datasets of the Hugging Face hub need a library that is not installed: pip install 'impasto[hub]'"
        ) from error
    datasets.disable_progress_bars()
    for library in (datasets, huggingface_hub):
        logging.getLogger(library.__name__).setLevel(logging.ERROR)
    return huggingface_hub, datasets


@contextlib.contextmanager
def _told(name: str) -> Iterator[None]:
    """Convert errors of the hub or its library into one sentence."""
    import pyarrow
    from datasets.exceptions import DatasetNotFoundError, DatasetsError
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError

    # the exception of its HTTP library, which depends on the version
    network = cast("type[Exception]", HfHubHTTPError.__mro__[1])
    try:
        yield
    except HFValidationError as error:
        raise DataError(f"{name} is not the name of a dataset; use OWNER/NAME as on huggingface.co/datasets") from error
    except (RepositoryNotFoundError, DatasetNotFoundError) as error:
        raise DataError(
            f"the Hugging Face hub does not give access to {name}; check its spelling, or request access on its page "
            "and run `hf auth login`"
        ) from error
    except (DatasetsError, FileNotFoundError, pyarrow.ArrowException) as error:
        raise DataError(f"{name} cannot be read as pictures ({_one_line(error)}); use another dataset") from error
    except (OSError, network) as error:
        raise DataError(
            f"the Hugging Face hub cannot be reached for {name} ({_one_line(error)}); run the same command again later "
            "to resume"
        ) from error


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else text[:200] + "..."
