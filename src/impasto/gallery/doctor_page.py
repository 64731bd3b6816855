"""The doctor's page: what a collection holds and what is wrong with it, with the pictures concerned side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from impasto.curation.doctor.diagnosis import Diagnosis
from impasto.curation.doctor.findings import Case, Finding, Severity
from impasto.curation.doctor.names import printable
from impasto.gallery.bar_chart import Row, bar_chart
from impasto.gallery.doctor_cases import MOST_OF_A_GROUP, Group, group_of
from impasto.gallery.doctor_words import bytes_in_words, interval_in_words, shape_in_words
from impasto.gallery.page import write_page

MOST_CASES: Mapping[Severity, int] = {"grave": 48, "warning": 24, "remark": 12}
"""Pictures or groups shown of one finding; the others are counted."""
MOST_PICTURES = 400
"""On a page."""
MOST_NAMES = 60
"""In a list of names without pictures."""
MOST_CLASSES = 40
"""In the chart of classes."""


class _Section(NamedTuple):
    """A finding on the page: its cases with pictures, or names and sentences."""

    finding: Finding
    amount: str
    groups: Sequence[Group]
    names: Sequence[str]
    sentences: Sequence[str]
    left_out: int


class _Chart(NamedTuple):
    title: str
    svg: Markup
    left_out: int = 0
    both_splits: bool = False


def write_check_page(diagnosis: Diagnosis, target: Path, facts: Mapping[str, str] | None = None) -> Path:
    """Write the page of a diagnosis to `target` and return `target`; `facts` are short texts by name for its head.

    Raises OutputError when the page cannot be written.
    """
    return write_page(
        target,
        "doctor.html",
        title=f"Check-up of {_place(diagnosis)}",
        summary=diagnosis.verdict(),
        facts={**_facts(diagnosis), **(facts or {})},
        sections=list(_sections(diagnosis)),
        charts=list(_charts(diagnosis)),
    )


def _place(diagnosis: Diagnosis) -> str:
    root = diagnosis.survey.root.absolute()
    return printable(root.name or str(root))


def _facts(diagnosis: Diagnosis) -> dict[str, str]:
    splits = diagnosis.splits
    pairs = any(item.partner is not None for item in diagnosis.collection.items)
    held_out = {"held out": f"{splits['test']:,}"} if splits["test"] else {}
    return {
        "pairs" if pairs else "pictures": f"{splits['train'] + splits['test']:,}",
        "layout": diagnosis.collection.layout,
        "to learn from": f"{splits['train']:,}",
        **held_out,
        "size": bytes_in_words(diagnosis.bytes),
    }


# Findings


def _sections(diagnosis: Diagnosis) -> Iterator[_Section]:
    left = MOST_PICTURES
    for finding in diagnosis.findings:
        cases, left = _chosen(finding, left)
        pictured = any(case.places for case in cases)
        yield _Section(
            finding,
            _amount(finding),
            [group_of(case, diagnosis) for case in cases] if pictured else [],
            [] if pictured else [printable(name) for case in cases for name in case.names],
            [] if pictured else [printable(case.note) for case in cases if not case.names],
            len(finding.cases) - len(cases),
        )


def _amount(finding: Finding) -> str:
    groups = sum(len(case.names) > 1 for case in finding.cases)
    if groups:
        return f"{groups:,} group{'s' * (groups != 1)}"
    return f"{finding.files or len(finding.cases):,}"


def _chosen(finding: Finding, left: int) -> tuple[list[Case], int]:
    """Return the cases to show of a finding, and how many pictures the page may still hold."""
    if not any(case.places for case in finding.cases):
        return list(finding.cases[:MOST_NAMES]), left
    cases = []
    for case in finding.cases[: MOST_CASES[finding.severity]]:
        shown = min(len(case.places), MOST_OF_A_GROUP)
        if shown > left:
            break
        cases.append(case)
        left -= shown
    return cases, left


# Charts


def _charts(diagnosis: Diagnosis) -> Iterator[_Chart]:
    if diagnosis.attribute is not None:
        yield _class_chart(diagnosis, f"By {diagnosis.attribute}")
    sides = [Row(interval_in_words(bar), (bar.pictures,)) for bar in diagnosis.sides]
    shapes = [Row(shape_in_words(bar), (bar.pictures,)) for bar in diagnosis.aspects]
    formats = [Row(kind, (count,)) for kind, count in diagnosis.formats.most_common()]
    charts = {"Shorter side, pixels": sides, "Shape, width : height": shapes, "Format and mode": formats}
    for title, rows in charts.items():
        yield _Chart(title, bar_chart(rows, title))


def _class_chart(diagnosis: Diagnosis, title: str) -> _Chart:
    """Return the chart of the largest classes, with both splits where some pictures are held out."""
    classes = sorted(diagnosis.classes.items(), key=lambda entry: -sum(entry[1].values()))
    rows = [Row(printable(name), (counts["train"], counts["test"])) for name, counts in classes]
    shown = rows[:MOST_CLASSES]
    both_splits = all(diagnosis.splits.values())
    return _Chart(title, bar_chart(shown, title), len(rows) - len(shown), both_splits=both_splits)
