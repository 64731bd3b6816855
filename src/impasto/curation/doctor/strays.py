"""Files of a collection's folder that are not taken for pictures, or not looked for where they are."""

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
    """A file that no picture of the collection comes from."""

    name: str
    """Relative to the collection's folder."""
    kind: Literal["unused", "misnamed", "beside"]
    """A picture by its name, a picture by its content only, or none."""


def find_strays(collection: Collection) -> list[Stray]:
    """List a folder's files that are not among its pictures, nor read for other reasons; hidden ones are left out.

    A collection inside archives or arrays has none.
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
            path = os.path.normpath(os.path.join(place, file))  # noqa: PTH118 - a Path for each of many takes seconds
            if file.startswith(".") or file in READ or file.lower() in OF_THE_SYSTEM or path in known:
                continue
            yield Stray(os.path.relpath(path, root), _kind(Path(path)))


def _kind(path: Path) -> Literal["unused", "misnamed", "beside"]:
    if path.suffix.lower() in SUFFIXES:
        return "unused"
    return "misnamed" if looks_like_a_picture(path) else "beside"
