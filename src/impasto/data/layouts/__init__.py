"""The table of layouts, and the function that recognises one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from impasto.data.collection import Collection
from impasto.data.layouts.arrays import CIFAR10, MNIST, PICKLED_CIFAR10
from impasto.data.layouts.domains import GAN_GETTING_STARTED, TWO_DOMAINS
from impasto.data.layouts.folders import CLASS_FOLDERS, PLAIN
from impasto.data.layouts.layout import Layout
from impasto.data.layouts.pairs import PAIRED_FOLDERS, SIDE_BY_SIDE
from impasto.data.layouts.shards import SHARDS, read_remote_shards
from impasto.data.layouts.wikiart import WIKIART
from impasto.data.layouts.zips import ZIP
from impasto.data.pictures import list_pictures
from impasto.errors import DataError, did_you_mean

MARKED: Mapping[str, Layout] = {
    "shards": SHARDS,
    "mnist": MNIST,
    "cifar-10": CIFAR10,
    "cifar-10-python": PICKLED_CIFAR10,
    "wikiart": WIKIART,
    "gan-getting-started": GAN_GETTING_STARTED,
    "two-domains": TWO_DOMAINS,
    "paired-folders": PAIRED_FOLDERS,
    "zip": ZIP,
}
"""Layouts with special files or folders. A folder that matches two of them is ambiguous."""

SHAPED: Mapping[str, Layout] = {"side-by-side": SIDE_BY_SIDE, "class-folders": CLASS_FOLDERS, "plain": PLAIN}
"""Layouts that consist of pictures only, the most specific first."""

LAYOUTS: Mapping[str, Layout] = {**MARKED, **SHAPED}


def recognise(path: Path) -> str:
    """Return the layout of a folder or archive.

    Raises DataError if it is missing, holds no pictures, or matches two layouts.
    """
    if path.is_file() and not ZIP.marks(path):
        raise DataError(f"{path} is not a folder or a zip; name the folder that holds the pictures")
    marked = [name for name, layout in MARKED.items() if layout.marks(path)]
    if len(marked) > 1:
        found = " and ".join(f"{name} ({MARKED[name].says})" for name in marked)
        raise DataError(
            f"{path} looks like two layouts: {found}; choose one with data.layout or --layout, or separate them"
        )
    if marked:
        return marked[0]
    list_pictures(path)  # raises a clear error for a folder without pictures
    return next(name for name, layout in SHAPED.items() if layout.marks(path))


def read_collection(path: Path | str, layout: str | None = None) -> Collection:
    """List the pictures of a folder, an archive or a URL, with splits and labels.

    The layout is the given one or is recognised. At a URL it is always shards.

    Nothing is decoded. Raises DataError for a collection that cannot be used.
    """
    if layout is not None and layout not in LAYOUTS:
        raise DataError(f"there is no layout {layout!r}{did_you_mean(layout, LAYOUTS)}")
    if isinstance(path, str):
        return read_remote_shards(path)
    collection = LAYOUTS[layout or recognise(path)].read(path)
    if not collection.items:
        raise DataError(f"{path} holds no pictures in the layout {collection.layout}; check the folder")
    return collection
