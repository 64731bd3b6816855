"""A collection by name: fetched, unpacked, and noted where it came from."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from impasto.curation.archives import Limits, extract
from impasto.curation.catalogue import Download, Entry, find
from impasto.download import Patience, announced_size, fetch, remember
from impasto.errors import DataError, OutputError
from impasto.files import write_text

Progress = Callable[[str, int, int | None], None]
"""Told what goes on, and how far of how much: bytes, or rows of a dataset of the hub."""

NOTE = ".source.json"
"""What a fetched folder says of itself; hidden, so that no layout takes it for part of the collection."""
EXPANSION = 20
"""An archive of pictures becomes at most this many times as large,"""
LEAST_EXPANDED = 1_000_000_000
"""or this many bytes."""


@dataclass(frozen=True)
class Wishes:
    """What to take of a dataset of the hub; the others come whole."""

    split: str | None = None
    limit: int | None = None
    """Rows of each split."""
    short_side: int | None = None
    """Pixels to which larger pictures are shrunk."""


@dataclass(frozen=True)
class Facts:
    """What to know before fetching."""

    entry: Entry
    licence: str
    size: int | None
    """Bytes to fetch; None where nobody says."""


@dataclass(frozen=True)
class Got:
    """What is there now."""

    folder: Path
    was_there: bool = False
    """Nothing had to be fetched."""
    pictures: int | None = None
    """Known of datasets of the hub."""
    unreadable: int = 0
    """Pictures of the hub that could not be taken."""


def default_folder(entry: Entry) -> Path:
    """Return where a collection goes unless told otherwise: `datasets/NAME`."""
    return Path("datasets") / entry.name.rpartition("/")[2].replace(":", "-")


def is_there(entry: Entry, into: Path) -> bool:
    """Tell whether a folder holds this collection whole, as `get` noted."""
    try:
        note = json.loads((into / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(note, dict) and note.get("name") == entry.name


def look_up(name: str) -> Facts:
    """Return what the catalogue and, where that is silent, the publisher's server say of a collection.

    Raises DataError for unknown names, and for collections that can only be had by hand.
    """
    entry = find(name)
    _check_not_by_hand(entry)
    if entry.hub:
        from impasto.curation.hub import hub_facts

        facts = hub_facts(entry.name)
        return Facts(entry, facts.licence or entry.licence, facts.size)
    sizes = [file.size or announced_size(file.urls) or file.rough_size for file in entry.files]
    return Facts(entry, entry.licence, sum(size or 0 for size in sizes) if all(sizes) else None)


def get(
    entry: Entry,
    into: Path,
    *,
    wishes: Wishes | None = None,
    keep_archive: bool = False,
    progress: Progress | None = None,
    patience: Patience | None = None,
) -> Got:
    """Fetch a collection into the folder `into`, going on where an earlier call stopped.

    An archive lies beside the folder until it is unpacked, and stays with `keep_archive`.

    Raises DataError when it cannot be had, OutputError when `into` holds something else or cannot be written.
    """
    wishes, told = wishes or Wishes(), progress or (lambda *_: None)
    _check_not_by_hand(entry)
    if entry.hub:
        return _get_from_hub(entry, into, wishes, told)
    if wishes != Wishes():
        raise DataError(f"{entry.name} comes whole; a split, a limit or a short side is for datasets of the hub")
    if is_there(entry, into):
        return Got(into, was_there=True)
    if entry.packed:
        _get_archive(entry, into, told, patience, keep=keep_archive)
    else:
        for file in entry.files:
            _fetch(file, into / file.name, told, patience)
    note = {
        key: value for key, value in asdict(entry).items() if key in ("name", "source", "licence", "rights", "citation")
    }
    write_text(into / NOTE, json.dumps(note | {"files": [file.urls[0] for file in entry.files]}, indent=2) + "\n")
    return Got(into)


def _check_not_by_hand(entry: Entry) -> None:
    if entry.by_hand:
        raise DataError(f"{entry.name} cannot be fetched: {entry.by_hand}")


def _get_archive(entry: Entry, into: Path, told: Progress, patience: Patience | None, *, keep: bool) -> None:
    if into.exists() and not (into.is_dir() and not any(into.iterdir())):
        raise OutputError(f"{into} exists; remove it or choose another folder")  # before anything is fetched
    (file,) = entry.files
    archive = _fetch(file, into.parent / file.name, told, patience)
    limits = Limits(bytes=max(EXPANSION * archive.stat().st_size, LEAST_EXPANDED))
    extract(archive, into, limits=limits, unwrap=True, progress=partial(told, f"unpacking {archive.name}"))
    if file.digest is None:
        remember(archive)  # not before it has proved good
    if not keep:
        archive.unlink()


def _fetch(file: Download, target: Path, told: Progress, patience: Patience | None) -> Path:
    progress = partial(told, f"fetching {file.name}")
    return fetch(file.urls, target, size=file.size, digest=file.digest, progress=progress, patience=patience)


def _get_from_hub(entry: Entry, into: Path, wishes: Wishes, told: Progress) -> Got:
    from impasto.curation.hub import hub_to_folder

    came = 0

    def count(done: int, total: int | None) -> None:
        nonlocal came
        came += 1
        told("taking pictures", done, total)

    outcome = hub_to_folder(entry.name, into, **asdict(wishes), progress=count)
    return Got(into, came == 0, outcome.pictures, outcome.unreadable)
