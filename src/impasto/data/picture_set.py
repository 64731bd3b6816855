"""One domain's pictures, split into train and test, with checks that catch what would stop a run hours later."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from impasto.data.collection import Collection, Item
from impasto.data.fingerprint import Fingerprint, inspect
from impasto.data.layouts import read_collection
from impasto.errors import DataError


class PictureSet(NamedTuple):
    """What can be learned from, and what is held out."""

    train: tuple[Item, ...]
    test: tuple[Item, ...]
    fingerprint: Fingerprint
    notes: tuple[str, ...] = ()


def find_pictures(path: Path | str, max_megapixels: float, layout: str | None = None) -> PictureSet:
    """Return the pictures of a folder or archive in whichever layout it has.

    Raises DataError where it is missing, empty or in disorder, and PictureError for a file that is no picture.
    """
    return checked(read_collection(path, layout), max_megapixels)


def checked(collection: Collection, max_megapixels: float, items: Sequence[Item] | None = None) -> PictureSet:
    """Return a collection's items, or some of them, once their headers were opened."""
    items = collection.items if items is None else items
    train = tuple(item for item in items if item.split == "train")
    test = tuple(item for item in items if item.split == "test")
    if not train:
        raise DataError(
            f"{collection.root} holds no pictures for training, only for testing; change its split.csv or folders"
        )
    return PictureSet(train, test, inspect((*train, *test), max_megapixels), tuple(collection.notes))
