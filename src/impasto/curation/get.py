"""Downloads a collection by name, unpacks it, and records its source."""

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
"""Called with (activity, done, total): bytes, or rows of a dataset of the hub."""

NOTE = ".source.json"
"""The record of a downloaded folder. It is hidden, so no layout reads it as part of the collection."""
EXPANSION = 20
"""Limit of the unpacked size: this many times the size of the archive,"""
LEAST_EXPANDED = 1_000_000_000
"""or this many bytes, whichever is larger."""


@dataclass(frozen=True)
class HubOptions:
    """What to download of a dataset of the hub. Other collections are downloaded whole."""

    split: str | None = None
    limit: int | None = None
    """Rows of each split."""
    short_side: int | None = None
    """Short side, pixels, to which larger pictures are shrunk."""


@dataclass(frozen=True)
class Facts:
    """Licence and size of a collection, before downloading."""

    entry: Entry
    licence: str
    size: int | None
    """Bytes to download. None if unknown."""


@dataclass(frozen=True)
class Got:
    """The result of `get`."""

    folder: Path
    was_there: bool = False
    """Whether everything was there before."""
    pictures: int | None = None
    """Number of pictures, for datasets of the hub."""
    unreadable: int = 0
    """Number of pictures of the hub that could not be read."""


def default_folder(entry: Entry) -> Path:
    """Return the default folder of a collection: `datasets/NAME`."""
    return Path("datasets") / entry.name.rpartition("/")[2].replace(":", "-")


def is_there(entry: Entry, into: Path) -> bool:
    """Return whether a folder holds this complete collection, by the record of `get`."""
    try:
        note = json.loads((into / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(note, dict) and note.get("name") == entry.name


def look_up(name: str) -> Facts:
    """Return the facts of a collection from the catalogue or, if they are missing there, from the server.

    Raises DataError for unknown names, and for collections that must be downloaded by hand.
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
    options: HubOptions | None = None,
    keep_archive: bool = False,
    progress: Progress | None = None,
    patience: Patience | None = None,
) -> Got:
    """Download a collection into the folder `into`. It resumes where an earlier call stopped.

    An archive is kept beside the folder until it is unpacked; with `keep_archive` it stays.

    Raises DataError if it cannot be downloaded, OutputError if `into` holds something else or cannot be written.
    """
    options, told = options or HubOptions(), progress or (lambda *_: None)
    _check_not_by_hand(entry)
    if entry.hub:
        return _get_from_hub(entry, into, options, told)
    if options != HubOptions():
        raise DataError(f"{entry.name} is downloaded whole; split, limit and short side are for datasets of the hub")
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
        raise DataError(f"{entry.name} cannot be downloaded: {entry.by_hand}")


def _get_archive(entry: Entry, into: Path, told: Progress, patience: Patience | None, *, keep: bool) -> None:
    if into.exists() and not (into.is_dir() and not any(into.iterdir())):
        raise OutputError(f"{into} exists; remove it or choose another folder")  # before anything is downloaded
    (file,) = entry.files
    archive = _fetch(file, into.parent / file.name, told, patience)
    limits = Limits(bytes=max(EXPANSION * archive.stat().st_size, LEAST_EXPANDED))
    extract(archive, into, limits=limits, unwrap=True, progress=partial(told, f"unpacking {archive.name}"))
    if file.digest is None:
        remember(archive)  # only after it could be unpacked
    if not keep:
        archive.unlink()


def _fetch(file: Download, target: Path, told: Progress, patience: Patience | None) -> Path:
    progress = partial(told, f"fetching {file.name}")
    return fetch(file.urls, target, size=file.size, digest=file.digest, progress=progress, patience=patience)


def _get_from_hub(entry: Entry, into: Path, options: HubOptions, told: Progress) -> Got:
    from impasto.curation.hub import hub_to_folder

    came = 0

    def count(done: int, total: int | None) -> None:
        nonlocal came
        came += 1
        told("downloading pictures", done, total)

    outcome = hub_to_folder(entry.name, into, **asdict(options), progress=count)
    return Got(into, came == 0, outcome.pictures, outcome.unreadable)
