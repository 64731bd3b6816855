"""Groups of pictures that are the same: byte for byte, or the same picture by the criterion of `data/likeness.py`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from impasto.curation.doctor.examine import Record
from impasto.curation.doctor.survey import Progress
from impasto.data.likeness import LEAST_COSINE, SIDE, Thumbnails, same_picture, vectors

ROWS, COLUMNS = 1024, 4096
"""Pictures compared at once: 16 MB of cosines for collections of any size."""
CHECKED = 8192
"""Candidate pairs compared in detail at once."""

Places = NDArray[np.int64]


class Group(NamedTuple):
    """Pictures that are the same, by their index in the survey, in order."""

    members: tuple[int, ...]
    exact: bool
    """Whether all are equal byte for byte."""


class Forest:
    """A union-find forest: each picture points to an earlier one of its group, the first one to itself."""

    def __init__(self, count: int) -> None:
        self._parents = np.arange(count)

    def join(self, first: int, second: int) -> None:
        """Join two groups."""
        a, b = self._root(first), self._root(second)
        self._parents[max(a, b)] = min(a, b)

    def roots(self) -> Places:
        """Return the first picture of the group of each picture."""
        while not np.array_equal(self._parents, above := self._parents[self._parents]):
            self._parents = above
        return self._parents

    def _root(self, place: int) -> int:
        parents = self._parents
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = int(parents[place])
        return place


def find_groups(records: Sequence[Record], progress: Progress | None = None) -> list[Group]:
    """Return the groups of pictures that are the same, by their first member.

    Blank pictures and pictures that were not decoded are compared byte for byte only. Damaged ones are not compared.
    """
    by_digest: dict[str, list[int]] = defaultdict(list)
    for place, record in enumerate(records):
        if record.fault is None:
            by_digest[record.digest].append(place)
    forest = Forest(len(records))
    for first, *others in by_digest.values():
        for other in others:
            forest.join(first, other)
    decoded = np.array([first for first, *_ in by_digest.values() if records[first].thumbnail], dtype=np.int64)
    thumbnails = np.frombuffer(b"".join(records[place].thumbnail for place in decoded), np.uint8)
    for place, first in zip(decoded, _near(thumbnails.reshape(-1, SIDE**2), progress), strict=True):
        forest.join(int(place), int(decoded[first]))
    return list(_groups(forest.roots(), records))


def _groups(roots: Places, records: Sequence[Record]) -> Iterator[Group]:
    members: dict[int, list[int]] = defaultdict(list)
    for place, root in enumerate(roots.tolist()):
        members[root].append(place)
    for group in members.values():
        if len(group) > 1:
            yield Group(tuple(group), len({records[place].digest for place in group}) == 1)


def _near(thumbnails: Thumbnails, progress: Progress | None) -> Places:
    """Return the first thumbnail of the same picture for each thumbnail [N, 256], also through others."""
    count = len(thumbnails)
    forest = Forest(count)
    for left in range(0, count, COLUMNS):
        columns = vectors(thumbnails[left : left + COLUMNS])
        for top in range(0, min(left + COLUMNS, count), ROWS):
            rows, found = _high(vectors(thumbnails[top : top + ROWS]) @ columns.T)
            first, second = rows + top, found + left
            _join(forest, thumbnails, first[first < second], second[first < second])
        if progress:
            progress("compared", min(left + COLUMNS, count), count)
    return forest.roots()


def _high(cosines: NDArray[np.float32]) -> tuple[Places, Places]:
    """Return the rows and columns of cosines above LEAST_COSINE. Few rows have any, and their maximum is fast."""
    rows = np.flatnonzero(cosines.max(axis=1) >= LEAST_COSINE)
    inside, columns = np.nonzero(cosines[rows] >= LEAST_COSINE)
    return rows[inside], columns


def _join(forest: Forest, thumbnails: Thumbnails, first: Places, second: Places) -> None:
    """Join the candidate pairs that show the same picture, a few at a time.

    Pairs that were joined meanwhile are skipped, so a thousand frames of one scene need far fewer than a million
    comparisons.
    """
    while True:
        roots = forest.roots()
        apart = roots[first] != roots[second]
        first, second = first[apart], second[apart]
        if not len(first):
            return
        now = np.zeros(len(first), dtype=np.bool_)
        now[:: -(-len(first) // CHECKED) | 1] = True  # an odd step, so all columns are visited
        a, b = first[now], second[now]
        same = same_picture(thumbnails[a], thumbnails[b])
        for one, other in zip(a[same].tolist(), b[same].tolist(), strict=True):
            forest.join(one, other)
        first, second = first[~now], second[~now]
