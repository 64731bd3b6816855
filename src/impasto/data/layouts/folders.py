"""Folders of picture files, with or without a sub-folder for each class, with or without train and test folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from impasto.data.collection import Collection, Item
from impasto.data.layouts.layout import Layout, as_split
from impasto.data.layouts.tables import read_tables
from impasto.data.pictures import picture_names


def read_plain(folder: Path) -> Collection:
    """List the pictures of a folder, with the entries of split.csv, labels.csv and metadata.jsonl."""
    items, notes = folder_items(folder)
    return Collection(folder, "plain", items, notes)


def read_classes(folder: Path) -> Collection:
    """List a folder with a sub-folder for each class. The attribute is `class`."""
    items, notes = folder_items(folder)
    splits = _has_split_folders([item.name for item in items])
    named = []
    for item in items:
        parts = class_parts(item.name, splits=splits)
        label = {"class": parts[0]} if len(parts) > 1 else {}
        named.append(item._replace(labels={**label, **item.labels}))
    loose = sum("class" not in item.labels for item in named)
    if loose:
        notes = [*notes, f"{loose} pictures are outside of the class folders and have no class"]
    return Collection(folder, "class-folders", named, notes)


def folder_items(folder: Path, within: Path | None = None) -> tuple[list[Item], list[str]]:
    """Return the items of a folder of picture files, and the notes of the tables beside it.

    The split comes from a table, from sub-folders train and test (or val), or for a folder `trainX` from its sibling
    `testX`. Default: all pictures are for training. Names are relative to `within`, or to the folder.

    Raises DataError if there is no picture or a table is damaged.
    """
    items = _listed(folder)
    sibling = folder.with_name("test" + folder.name.removeprefix("train"))
    table = read_tables(folder, [item.name for item in items])
    items = table.applied(folder, items)
    if folder.name.startswith("train") and sibling.is_dir() and not table.splits:
        tests = [item._replace(split="test", name=f"../{sibling.name}/{item.name}") for item in _listed(sibling)]
        other = read_tables(sibling, [item.name.removeprefix(f"../{sibling.name}/") for item in tests])
        items += other.applied(folder, tests)
        table.notes += other.notes
    if within is not None:
        prefix = folder.relative_to(within).as_posix()
        items = [item._replace(name=str(PurePosixPath(prefix, item.name))) for item in items]
    return items, table.notes


def _listed(folder: Path) -> list[Item]:
    names = picture_names(folder)
    splits = _has_split_folders(names)
    return [
        Item(folder / name, name, (as_split(name.split("/")[0]) or "train") if splits else "train") for name in names
    ]


def _has_split_folders(names: Sequence[str]) -> bool:
    """Return whether all pictures are in folders train and test. A folder test alone can be a class."""
    tops = {name.split("/")[0] for name in names if "/" in name}
    return {as_split(top) for top in tops} == {"train", "test"} and all("/" in name for name in names)


def class_parts(name: str, *, splits: bool) -> list[str]:
    """Return the folders and the file of a name, without the folder of the split."""
    parts = name.split("/")
    if parts[0] == "..":  # the sibling testX of a folder trainX
        return parts[2:]
    return parts[1:] if splits else parts


def _is_class_folders(path: Path) -> bool:
    """Return whether all pictures are in sub-folders, at least two of them."""
    if not path.is_dir():
        return False
    names = picture_names(path)
    splits = _has_split_folders(names)
    inner = [class_parts(name, splits=splits) for name in names]
    return all(len(parts) > 1 for parts in inner) and len({parts[0] for parts in inner}) > 1


PLAIN = Layout("pictures in a folder and its sub-folders", Path.is_dir, read_plain)
CLASS_FOLDERS = Layout("a sub-folder for each class", _is_class_folders, read_classes)
