"""What the doctor remembers of a collection, so that a second look opens only what changed.

One JSON object a line: the first says what it is, each other one describes a picture by its key (its name, and inside
an archive its place), the size and time of its file, and what was found. A line that is cut off, as after Ctrl-C or a
power cut, is left out.
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
"""Raise it whenever `examine` finds something else in the same file."""

KINDS = {field.name: str if field.name == "fault" else type(field.default) for field in fields(Record)}
"""What a record's values are."""


class Stamp(NamedTuple):
    """What changes when a file does."""

    size: int
    changed: int
    """Nanoseconds since 1970."""


Known: TypeAlias = dict[str, tuple[Stamp, Record]]
"""What is remembered, by key."""


class Notebook:
    """Remembered records, and a file to which new ones are added."""

    def __init__(self, path: Path, known: Known, file: IO[str]) -> None:
        self.path, self._known, self._file = path, known, file

    def find(self, key: str, stamp: Stamp) -> Record | None:
        """Return what is known of a picture, unless its file changed."""
        seen, record = self._known.get(key, (None, None))
        return record if seen == stamp else None

    def add(self, entries: Iterable[tuple[str, Stamp, Record]]) -> None:
        """Write down new records; raise OutputError where the disk is full."""
        try:
            self._file.writelines(_line(*entry) for entry in entries)
            self._file.flush()
        except OSError as error:
            raise _unwritable(self.path, error) from error


@contextmanager
def opened_notebook(folder: Path, keys: Iterable[str]) -> Iterator[Notebook]:
    """Open the notebook of a collection whose pictures go by these keys, forgetting pictures that are gone.

    Raises OutputError where the user's cache cannot be written.
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
    """Open the notes to add to them, having begun them anew where they say nothing, or little that still counts."""
    try:
        make_folder(path.parent)
        if is_new or is_stale:
            with replacing(path) as temporary, temporary.open("w", encoding="ascii") as file:
                file.write(json.dumps({"impasto check": VERSION, "folder": str(folder)}) + "\n")
                file.writelines(_line(key, *entry) for key, entry in wanted.items())
        file = path.open("a", encoding="ascii")
        file.write("" if is_new else "\n")  # ends what an interruption may have left unfinished
    except OSError as error:
        raise _unwritable(path, error) from error
    except OutputError as error:
        raise OutputError(f"{error} by setting IMPASTO_CACHE") from error
    return file


def _read(path: Path) -> tuple[Known, int]:
    """Return what a notebook says of each picture, the last word counting, and how many lines it has."""
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
                except (ValueError, TypeError, KeyError, AttributeError):  # no object, or not one of ours
                    continue
                known[key] = stamp, record
    except (OSError, ValueError, AttributeError):  # none yet, or not ours
        return {}, 0
    return known, count


def _line(key: str, stamp: Stamp, record: Record) -> str:
    entry: dict[str, Any] = {"key": key, "stamp": stamp}
    for field in KINDS:
        if value := getattr(record, field):
            entry[field] = base64.b64encode(value).decode() if isinstance(value, bytes) else value
    return json.dumps(entry) + "\n"


def _parsed(entry: dict[str, Any]) -> tuple[str, Stamp, Record]:
    """Return what a line says; raise some error of values, types or keys where it is not one of ours."""
    key, (size, changed) = entry.pop("key"), entry.pop("stamp")
    if "thumbnail" in entry:
        entry["thumbnail"] = base64.b64decode(entry["thumbnail"], validate=True)
    if not all(isinstance(value, KINDS[field]) for field, value in entry.items()):
        raise TypeError("a value of another kind")
    return key, Stamp(size, changed), Record(**entry)


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(f"{unwritable(path, error)} by setting IMPASTO_CACHE")
