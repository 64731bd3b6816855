"""Every stored picture of a collection examined, in threads, with what is known from an earlier time left alone."""

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
"""Told what was done (`examined` or `compared`), how many, of how many."""

TOGETHER = 32
"""Pictures a thread takes at a time; tiny ones take less time than handing them over."""
MOST_THREADS = 8
"""More would wait for Python's lock, which Pillow lets go of only while it decodes."""


class Subject(NamedTuple):
    """One stored picture: an item's own, its partner, or one that shows both of a pair side by side."""

    stored: Stored
    name: str
    """Its path relative to the collection's folder, or its name inside an archive."""
    item: int
    """Its item's place in the collection."""


@dataclass(frozen=True)
class Survey:
    """All pictures of a collection and what was learned of each."""

    collection: Collection
    subjects: Sequence[Subject]
    records: Sequence[Record]
    """One for each subject."""
    opened: int
    """Pictures that were examined now and not remembered."""

    @property
    def root(self) -> Path:
        """The collection's folder or archive, on this machine."""
        return Path(self.collection.root)

    def item_of(self, subject: int) -> Item:
        """Return the item that a stored picture belongs to, by the picture's place."""
        return self.collection.items[self.subjects[subject].item]


def survey(
    collection: Collection, max_megapixels: float, workers: int | None = None, progress: Progress | None = None
) -> Survey:
    """Examine a collection's pictures with `workers` threads, one for each core unless said.

    What was found is noted at once, so that an interrupted survey goes on where it stopped.

    Raises OutputError where the notes in the user's cache cannot be written.
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
    """Return the stored pictures of a collection, in its order, each once: also where it shows a pair."""
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
    """Return the stamp of each picture's file, looking once at a file that holds many."""
    of_archive = functools.cache(_stamp)
    files = [stored if isinstance(stored, Path) else stored.file for stored, _, _ in subjects]
    return [
        _stamp(file) if file is subject.stored else of_archive(file)
        for file, subject in zip(files, subjects, strict=True)
        if isinstance(file, Path)  # all of a collection on this machine
    ]


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError:  # `examine` will say why; its finding is not remembered
        return Stamp(0, 0)
    return Stamp(status.st_size, status.st_mtime_ns)


def _known(notebook: Notebook, key: str, stamp: Stamp, max_megapixels: float) -> Record | None:
    """Return what is known of a picture, unless it may now be decoded and could not before."""
    record = notebook.find(key, stamp)
    if record is None or record.fault == "unopened":
        return None
    return record if record.thumbnail or record.fault or record.megapixels > max_megapixels else None


def _examined(sources: Sequence[Stored], max_megapixels: float, workers: int) -> Iterator[tuple[range, list[Record]]]:
    """Yield the places and records of a few sources at a time, in order, while threads work on the next ones."""
    stopping = threading.Event()

    def look(places: range) -> list[Record]:
        return [examine(sources[place], max_megapixels) for place in places if not stopping.is_set()]

    waiting: deque[tuple[range, Future[list[Record]]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="impasto-examine")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, of odd metadata; once for all threads, who share the setting
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
