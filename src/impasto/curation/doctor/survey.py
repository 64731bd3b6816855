"""Examines every stored picture of a collection in threads. Unchanged pictures of an earlier check are skipped."""

from __future__ import annotations

import functools
import os
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from impasto.curation.doctor.examine import Record, Stored, examine
from impasto.curation.doctor.notebook import Notebook, Stamp, opened_notebook
from impasto.data.collection import Collection, Item
from impasto.data.sources import Half, Source

Progress = Callable[[str, int, int], None]
"""Called with (`examined` or `compared`, pictures done, all pictures)."""

TOGETHER = 32
"""Pictures in a task of a thread. Tiny pictures take less time than a task of their own."""
MOST_THREADS = 8
"""More threads would wait for Python's lock, which Pillow releases only while it decodes."""


class Subject(NamedTuple):
    """One stored picture: that of an item, its partner, or a picture with both halves of a pair."""

    stored: Stored
    name: str
    """Its path relative to the folder of the collection, or its name inside an archive."""
    item: int
    """Index of its item in the collection."""


@dataclass(frozen=True)
class Survey:
    """All pictures of a collection with their records."""

    collection: Collection
    subjects: Sequence[Subject]
    records: Sequence[Record]
    """One for each subject."""
    opened: int
    """Number of pictures that were examined now, not remembered."""

    @property
    def root(self) -> Path:
        """The folder or archive of the collection, on this machine."""
        return Path(self.collection.root)

    def item_of(self, subject: int) -> Item:
        """Return the item of a stored picture, by the index of the picture."""
        return self.collection.items[self.subjects[subject].item]


def survey(
    collection: Collection, max_megapixels: float, workers: int | None = None, progress: Progress | None = None
) -> Survey:
    """Examine the pictures of a collection with `workers` threads. Default: one for each core.

    Results are written at once, so an interrupted survey resumes where it stopped.

    Raises OutputError if the notes in the cache of the user cannot be written.
    """
    subjects = list_subjects(collection)
    stamps = _stamps(subjects)
    records: list[Record | None] = [None] * len(subjects)
    keys = [_key(subject) for subject in subjects]
    with opened_notebook(Path(collection.root), keys) as notebook:
        todo = []
        for place, (key, stamp) in enumerate(zip(keys, stamps, strict=True)):
            known = _known(notebook, key, stamp, max_megapixels)
            if known is None:
                todo.append(place)
            else:
                records[place] = known
        done = len(subjects) - len(todo)
        sources = [subjects[place].stored for place in todo]
        for batch, found in _examined(sources, max_megapixels, workers or _threads()):
            places = [todo[number] for number in batch]
            for place, record in zip(places, found, strict=True):
                records[place] = record
            notebook.add((keys[place], stamps[place], record) for place, record in zip(places, found, strict=True))
            done += len(places)
            if progress:
                progress("examined", done, len(subjects))
    return Survey(collection, subjects, [record for record in records if record is not None], len(todo))


def list_subjects(collection: Collection) -> list[Subject]:
    """Return the stored pictures of a collection in order. A picture with both halves of a pair comes once."""
    root = Path(collection.root)
    subjects: dict[Stored, Subject] = {}
    for place, item in enumerate(collection.items):
        names = {item.name: item.picture, f"{item.name} (partner)": item.partner}
        for name, source in names.items():
            if source is not None:
                subject = _subject(root, source, name, place)
                subjects.setdefault(subject.stored, subject)
    return list(subjects.values())


def _subject(root: Path, source: Source, name: str, place: int) -> Subject:
    stored = source.whole if isinstance(source, Half) else source
    return Subject(stored, os.path.relpath(stored, root) if isinstance(stored, Path) else name, place)


def _key(subject: Subject) -> str:
    stored = subject.stored
    return subject.name if isinstance(stored, Path) else f"{subject.name} at {stored.offset}"


def _stamps(subjects: Sequence[Subject]) -> list[Stamp]:
    """Return the stamp of the file of each picture. A file with many pictures is read once."""
    of_archive = functools.cache(_stamp)
    files = [stored if isinstance(stored, Path) else stored.file for stored, _, _ in subjects]
    return [
        _stamp(file) if file is subject.stored else of_archive(file)
        for file, subject in zip(files, subjects, strict=True)
        if isinstance(file, Path)  # true for all pictures on this machine
    ]


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError:  # `examine` reports the error, which is not remembered
        return Stamp(0, 0)
    return Stamp(status.st_size, status.st_mtime_ns)


def _known(notebook: Notebook, key: str, stamp: Stamp, max_megapixels: float) -> Record | None:
    """Return the record of a picture. None if it is unknown, or can be decoded now but not before."""
    record = notebook.find(key, stamp)
    if record is None or record.fault == "unopened":
        return None
    return record if record.thumbnail or record.fault or record.megapixels > max_megapixels else None


def _examined(sources: Sequence[Stored], max_megapixels: float, workers: int) -> Iterator[tuple[range, list[Record]]]:
    """Yield the indices and records of a few sources at a time, in order, while threads work on the next ones."""
    stopping = threading.Event()

    def look(places: range) -> list[Record]:
        return [examine(sources[place], max_megapixels) for place in places if not stopping.is_set()]

    waiting: deque[tuple[range, Future[list[Record]]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="impasto-examine")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata; all threads share this setting
            for start in range(0, len(sources), TOGETHER):
                places = range(start, min(start + TOGETHER, len(sources)))
                waiting.append((places, pool.submit(look, places)))
                if len(waiting) > 2 * workers:
                    yield _finished(waiting)
            while waiting:
                yield _finished(waiting)
    finally:
        stopping.set()
        pool.shutdown(wait=False, cancel_futures=True)


def _finished(waiting: deque[tuple[range, Future[list[Record]]]]) -> tuple[range, list[Record]]:
    places, found = waiting.popleft()
    return places, found.result()


def _threads() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST_THREADS, cores)
