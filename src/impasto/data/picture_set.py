"""The pictures of one domain, split into train and test, with checks for what would stop a run hours later."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from impasto.data.collection import Collection, Item
from impasto.data.fingerprint import Fingerprint, inspect
from impasto.data.layouts import read_collection
from impasto.errors import DataError


class PictureSet(NamedTuple):
    """Training pictures and held-out pictures."""

    train: tuple[Item, ...]
    test: tuple[Item, ...]
    fingerprint: Fingerprint
    notes: tuple[str, ...] = ()


def find_pictures(path: Path | str, max_megapixels: float, layout: str | None = None) -> PictureSet:
    """Return the pictures of a folder or archive in any layout.

    Raises DataError if it is missing, empty or inconsistent, and PictureError for a file that is not a picture.
    """
    return checked(read_collection(path, layout), max_megapixels)


def checked(collection: Collection, max_megapixels: float, items: Sequence[Item] | None = None) -> PictureSet:
    """Open the headers of the items of a collection, or of `items`, and return them by split."""
    items = collection.items if items is None else items
    train = tuple(item for item in items if item.split == "train")
    test = tuple(item for item in items if item.split == "test")
    if not train:
        raise DataError(
            f"{collection.root} has test pictures but no training pictures; change its split.csv or folders"
        )
    return PictureSet(train, test, inspect((*train, *test), max_megapixels), tuple(collection.notes))
