"""The kinds of findings in a collection, with their severity and remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Severity = Literal["grave", "warning", "remark"]
SEVERITIES: tuple[Severity, ...] = ("grave", "warning", "remark")
"""grave: training stops or its results are wrong. warning: training suffers. remark: information."""


class Kind(NamedTuple):
    """One kind of finding."""

    severity: Severity
    title: str
    says: str
    """Meaning and remedy, for one picture or group. It can contain {tiny} and {megapixels}."""


KINDS: Mapping[str, Kind] = {
    "layout": Kind(
        "grave",
        "Inconsistent folder",
        "The pictures were examined as a plain folder, because its layout cannot be read.",
    ),
    "not-a-picture": Kind(
        "grave",
        "Not a picture",
        "The file has the suffix of a picture, but is none: download it again, remove it, or use --quarantine.",
    ),
    "truncated": Kind(
        "grave",
        "Cut off",
        "A part of the picture is missing: copy or download it again, or use --quarantine.",
    ),
    "corrupt": Kind(
        "grave",
        "Damaged",
        "The picture cannot be decoded: copy or download it again, or use --quarantine.",
    ),
    "unopened": Kind(
        "grave",
        "Cannot be opened",
        "The system cannot open the file: fix its permissions or its link, or remove it.",
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
        "A picture with a pair side by side must have an even width: crop it or remove it.",
    ),
    "across-splits": Kind(
        "grave",
        "Same picture in train and test",
        "Test pictures must not be in training: results would look better than they are. Remove the training copy, as "
        "--quarantine does with exact copies.",
    ),
    "across-classes": Kind(
        "grave",
        "Same picture in two classes",
        "The labels contradict each other: keep one and remove the other. --quarantine keeps the first of exact "
        "copies.",
    ),
    "exact-duplicate": Kind(
        "warning",
        "Exact duplicates",
        "A repeated file counts several times in training: keep one. --quarantine moves the others away.",
    ),
    "near-duplicate": Kind(
        "warning",
        "Near duplicates",
        "They show the same picture, resized, recompressed, brightened or slightly cropped: keep one of them.",
    ),
    "single": Kind(
        "warning",
        "Class with one picture",
        "A class with one picture cannot be learned: add pictures, merge it with another class, or leave it out.",
    ),
    "unlabelled": Kind(
        "warning",
        "Without a label",
        "Other pictures have a {attribute}, this one does not: add it, or it is left out of labelled training.",
    ),
    "tiny": Kind(
        "warning",
        "Tiny",
        "Its shorter side has less than {tiny} pixels, and training would enlarge it: replace it or remove it.",
    ),
    "labels": Kind("warning", "Labels and lists", "A table beside the pictures does not match them: fix it."),
    "misnamed": Kind(
        "warning",
        "Picture with an unknown suffix",
        "It is a picture, but without the suffix of one, so it is not used: rename it.",
    ),
    "unused": Kind(
        "warning",
        "Picture outside the layout",
        "It is in a folder or missing in a list that this layout reads, so it is not used: move it or list it.",
    ),
    "name": Kind(
        "warning",
        "Problematic name",
        "It cannot be copied to every system or written in a list: rename it.",
    ),
    "same-name": Kind(
        "warning",
        "Names that differ only in case or accents",
        "On Windows and macOS one of them would replace the other: rename one.",
    ),
    "wrong-suffix": Kind(
        "remark",
        "Suffix of another format",
        "impasto reads it by its content, but other programs may fail: rename it.",
    ),
    "animated": Kind("remark", "Animated or with several pages", "Only the first frame is used."),
    "transparent": Kind("remark", "Transparent", "Transparent parts become white."),
    "cmyk": Kind("remark", "Ink colours (CMYK)", "It is converted to RGB, with its profile if it has one."),
    "palette": Kind("remark", "Few colours (palette)", "A picture of at most 256 colours, often dithered."),
    "deep": Kind("remark", "More than 8 bits", "It is converted to 8 bits per channel."),
    "grey": Kind(
        "remark", "Grey among colour", "It has no colours, but most others have: a painter can learn to fade colours."
    ),
    "colour": Kind("remark", "Colour among grey", "It has colours, but most others have none."),
    "profile": Kind(
        "remark", "Colour profile other than sRGB", "It is converted to sRGB. Other programs may not do so."
    ),
    "turned": Kind("remark", "Rotated by its EXIF tag", "impasto rotates it upright. Other programs may not do so."),
    "beside": Kind("remark", "Other files", "It is not a picture. It is neither read nor moved."),
}
"""Every kind of finding, the most severe first."""


class Case(NamedTuple):
    """One picture, or the pictures of one group."""

    names: tuple[str, ...]
    note: str = ""
    """Details of this case. They follow the name."""
    places: tuple[int, ...] = ()
    """Indices of the pictures in the survey, if they are in it."""


@dataclass(frozen=True)
class Finding:
    """All cases of one kind."""

    kind: str
    """A key of KINDS."""
    says: str
    cases: Sequence[Case]

    @property
    def severity(self) -> Severity:
        """Its severity."""
        return KINDS[self.kind].severity

    @property
    def title(self) -> str:
        """Its title."""
        return KINDS[self.kind].title

    @property
    def files(self) -> int:
        """Number of affected files."""
        return sum(len(case.names) for case in self.cases)
