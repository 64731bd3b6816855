"""One collection examined: what it holds, and what is wrong with it."""

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
"""Where the bars of the sizes' histogram part, pixels along the shorter side."""
ASPECTS = (1 / 3, 1 / 2, 2 / 3, 0.8, 1.25, 1.5, 2, 3)
"""Where the bars of the shapes' histogram part, width / height."""


class Bar(NamedTuple):
    """One bar of a histogram: `low` <= value < `high`, which the last one has not."""

    low: float
    high: float | None
    pictures: int


@dataclass(frozen=True)
class Options:
    """What counts as wrong, where that is a matter of opinion."""

    tiny: int = TINY
    """Pixels along the shorter side below which a picture is called tiny."""
    max_megapixels: float = MAX_MEGAPIXELS
    """Pictures above this are not decoded."""


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor says of a collection."""

    survey: Survey
    attribute: str | None
    """The attribute by which pictures are in classes: the first that groups them."""
    groups: Sequence[Group]
    findings: Sequence[Finding]
    """The gravest first."""

    @property
    def collection(self) -> Collection:
        """What was examined."""
        return self.survey.collection

    @property
    def splits(self) -> dict[Split, int]:
        """Pictures (or pairs) to learn from and held out."""
        return {split: len(self.collection.of(split)) for split in ("train", "test")}

    @property
    def classes(self) -> dict[str, dict[Split, int]]:
        """Pictures of each class and split, by the class's name."""
        counts: dict[str, dict[Split, int]] = defaultdict(lambda: {"train": 0, "test": 0})
        for item in self.collection.items:
            if self.attribute is not None and self.attribute in item.labels:
                counts[item.labels[self.attribute]][item.split] += 1
        return dict(sorted(counts.items()))

    @property
    def sides(self) -> list[Bar]:
        """Pictures by the pixels of their shorter side."""
        return _histogram([min(record.width, record.height) for record in self._measured], SIDES)

    @property
    def aspects(self) -> list[Bar]:
        """Pictures by width / height."""
        return _histogram([record.width / record.height for record in self._measured], ASPECTS)

    @property
    def formats(self) -> Counter[str]:
        """Pictures by format and mode, such as `JPEG RGB`."""
        return Counter(f"{record.format} {record.mode}" for record in self._measured)

    @property
    def bytes(self) -> int:
        """What all pictures weigh."""
        return sum(record.size for record in self.survey.records)

    def count(self, severity: Severity) -> int:
        """Return how many kinds of findings of a severity there are."""
        return sum(finding.severity == severity for finding in self.findings)

    def verdict(self) -> str:
        """Say in one sentence whether the collection can be learned from."""
        grave = [
            finding.title[0].lower() + finding.title[1:] for finding in self.findings if finding.severity == "grave"
        ]
        if grave:
            more = f" and {len(grave) - 3} more grave findings" if len(grave) > 4 else ""
            return f"Not fit to learn from yet: {', '.join(grave[:3] if more else grave)}{more}."
        if self.count("warning"):
            return "Fit to learn from, though some of it deserves a look."
        return "In good order: nothing was found that would harm training."

    def to_json(self) -> dict[str, Any]:
        """Return everything that can be said in plain values; every name is there, however many."""
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
    """Examine all pictures of a folder or archive; nothing in it is changed.

    Raises DataError where there is nothing to examine, and OutputError where the user's cache cannot be written.
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
    """Return a collection and what is wrong with its layout; in disorder, its pictures without splits and labels."""
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


# Pictures, each by itself


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
    """Yield the kinds of findings that a picture in order gives rise to, each with a note."""
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
    """Say which format a picture has where its name says another."""
    suffix = "." + name.rpartition(".")[2].lower()
    if record.format not in FORMATS or suffix in FORMATS[record.format]:
        return ""
    return f"is {record.format} inside"


def _is_usual(kind: str, found: int, count: int) -> bool:
    """Say whether a peculiarity is the rule in this collection, and so none: all digits of MNIST are tiny and grey."""
    peculiarities = ("tiny", "transparent", "cmyk", "palette", "deep", "grey", "colour", "profile")
    return kind in peculiarities and 2 * found > count


def _case(surveyed: Survey, place: int, note: str = "") -> Case:
    return Case((surveyed.subjects[place].name,), note, (place,))


# Pictures, compared


def _of_several_items(group: Group, surveyed: Survey) -> bool:
    """Leave out a pair whose two pictures are alike, as a photo and its grey version are."""
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
    """Count values between edges, without the empty bars at both ends."""
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
