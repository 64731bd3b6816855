"""Files in the folder of a collection that are not read: other files, and pictures in unexpected places."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from impasto.curation.doctor.examine import looks_like_a_picture
from impasto.curation.doctor.survey import list_subjects
from impasto.data.collection import Collection
from impasto.data.layouts.tables import METADATA
from impasto.data.layouts.wikiart import ATTRIBUTES
from impasto.data.pictures import SUFFIXES

READ = frozenset(
    {"split.csv", "labels.csv", *METADATA}
    | {f"{attribute}_class{ending}" for attribute in ATTRIBUTES for ending in ("", ".txt")}
    | {f"{attribute}_{part}.csv" for attribute in ATTRIBUTES for part in ("train", "val")}
)
"""Tables that layouts read."""
OF_THE_SYSTEM = frozenset({"thumbs.db", "desktop.ini"})


class Stray(NamedTuple):
    """A file that is not part of the collection."""

    name: str
    """Relative to the folder of the collection."""
    kind: Literal["unused", "misnamed", "beside"]
    """A picture by its suffix, a picture by its content only, or another file."""


def find_strays(collection: Collection) -> list[Stray]:
    """List the files of a folder that are neither its pictures nor tables, without hidden files.

    Empty for a collection inside archives or arrays.
    """
    stored = [subject.stored for subject in list_subjects(collection)]
    if not all(isinstance(source, Path) for source in stored):
        return []
    known = {os.path.normpath(str(source)) for source in stored}
    return sorted(_strays(str(collection.root), known))


def _strays(root: str, known: set[str]) -> Iterator[Stray]:
    for place, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for file in files:
            path = os.path.normpath(os.path.join(place, file))  # noqa: PTH118 - a Path object for each file would take seconds
            if file.startswith(".") or file in READ or file.lower() in OF_THE_SYSTEM or path in known:
                continue
            yield Stray(os.path.relpath(path, root), _kind(Path(path)))


def _kind(path: Path) -> Literal["unused", "misnamed", "beside"]:
    if path.suffix.lower() in SUFFIXES:
        return "unused"
    return "misnamed" if looks_like_a_picture(path) else "beside"
