"""A layout: a common way to arrange pictures, splits and labels on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from impasto.data.collection import Collection, Split

TEST_NAMES = frozenset({"test", "val", "valid", "validation"})
"""Names of folders and table entries for held-out pictures."""


class Layout(NamedTuple):
    """How to recognise a layout, and how to read it."""

    says: str
    """A description for the user."""
    marks: Callable[[Path], bool]
    """Returns whether a folder or file has this layout. It is fast."""
    read: Callable[[Path], Collection]
    """Lists the pictures without opening them. Raises DataError for an inconsistent collection."""


def as_split(name: str) -> Split | None:
    """Return the split for the name of a folder or table entry, or None."""
    lower = name.lower()
    return "test" if lower in TEST_NAMES else "train" if lower in ("train", "training") else None
