"""The WikiArt lists of cs-chan/ArtGAN beside a WikiArt folder.

`style_class.txt`, `genre_class.txt` and `artist_class.txt` (with or without .txt) number the classes.
`genre_train.csv`, `genre_val.csv` and so on have lines `Style_folder/file.jpg,number`. The pictures are in the folder
of the lists or in its sub-folder `wikiart`. A picture in any list `val` is held out.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from impasto.data.collection import Collection, Item, Split
from impasto.data.layouts.layout import Layout
from impasto.data.layouts.tables import first_named
from impasto.errors import DataError

ATTRIBUTES = ("style", "genre", "artist")


def read_wikiart(folder: Path) -> Collection:
    """List the pictures of the lists that exist. Raises DataError if none exists."""
    labels: dict[str, dict[str, str]] = {}
    held_out: set[str] = set()
    for attribute in ATTRIBUTES:
        classes = _classes(folder, attribute)
        for split, table in _lists(folder, attribute):
            for name, number in _lines(table):
                if number not in classes:
                    raise DataError(
                        f"{table} gives {name} the class {number}, which is not in {attribute}_class; copy both again"
                    )
                labels.setdefault(name, {})[attribute] = classes[number]
                if split == "test":
                    held_out.add(name)
    pictures = _pictures_folder(folder)
    there = _files(pictures)
    absent = sorted(name for name in labels if name not in there)
    if len(absent) == len(labels):
        raise DataError(
            f"{folder} has WikiArt lists of {len(labels):,} pictures, but none of the pictures "
            f"({first_named(absent)}); copy the WikiArt folders, one for each style, beside the lists"
        )
    items = [
        Item(pictures / name, name, "test" if name in held_out else "train", labels[name])
        for name in sorted(labels)
        if name in there
    ]
    notes = [f"{len(absent):,} pictures of the lists are missing: {first_named(absent)}"] if absent else []
    return Collection(folder, "wikiart", items, notes)


def _lists(folder: Path, attribute: str) -> Iterator[tuple[Split, Path]]:
    endings: dict[str, Split] = {"train": "train", "val": "test"}
    for ending, split in endings.items():
        table = folder / f"{attribute}_{ending}.csv"
        if table.is_file():
            yield split, table


def _lines(table: Path) -> Iterator[tuple[str, int]]:
    try:
        with table.open(newline="", encoding="utf-8") as file:
            for row in csv.reader(file):
                if row:
                    yield row[0], int(row[1])
    except (OSError, UnicodeDecodeError, csv.Error, ValueError, IndexError) as error:
        raise DataError(f"{table} is not a list of pictures and class numbers ({error}); copy it again") from error


def _classes(folder: Path, attribute: str) -> dict[int, str]:
    table = _class_file(folder, attribute)
    if table is None:
        return {}
    try:
        lines = [line.split(maxsplit=1) for line in table.read_text(encoding="utf-8").splitlines() if line.strip()]
        return {int(number): name.strip() for number, name in lines}
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise DataError(f"{table} is not a list of class numbers and names ({error}); copy it again") from error


def _class_file(folder: Path, attribute: str) -> Path | None:
    names = (f"{attribute}_class", f"{attribute}_class.txt")
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _pictures_folder(folder: Path) -> Path:
    return folder / "wikiart" if (folder / "wikiart").is_dir() else folder


def _files(folder: Path) -> set[str]:
    return {f"{child.name}/{file.name}" for child in folder.iterdir() if child.is_dir() for file in child.iterdir()}


def _is_wikiart(path: Path) -> bool:
    return any(_class_file(path, attribute) is not None and any(_lists(path, attribute)) for attribute in ATTRIBUTES)


WIKIART = Layout("the WikiArt lists of cs-chan/ArtGAN with a WikiArt folder", _is_wikiart, read_wikiart)
