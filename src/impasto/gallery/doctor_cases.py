"""The pictures of a finding as the doctor's page shows them: alone, or side by side with what they disagree on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from PIL import ImageFile

from impasto.curation.doctor.diagnosis import Diagnosis
from impasto.curation.doctor.examine import TROUBLE, Record
from impasto.curation.doctor.findings import Case
from impasto.curation.doctor.names import printable
from impasto.data.pictures import read_picture
from impasto.errors import PictureError
from impasto.gallery.doctor_words import bytes_in_words
from impasto.gallery.pictures import SMALL, Picture, encode, within

MOST_OF_A_GROUP = 6
"""Pictures of a group that are shown; the others are counted."""
LONGEST_SIDE = 256
"""Longer side of a picture on the page in pixels: sharp on a phone's screen, and about 10 KB."""


class Tag(NamedTuple):
    """A picture's split or class."""

    text: str
    at_odds: bool
    """Whether the pictures of its group disagree on it."""


class Shown(NamedTuple):
    """One picture with its caption."""

    name: str
    picture: Picture | None
    missing: str
    """Why there is no picture; empty where there is one."""
    tags: Sequence[Tag]
    notes: Sequence[str]

    @property
    def small(self) -> bool:
        """Whether it is enlarged without smoothing."""
        return self.picture is not None and max(self.picture.pixels.size) < SMALL


class Group(NamedTuple):
    """One picture, or pictures that belong together, such as duplicates."""

    pictures: Sequence[Shown]
    note: str


def group_of(case: Case, diagnosis: Diagnosis) -> Group:
    """Return the pictures of a case. Splits and classes on which they disagree are marked."""
    if len(case.places) == 1:
        return Group([_shown(case.places[0], diagnosis, frozenset(), case.note)], "")
    tags = [_tags(place, diagnosis) for place in case.places]
    at_odds = frozenset(tag for tag in itertools.chain(*tags) if not all(tag in others for others in tags))
    places = _spread(case.places, diagnosis)
    more = len(case.places) - len(places)
    notes = [case.note, f"{more:,} more" if more else ""]
    return Group([_shown(place, diagnosis, at_odds) for place in places], ", ".join(note for note in notes if note))


def _spread(places: Sequence[int], diagnosis: Diagnosis) -> list[int]:
    """Return the first few pictures of a group, among them one of each split and class as far as there is room."""
    firsts: dict[tuple[str, ...], int] = {}
    for place in places:
        firsts.setdefault(tuple(_tags(place, diagnosis)), place)
    chosen = list(dict.fromkeys([*firsts.values(), *places]))[:MOST_OF_A_GROUP]
    return sorted(chosen)


def _tags(place: int, diagnosis: Diagnosis) -> list[str]:
    item = diagnosis.survey.item_of(place)
    label = item.labels.get(diagnosis.attribute) if diagnosis.attribute is not None else None
    split = [item.split] if diagnosis.splits["test"] else []
    return [*split, *([label] if label else [])]


def _shown(place: int, diagnosis: Diagnosis, at_odds: frozenset[str], note: str = "") -> Shown:
    subject, record = diagnosis.survey.subjects[place], diagnosis.survey.records[place]
    tags = [Tag(printable(tag), tag in at_odds) for tag in _tags(place, diagnosis)]
    notes = [printable(text) for text in (note, _size(record)) if text]
    found = _picture(place, diagnosis)
    picture, missing = (None, found) if isinstance(found, str) else (found, "")
    return Shown(printable(subject.name), picture, missing, tags, notes)


def _size(record: Record) -> str:
    size = f"{record.width:,} x {record.height:,}, " if record.width else ""
    return size + bytes_in_words(record.size) if record.size else ""


def _picture(place: int, diagnosis: Diagnosis) -> Picture | str:
    """Return a picture as far as it can be decoded, or why it cannot be shown."""
    record, subject = diagnosis.survey.records[place], diagnosis.survey.subjects[place]
    if record.fault in ("not-a-picture", "unopened"):
        return "nothing to show"
    if record.fault is None and not record.thumbnail:
        return f"{record.width:,} x {record.height:,} pixels"
    try:
        with _truncated_allowed():
            return encode(within(read_picture(subject.stored, at_least=LONGEST_SIDE), LONGEST_SIDE))
    except (PictureError, *TROUBLE):  # damaged too much, or deleted meanwhile
        return "cannot be shown"


@contextmanager
def _truncated_allowed() -> Iterator[None]:
    """Let Pillow decode the existing part of a picture that is cut off."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before
