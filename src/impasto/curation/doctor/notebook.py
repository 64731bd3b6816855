"""The doctor's notes on a collection, so a second check opens only changed pictures.

Each line is a JSON object. The first identifies the file. Each other line describes a picture: its key (its name, and
in an archive its offset), the size and time of its file, and the result. A line that is cut off by Ctrl-C or a power
failure is ignored.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeAlias

from impasto.curation.doctor.examine import Record
from impasto.errors import OutputError
from impasto.files import default_cache, make_folder, replacing, unwritable

VERSION = 1
"""Increase it when `examine` gives another result for the same file."""

KINDS = {field.name: str if field.name == "fault" else type(field.default) for field in fields(Record)}
"""The types of the values of a record."""


class Stamp(NamedTuple):
    """Values that change when a file changes."""

    size: int
    changed: int
    """Nanoseconds since 1970."""


Known: TypeAlias = dict[str, tuple[Stamp, Record]]
"""Remembered records by key."""


class Notebook:
    """Remembered records, with a file for new ones."""

    def __init__(self, path: Path, known: Known, file: IO[str]) -> None:
        self.path, self._known, self._file = path, known, file

    def find(self, key: str, stamp: Stamp) -> Record | None:
        """Return the record of a picture. None if it is unknown or its file changed."""
        seen, record = self._known.get(key, (None, None))
        return record if seen == stamp else None

    def add(self, entries: Iterable[tuple[str, Stamp, Record]]) -> None:
        """Write new records. Raises OutputError if the disk is full."""
        try:
            self._file.writelines(_line(*entry) for entry in entries)
            self._file.flush()
        except OSError as error:
            raise _unwritable(self.path, error) from error


@contextmanager
def opened_notebook(folder: Path, keys: Iterable[str]) -> Iterator[Notebook]:
    """Open the notebook of a collection with these keys. Forget pictures that no longer exist.

    Raises OutputError if the cache of the user cannot be written.
    """
    folder = folder.absolute()
    name = blake2b(os.fsencode(folder), digest_size=16).hexdigest()
    path = default_cache() / "check" / f"{name}.jsonl"
    known, lines = _read(path)
    wanted = {key: known[key] for key in keys if key in known}
    file = _opened(path, folder, wanted, is_new=not known, is_stale=lines > 2 * len(wanted))
    with file:
        yield Notebook(path, wanted, file)


def _opened(path: Path, folder: Path, wanted: Known, *, is_new: bool, is_stale: bool) -> IO[str]:
    """Open the notes for appending. Rewrite them first if they are empty or mostly outdated."""
    try:
        make_folder(path.parent)
        if is_new or is_stale:
            with replacing(path) as temporary, temporary.open("w", encoding="ascii") as file:
                file.write(json.dumps({"impasto check": VERSION, "folder": str(folder)}) + "\n")
                file.writelines(_line(key, *entry) for key, entry in wanted.items())
        file = path.open("a", encoding="ascii")
        file.write("" if is_new else "\n")  # ends a line that an interruption left incomplete
    except OSError as error:
        raise _unwritable(path, error) from error
    except OutputError as error:
        raise OutputError(f"{error} by setting IMPASTO_CACHE") from error
    return file


def _read(path: Path) -> tuple[Known, int]:
    """Return the last record of each picture in a notebook, and its number of lines."""
    known: Known = {}
    count = 0
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            if json.loads(file.readline()).get("impasto check") != VERSION:
                return {}, 0
            for line in file:
                count += 1
                try:
                    key, stamp, record = _parsed(json.loads(line))
                except (ValueError, TypeError, KeyError, AttributeError):  # not an object, or not in our format
                    continue
                known[key] = stamp, record
    except (OSError, ValueError, AttributeError):  # missing, or not in our format
        return {}, 0
    return known, count


def _line(key: str, stamp: Stamp, record: Record) -> str:
    entry: dict[str, Any] = {"key": key, "stamp": stamp}
    for field in KINDS:
        if value := getattr(record, field):
            entry[field] = base64.b64encode(value).decode() if isinstance(value, bytes) else value
    return json.dumps(entry) + "\n"


def _parsed(entry: dict[str, Any]) -> tuple[str, Stamp, Record]:
    """Return the contents of a line. Raises ValueError, TypeError or KeyError for another format."""
    key, (size, changed) = entry.pop("key"), entry.pop("stamp")
    if "thumbnail" in entry:
        entry["thumbnail"] = base64.b64decode(entry["thumbnail"], validate=True)
    if not all(isinstance(value, KINDS[field]) for field, value in entry.items()):
        raise TypeError("a value of another kind")
    return key, Stamp(size, changed), Record(**entry)


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(f"{unwritable(path, error)} by setting IMPASTO_CACHE")
