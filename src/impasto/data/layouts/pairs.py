"""Pairs of pictures: two folders A and B with the same names, or pictures with both halves side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path, PurePosixPath

from impasto.data.collection import Collection, Item
from impasto.data.layouts.folders import folder_items
from impasto.data.layouts.layout import Layout
from impasto.data.layouts.tables import first_named
from impasto.data.pictures import list_pictures, open_picture
from impasto.data.sources import Half, Source
from impasto.errors import DataError, PictureError

MADE = "made.json"
"""The file in which `impasto data make` records the options of a folder."""
LOOKED_AT = 32
"""Number of headers that are read to recognise pictures twice as wide as high."""


def read_paired_folders(folder: Path) -> Collection:
    """List the pairs of a folder with sub-folders A and B."""
    return paired(folder, folder / "A", folder / "B")


def paired(root: Path, sources: Path, targets: Path) -> Collection:
    """List the pairs of two folders whose pictures have the same names, apart from their suffixes.

    The split is that of A. Raises DataError if a picture of one folder has no partner in the other.
    """
    items, notes = folder_items(sources)
    partners, _ = folder_items(targets)
    by_name = {_stem(item.name): item.picture for item in partners}
    mine = {_stem(item.name): item for item in items}
    _check_partners({sources: sorted(mine.keys() - by_name.keys()), targets: sorted(by_name.keys() - mine.keys())})
    return Collection(
        root, "paired-folders", [item._replace(partner=by_name[stem]) for stem, item in mine.items()], notes
    )


def read_side_by_side(folder: Path) -> Collection:
    """List the pairs of a folder of pictures. The left half of a picture is A, the right half is B."""
    items, notes = folder_items(folder)
    return Collection(folder, "side-by-side", [_halved(item) for item in items], notes)


def _halved(item: Item) -> Item:
    whole = item.picture
    assert not isinstance(whole, Half)
    return item._replace(picture=Half(whole, "left"), partner=Half(whole, "right"))


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _check_partners(missing: Mapping[Path, Sequence[str]]) -> None:
    problems = [
        f"{len(names)} pictures of {folder} have no partner with the same name: {first_named(names)}"
        for folder, names in missing.items()
        if names
    ]
    if problems:
        raise DataError("; ".join(problems) + "; add the partners or remove the pictures")


def _is_paired_folders(path: Path) -> bool:
    return all((path / name).is_dir() and _has_pictures(path / name) for name in "AB")


def _has_pictures(folder: Path) -> bool:
    try:
        return bool(list_pictures(folder))
    except DataError:
        return False


def _is_side_by_side(path: Path) -> bool:
    """Return whether impasto made it of pairs, or all sampled pictures are exactly twice as wide as high."""
    if not path.is_dir():
        return False
    if _made_of_pairs(path / MADE):
        return True
    pictures = list_pictures(path)
    sizes = [_size(picture) for picture in islice(pictures, 0, None, max(1, len(pictures) // LOOKED_AT))]
    return len(pictures) > 1 and all(size is not None and size[0] == 2 * size[1] for size in sizes)


def _made_of_pairs(record: Path) -> bool:
    """Return whether `impasto data make --pairs` made the folder. Its pairs have any proportions."""
    try:
        said = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(said, dict) and said.get("layout") == "pairs"


def _size(picture: Source) -> tuple[int, int] | None:
    try:
        with open_picture(picture) as opened:
            return opened.size
    except PictureError:
        return None


PAIRED_FOLDERS = Layout("folders A and B with pictures of the same names", _is_paired_folders, read_paired_folders)
SIDE_BY_SIDE = Layout("pairs side by side in one picture", _is_side_by_side, read_side_by_side)
