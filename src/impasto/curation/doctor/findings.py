"""What can be found in a collection: how grave it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Severity = Literal["grave", "warning", "remark"]
SEVERITIES: tuple[Severity, ...] = ("grave", "warning", "remark")
"""Grave: training would stop, or its results would be wrong. Warning: it would suffer. Remark: good to know."""


class Kind(NamedTuple):
    """One kind of finding."""

    severity: Severity
    title: str
    says: str
    """What it means and the remedy, of one picture or group; may name {tiny} and {megapixels}."""


KINDS: Mapping[str, Kind] = {
    "layout": Kind(
        "grave",
        "Folder in disorder",
        "The pictures were examined as a plain folder, because it cannot be read as what it looks like.",
    ),
    "not-a-picture": Kind(
        "grave",
        "Not a picture",
        "The name is a picture's, the content is not: download it again, remove it, or let --quarantine move it away.",
    ),
    "truncated": Kind(
        "grave",
        "Cut off",
        "A part of the picture is missing: copy or download it again, or let --quarantine move it away.",
    ),
    "corrupt": Kind(
        "grave",
        "Damaged",
        "The picture cannot be decoded: copy or download it again, or let --quarantine move it away.",
    ),
    "unopened": Kind(
        "grave",
        "Cannot be opened",
        "The system does not hand out the file: mend its permissions or its link, or remove it.",
    ),
    "oversized": Kind(
        "grave",
        "Too large",
        "It has more than {megapixels:g} megapixels and was not decoded; training refuses it: shrink it, or raise "
        "max_megapixels.",
    ),
    "uneven-pair": Kind(
        "grave",
        "Pair of odd width",
        "A picture that shows a pair side by side must have an even width: crop it or remove it.",
    ),
    "across-splits": Kind(
        "grave",
        "Same picture in train and test",
        "What is learned from cannot be tested on: results would look better than they are. Remove one of them, the "
        "training copy rather than the test copy, as --quarantine does with exact copies.",
    ),
    "across-classes": Kind(
        "grave",
        "Same picture in two classes",
        "The labels contradict each other: decide on one and remove the other; --quarantine keeps the first of exact "
        "copies.",
    ),
    "exact-duplicate": Kind(
        "warning",
        "Exact duplicates",
        "The same file several times counts several times in training: keep one; --quarantine moves the others away.",
    ),
    "near-duplicate": Kind(
        "warning",
        "Near duplicates",
        "They show the same picture resized, recompressed, brightened or slightly cropped: look at them and keep one.",
    ),
    "single": Kind(
        "warning",
        "Class with one picture",
        "One picture is no class to learn: add pictures, join it with another class, or leave it out.",
    ),
    "unlabelled": Kind(
        "warning",
        "Without a label",
        "Other pictures say their {attribute}, this one does not: add it, or it is left out where labels are needed.",
    ),
    "tiny": Kind(
        "warning",
        "Tiny",
        "Its shorter side has less than {tiny} pixels, and training would blow it up: replace it or remove it.",
    ),
    "labels": Kind("warning", "Labels and lists", "A table beside the pictures does not fit them: mend it."),
    "misnamed": Kind(
        "warning",
        "Picture with an unknown suffix",
        "It is a picture, but its name does not say so and it is not learned from: rename it.",
    ),
    "unused": Kind(
        "warning",
        "Picture outside the layout",
        "It lies where this layout does not look, or is in no list, and is not learned from: move it or list it.",
    ),
    "name": Kind(
        "warning",
        "Name that makes trouble",
        "It cannot be copied to every system, or be written in a list: rename it.",
    ),
    "same-name": Kind(
        "warning",
        "Names that differ only in case or accents",
        "On Windows and macOS one of them would replace the other: rename one.",
    ),
    "wrong-suffix": Kind(
        "remark",
        "Suffix of another format",
        "Impasto looks at the content and reads it; other programs may not: rename it.",
    ),
    "animated": Kind("remark", "Animated or of several pages", "Only the first frame is learned from."),
    "transparent": Kind("remark", "Transparent", "Transparent parts become white."),
    "cmyk": Kind("remark", "Ink colours (CMYK)", "It is converted to RGB, by its profile where it has one."),
    "palette": Kind("remark", "Few colours (palette)", "A picture of at most 256 colours, often dithered."),
    "deep": Kind("remark", "More than 8 bits", "It is brought to 8 bits a channel."),
    "grey": Kind(
        "remark", "Grey among colour", "It has no colour, while most others have: a painter may learn to fade colours."
    ),
    "colour": Kind("remark", "Colour among grey", "It has colour, while most others have none."),
    "profile": Kind("remark", "Colour profile other than sRGB", "It is converted to sRGB; other programs may not."),
    "turned": Kind("remark", "Turned by its EXIF tag", "Impasto turns it upright; other programs may not."),
    "beside": Kind("remark", "Other files", "It is no picture, and is neither read nor moved."),
}
"""Every kind of finding, the gravest first."""


class Case(NamedTuple):
    """One picture, or the pictures of one group."""

    names: tuple[str, ...]
    note: str = ""
    """What is particular to this case, to follow the name."""
    places: tuple[int, ...] = ()
    """Of the same pictures in the survey, where they are there."""


@dataclass(frozen=True)
class Finding:
    """All cases of one kind."""

    kind: str
    """A key of KINDS."""
    says: str
    cases: Sequence[Case]

    @property
    def severity(self) -> Severity:
        """How grave it is."""
        return KINDS[self.kind].severity

    @property
    def title(self) -> str:
        """Its name."""
        return KINDS[self.kind].title

    @property
    def files(self) -> int:
        """How many files are concerned."""
        return sum(len(case.names) for case in self.cases)
