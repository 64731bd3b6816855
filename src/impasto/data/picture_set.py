"""A list of picture files split into train and test, with checks that catch what would stop a run hours later."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from impasto.data.pictures import list_pictures, open_picture
from impasto.errors import DataError


class PictureSet(NamedTuple):
    """One domain's files."""

    train: tuple[Path, ...]
    test: tuple[Path, ...]


def find_pictures(folder: Path, max_megapixels: float) -> PictureSet:
    """Return a folder's pictures, split by whichever of these is there, else all for training.

    - a `split.csv` (columns path, split) in the folder or up to two folders above it, with paths relative to its own
      folder or to that folder's parent; pictures it does not list are for training;
    - sub-folders `train` and `test`;
    - for a folder `trainX`, its sibling `testX`.

    Raises DataError for a missing or empty folder, a split.csv without those columns, or a file that is no picture.
    """
    found = _split(folder, list_pictures(folder))
    if not found.train:
        raise DataError(f"{folder} holds no pictures for training, only for testing; change its split.csv or folders")
    check_headers((*found.train, *found.test), max_megapixels)
    return found


def check_headers(pictures: Sequence[Path], max_megapixels: float) -> None:
    """Open every header; raise PictureError for the first that is no picture or too large."""
    with ThreadPoolExecutor(max_workers=8, thread_name_prefix="impasto-headers") as pool:
        for _ in pool.map(lambda path: open_picture(path, max_megapixels).close(), pictures):
            pass


def _split(folder: Path, pictures: list[Path]) -> PictureSet:
    for above in (folder, *list(folder.absolute().parents)[:2]):
        table = above / "split.csv"
        if table.is_file() and (above == folder or _has_columns(table)):
            listed = read_split(table)
            splits = [listed.get(picture.resolve()) for picture in pictures]
            if any(splits):
                return _divided(pictures, ["train" if split is None else split for split in splits])
    if (folder / "train").is_dir() and (folder / "test").is_dir():
        return _divided(pictures, [picture.relative_to(folder).parts[0] for picture in pictures])
    sibling = folder.with_name("test" + folder.name.removeprefix("train"))
    if folder.name.startswith("train") and sibling.is_dir():
        return PictureSet(tuple(pictures), tuple(list_pictures(sibling)))
    return PictureSet(tuple(pictures), ())


def _divided(pictures: Sequence[Path], splits: Sequence[str]) -> PictureSet:
    pairs = list(zip(pictures, splits, strict=True))
    return PictureSet(
        tuple(path for path, split in pairs if split == "train"),
        tuple(path for path, split in pairs if split == "test"),
    )


def read_split(table: Path) -> dict[Path, str]:
    """Read a split.csv into {absolute picture path: split}.

    Raises DataError when its columns are missing or a row's split is neither train nor test.
    """
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            columns, lines = rows.fieldnames or [], list(rows)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table} cannot be read as a table in UTF-8 ({error}); mend or remove it") from error
    if "path" not in columns or "split" not in columns:
        raise DataError(f"{table} needs the columns path and split; it has {', '.join(columns) or 'none'}")
    splits = {}
    for number, row in enumerate(lines, start=2):
        if not row["path"] or row["split"] not in ("train", "test"):
            raise DataError(f"{table}, line {number}: split is {row['split']!r}; a path and train or test are needed")
        for base in (table.parent, table.parent.parent):
            splits[(base / row["path"]).resolve()] = row["split"]
    return splits


def _has_columns(table: Path) -> bool:
    """Say whether a split.csv above the folder is one of ours and not somebody else's of that name."""
    try:
        with table.open(encoding="utf-8-sig") as file:
            return {"path", "split"} <= set(file.readline().strip().split(","))
    except (OSError, UnicodeDecodeError):
        return False
