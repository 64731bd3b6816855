"""What a layout is: a way to arrange pictures, splits and labels that people use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from impasto.data.collection import Collection, Split

TEST_NAMES = frozenset({"test", "val", "valid", "validation"})
"""Folder names and table entries that mean held-out pictures."""


class Layout(NamedTuple):
    """How to recognise a layout, and how to read it."""

    says: str
    """What it looks like, for people."""
    marks: Callable[[Path], bool]
    """Whether a folder or file shows the signs of this layout; cheap."""
    read: Callable[[Path], Collection]
    """List the pictures without opening them; raises DataError for what cannot be right."""


def as_split(name: str) -> Split | None:
    """Return the split that a folder or table entry names, if it names one."""
    lower = name.lower()
    return "test" if lower in TEST_NAMES else "train" if lower in ("train", "training") else None
