"""The diagnosis of one collection: its contents and its problems."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from impasto.curation.doctor.duplicates import Group, find_groups
from impasto.curation.doctor.examine import Record
from impasto.curation.doctor.findings import KINDS, SEVERITIES, Case, Finding, Severity
from impasto.curation.doctor.names import look_alike, trouble
from impasto.curation.doctor.strays import find_strays
from impasto.curation.doctor.survey import Progress, Survey, survey
from impasto.data.collection import Collection, Item, Split
from impasto.data.layouts import read_collection
from impasto.data.pictures import MAX_MEGAPIXELS, picture_names
from impasto.data.sources import FORMATS, Half
from impasto.errors import DataError

TINY = 64
"""Pixels along the shorter side."""
SIDES = (32, 64, 128, 256, 512, 1024, 2048, 4096)
"""Bounds of the histogram of sizes, pixels along the shorter side."""
ASPECTS = (1 / 3, 1 / 2, 2 / 3, 0.8, 1.25, 1.5, 2, 3)
"""Bounds of the histogram of shapes, width / height."""


class Bar(NamedTuple):
    """One bar of a histogram: `low` <= value < `high`. The last bar has no `high`."""

    low: float
    high: float | None
    pictures: int


@dataclass(frozen=True)
class Options:
    """Thresholds for what counts as a problem."""

    tiny: int = TINY
    """Pictures with a shorter side below this, in pixels, are tiny."""
    max_megapixels: float = MAX_MEGAPIXELS
    """Larger pictures are not decoded."""


@dataclass(frozen=True)
class Diagnosis:
    """The result of checking a collection."""

    survey: Survey
    attribute: str | None
    """The attribute whose classes are checked: the first that groups pictures."""
    groups: Sequence[Group]
    findings: Sequence[Finding]
    """The most severe first."""

    @property
    def collection(self) -> Collection:
        """The examined collection."""
        return self.survey.collection

    @property
    def splits(self) -> dict[Split, int]:
        """Number of pictures (or pairs) for training and for testing."""
        return {split: len(self.collection.of(split)) for split in ("train", "test")}

    @property
    def classes(self) -> dict[str, dict[Split, int]]:
        """Number of pictures of each class and split, by class name."""
        counts: dict[str, dict[Split, int]] = defaultdict(lambda: {"train": 0, "test": 0})
        for item in self.collection.items:
            if self.attribute is not None and self.attribute in item.labels:
                counts[item.labels[self.attribute]][item.split] += 1
        return dict(sorted(counts.items()))

    @property
    def sides(self) -> list[Bar]:
        """Number of pictures by the pixels of their shorter side."""
        return _histogram([min(record.width, record.height) for record in self._measured], SIDES)

    @property
    def aspects(self) -> list[Bar]:
        """Number of pictures by width / height."""
        return _histogram([record.width / record.height for record in self._measured], ASPECTS)

    @property
    def formats(self) -> Counter[str]:
        """Number of pictures by format and mode, such as `JPEG RGB`."""
        return Counter(f"{record.format} {record.mode}" for record in self._measured)

    @property
    def bytes(self) -> int:
        """Size of all pictures, in bytes."""
        return sum(record.size for record in self.survey.records)

    def count(self, severity: Severity) -> int:
        """Return the number of kinds of findings of a severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def verdict(self) -> str:
        """Return one sentence on whether the collection can be used for training."""
        grave = [
            finding.title[0].lower() + finding.title[1:] for finding in self.findings if finding.severity == "grave"
        ]
        if grave:
            more = f" and {len(grave) - 3} more grave findings" if len(grave) > 4 else ""
            return f"Not ready for training: {', '.join(grave[:3] if more else grave)}{more}."
        if self.count("warning"):
            return "Ready for training, with some warnings."
        return "In good order: no problems for training were found."

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain values, with all names."""
        return {
            "folder": str(self.survey.root.absolute()),
            "layout": self.collection.layout,
            "pictures": len(self.survey.subjects),
            "bytes": self.bytes,
            "splits": self.splits,
            "attribute": self.attribute,
            "classes": self.classes,
            "shorter_side": [bar._asdict() for bar in self.sides],
            "aspect": [bar._asdict() for bar in self.aspects],
            "formats": dict(self.formats),
            "found": {severity: self.count(severity) for severity in SEVERITIES},
            "findings": [_finding_json(finding) for finding in self.findings],
        }

    @property
    def _measured(self) -> list[Record]:
        return [record for record in self.survey.records if record.width and record.height]


def diagnose(
    folder: Path, options: Options | None = None, workers: int | None = None, progress: Progress | None = None
) -> Diagnosis:
    """Examine all pictures of a folder or archive without changing anything.

    Raises DataError if there is nothing to examine, and OutputError if the cache of the user cannot be written.
    """
    options = options or Options()
    collection, disorder = _read(folder)
    surveyed = survey(collection, options.max_megapixels, workers, progress)
    attribute = grouping_attribute(collection)
    groups = [group for group in find_groups(surveyed.records, progress) if _of_several_items(group, surveyed)]
    cases = {
        "layout": [Case((), disorder)] if disorder else [],
        **_of_pictures(surveyed, options),
        **_of_groups(groups, surveyed, attribute),
        **_of_labels(surveyed, attribute),
        **_of_names(surveyed),
        **_of_strays(collection),
    }
    words = {"tiny": options.tiny, "megapixels": options.max_megapixels, "attribute": attribute}
    findings = [Finding(kind, KINDS[kind].says.format(**words), cases[kind]) for kind in KINDS if cases.get(kind)]
    return Diagnosis(surveyed, attribute, groups, findings)


def grouping_attribute(collection: Collection) -> str | None:
    """Return the first attribute with several values that each have, on average, at least two pictures."""
    for attribute in collection.attributes:
        counts = collection.histogram(attribute)
        if 1 < len(counts) <= counts.total() / 2:
            return attribute
    return None


def _read(folder: Path) -> tuple[Collection, str]:
    """Return a collection and the problem of its layout. With a problem: its pictures without splits and labels."""
    try:
        return read_collection(folder), ""
    except DataError as error:
        if not folder.is_dir():
            raise
        try:
            names = picture_names(folder)
        except DataError:
            raise error from None
        return Collection(folder, "plain", [Item(folder / name, name) for name in names]), str(error)


# Single pictures


def _of_pictures(surveyed: Survey, options: Options) -> dict[str, list[Case]]:
    cases: dict[str, list[Case]] = defaultdict(list)
    for place, record in enumerate(surveyed.records):
        if record.fault is not None:
            cases[record.fault].append(_case(surveyed, place, record.says))
            continue
        for kind, note in _notable(record, surveyed, place, options):
            cases[kind].append(_case(surveyed, place, note))
    return {kind: found for kind, found in cases.items() if not _is_usual(kind, len(found), len(surveyed.records))}


def _notable(record: Record, surveyed: Survey, place: int, options: Options) -> Iterator[tuple[str, str]]:
    """Yield the kinds of findings of a readable picture, each with a note."""
    if record.megapixels > options.max_megapixels:
        yield "oversized", f"{record.megapixels:,.0f} megapixels"
    if min(record.width, record.height) < options.tiny:
        yield "tiny", ""
    if record.width % 2 and isinstance(surveyed.item_of(place).picture, Half):
        yield "uneven-pair", f"{record.width} pixels wide"
    if note := _suffix_note(record, surveyed.subjects[place].name):
        yield "wrong-suffix", note
    if record.profile:
        yield "profile", record.profile
    if record.orientation != 1:
        yield "turned", f"EXIF orientation {record.orientation}"
    looks = {
        "animated": record.animated,
        "transparent": record.transparent,
        "cmyk": record.mode == "CMYK",
        "palette": record.mode in ("P", "PA"),
        "deep": record.deep,
        "grey": bool(record.thumbnail) and record.colourless,
        "colour": bool(record.thumbnail) and not record.colourless,
    }
    yield from ((kind, "") for kind, has in looks.items() if has)


def _suffix_note(record: Record, name: str) -> str:
    """Return a note if the format of a picture does not match its suffix."""
    suffix = "." + name.rpartition(".")[2].lower()
    if record.format not in FORMATS or suffix in FORMATS[record.format]:
        return ""
    return f"is a {record.format} file"


def _is_usual(kind: str, found: int, count: int) -> bool:
    """Return whether a property is usual in this collection, so it is no finding: all of MNIST is tiny and grey."""
    peculiarities = ("tiny", "transparent", "cmyk", "palette", "deep", "grey", "colour", "profile")
    return kind in peculiarities and 2 * found > count


def _case(surveyed: Survey, place: int, note: str = "") -> Case:
    return Case((surveyed.subjects[place].name,), note, (place,))


# Compared pictures


def _of_several_items(group: Group, surveyed: Survey) -> bool:
    """Return whether a group has several items. A photo and its grey version can be a pair, not duplicates."""
    return len({surveyed.subjects[place].item for place in group.members}) > 1


def _of_groups(groups: Iterable[Group], surveyed: Survey, attribute: str | None) -> dict[str, list[Case]]:
    cases: dict[str, list[Case]] = defaultdict(list)
    for group in groups:
        items = [surveyed.item_of(place) for place in group.members]
        labels = {item.labels[attribute] for item in items if attribute is not None and attribute in item.labels}
        if len({item.split for item in items}) > 1:
            kind = "across-splits"
        elif len(labels) > 1:
            kind = "across-classes"
        else:
            kind = "exact-duplicate" if group.exact else "near-duplicate"
        names = tuple(surveyed.subjects[place].name for place in group.members)
        cases[kind].append(Case(names, "the same file" if group.exact else "nearly the same", group.members))
    return cases


# Labels, names, other files


def _of_labels(surveyed: Survey, attribute: str | None) -> dict[str, list[Case]]:
    collection = surveyed.collection
    notes = [Case((), note) for note in collection.notes]
    if attribute is None:
        return {"labels": notes}
    counts = collection.histogram(attribute)
    labels = [surveyed.item_of(place).labels.get(attribute) for place in range(len(surveyed.subjects))]
    alone = [_case(surveyed, place, label) for place, label in enumerate(labels) if label and counts[label] == 1]
    missing = [_case(surveyed, place) for place, label in enumerate(labels) if label is None]
    return {"labels": notes, "single": alone, "unlabelled": missing}


def _of_names(surveyed: Survey) -> dict[str, list[Case]]:
    places = {subject.name: place for place, subject in enumerate(surveyed.subjects)}
    bad = [Case((name,), said, (place,)) for name, place in places.items() if (said := trouble(name))]
    alike = [Case(group, "", tuple(places[name] for name in group)) for group in look_alike(places)]
    return {"name": bad, "same-name": alike}


def _of_strays(collection: Collection) -> dict[str, list[Case]]:
    cases: dict[str, list[Case]] = defaultdict(list)
    for stray in find_strays(collection):
        cases[stray.kind].append(Case((stray.name,)))
    return cases


# Numbers


def _histogram(values: Sequence[float], edges: Sequence[float]) -> list[Bar]:
    """Return the histogram of values between edges, without empty bars at both ends."""
    counts = Counter(bisect_right(edges, value) for value in values)
    bounds = [0.0, *edges, None]
    bars = [Bar(bounds[place] or 0.0, bounds[place + 1], counts[place]) for place in range(len(edges) + 1)]
    filled = [place for place, bar in enumerate(bars) if bar.pictures]
    return bars[filled[0] : filled[-1] + 1] if filled else []


def _finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "severity": finding.severity,
        "title": finding.title,
        "says": finding.says,
        "files": finding.files,
        "cases": [{"names": list(case.names), "note": case.note} for case in finding.cases],
    }
