"""Tables beside pictures: split.csv, labels.csv, and Hugging Face's metadata.jsonl or metadata.csv.

Each row names a picture, relative to the folder of the table or, except for metadata, to its parent folder. It gives
the split or labels of the picture. An empty label is ignored.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from impasto.data.collection import Item, Split
from impasto.data.layouts.layout import as_split
from impasto.errors import DataError

PATH_COLUMNS = ("path", "file_name", "filename", "file", "image")
ABSENT_NAMED = 5
METADATA = ("metadata.jsonl", "metadata.csv")


@dataclass
class Table:
    """The entries of the tables beside a folder, by absolute path of the picture."""

    splits: dict[str, Split] = field(default_factory=dict)
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def applied(self, folder: Path, items: Iterable[Item]) -> list[Item]:
        """Return the items of a folder with the splits and labels of the tables."""
        base = os.path.abspath(folder)  # noqa: PTH100 - resolving 50,000 links takes seconds
        applied = []
        for item in items:
            key = _key(base, item.name)
            labels = self.labels.get(key)
            merged = {**item.labels, **labels} if labels else item.labels
            applied.append(item._replace(split=self.splits.get(key, item.split), labels=merged))
        return applied


def read_tables(folder: Path, names: Sequence[str]) -> Table:
    """Read the tables with entries for the pictures of a folder. `names` are relative to the folder.

    Tables are in the folder, in its split folders (metadata only) or up to two folders above it.

    Raises DataError for a damaged table, for one that names none of its pictures, and for a folder with both labels.csv
    and metadata.
    """
    table = Table()
    pictures = {_key(os.path.abspath(folder), name) for name in names}  # noqa: PTH100
    labels = _nearest(folder, ("labels.csv",), pictures)
    metadata = [path for place in (folder, *_split_folders(folder)) for path in _present(place, METADATA)]
    if labels and metadata:
        raise DataError(f"{folder} has both {labels.name} and {metadata[0].name}; remove or rename one of them")
    splits = _nearest(folder, ("split.csv",), pictures)
    for path in (splits, labels, *metadata):
        if path is not None:
            _add(table, path, folder, pictures)
    return table


def _nearest(folder: Path, names: Sequence[str], pictures: set[str]) -> Path | None:
    """Return the nearest table of these names in the folder, or up to two folders above if it lists its pictures."""
    for above in (folder, *list(folder.absolute().parents)[:2]):
        for path in _present(above, names):
            if above == folder:
                return path
            if _has_columns(path) and any(pictures.intersection(_keys(path, name)) for name, _, _ in _rows(path)):
                return path
    return None


def _present(place: Path, names: Sequence[str]) -> list[Path]:
    return [place / name for name in names if (place / name).is_file()]


def _split_folders(folder: Path) -> list[Path]:
    return sorted(child for child in folder.iterdir() if child.is_dir() and as_split(child.name))


def _add(table: Table, path: Path, folder: Path, pictures: set[str]) -> None:
    """Add the rows of one file. Count the rows with pictures that are not in the folder."""
    _check_columns(path)
    inside = os.path.abspath(folder) + os.sep  # noqa: PTH100
    absent: list[str] = []
    found = 0
    for name, split, labels in _rows(path):
        keys = _keys(path, name)
        key = next((key for key in keys if key in pictures), None)
        if key is None:
            if path.parent == folder or any(key.startswith(inside) for key in keys):
                absent.append(name)
            continue
        found += 1
        if split is not None:
            table.splits[key] = split
        if labels:
            table.labels.setdefault(key, {}).update(labels)
    if absent and not found:
        raise DataError(
            f"{path} names {len(absent)} pictures, and all are missing ({first_named(absent)}); its paths must be "
            "relative to its own folder"
        )
    if absent:
        table.notes.append(f"{path} names {len(absent)} missing pictures: {first_named(absent)}")


def first_named(names: Sequence[str]) -> str:
    """Return the first few names, for a message."""
    return ", ".join(names[:ABSENT_NAMED]) + (", …" if len(names) > ABSENT_NAMED else "")


def _key(base: str, name: str) -> str:
    return os.path.normpath(os.path.join(base, name))  # noqa: PTH118


def _keys(table: Path, name: str) -> list[str]:
    bases = (table.parent,) if table.name in METADATA else (table.parent, table.parent.parent)
    return [_key(os.path.abspath(base), name) for base in bases]  # noqa: PTH100


def _columns(path: Path) -> list[str]:
    """Return the column names of a table. Raises DataError if it cannot be read."""
    if path.suffix == ".jsonl":
        return list(dict.fromkeys(key for _, row in _json_lines(path) for key in row))
    with _reading(path), path.open(newline="", encoding="utf-8-sig") as file:
        return [column.strip() for column in next(csv.reader(file), [])]


def _has_columns(path: Path) -> bool:
    """Return whether a table above the folder has the expected columns, and is not an unrelated file of that name."""
    try:
        return _wanted(path) <= len(set(_columns(path)) & {*PATH_COLUMNS, "split"})
    except DataError:
        return False


def _wanted(path: Path) -> int:
    return 2 if path.name == "split.csv" else 1


def _check_columns(path: Path) -> None:
    columns = _columns(path)
    named = ", ".join(columns) or "none"
    if not set(columns) & set(PATH_COLUMNS):
        needs = "path and split" if path.name == "split.csv" else PATH_COLUMNS[1 if path.name in METADATA else 0]
        raise DataError(f"{path} needs the column{'s' * (' and ' in needs)} {needs}; it has {named}")
    if path.name == "split.csv" and "split" not in columns:
        raise DataError(f"{path} needs the columns path and split; it has {named}")


def _rows(path: Path) -> Iterator[tuple[str, Split | None, dict[str, str]]]:
    """Yield picture, split (if given) and labels of each row."""
    lines = _json_lines(path) if path.suffix == ".jsonl" else _csv_lines(path)
    needs_split = path.name == "split.csv"
    for number, row in lines:
        column = next((column for column in PATH_COLUMNS if row.get(column)), None)
        if column is None:
            raise DataError(f"{path}, line {number}: names no picture; add one or remove the line")
        said = row.get("split") or None
        split = as_split(said) if said else None
        if (needs_split and said is None) or (said is not None and split is None):
            raise DataError(f"{path}, line {number}: split is {said!r}; it must be train or test")
        labels = {key: value for key, value in row.items() if value and key not in (column, "split")}
        yield row[column], split, labels


def _csv_lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    with _reading(path), path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, skipinitialspace=True)
        reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
        for row in reader:
            yield reader.line_num, {key: value.strip() for key, value in row.items() if key and value}


def _json_lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    with _reading(path), path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise DataError(f"{path}, line {number}: is not JSON ({error}); fix or remove it") from error
            if not isinstance(row, dict):
                raise DataError(f'{path}, line {number}: is not an object such as {{"file_name": "a.jpg"}}; fix it')
            yield number, _texts(row)


def _texts(row: Mapping[str, Any]) -> dict[str, str]:
    """Return the values that can be labels: strings and integers."""
    return {key: str(value) for key, value in row.items() if isinstance(value, str | int) and value != ""}


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Convert errors of reading a table into one sentence."""
    try:
        yield
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a table in UTF-8 ({error}); fix or remove it") from error
