"""The doctor's page: what a collection holds and what is wrong with it, with the pictures in question side by side.

The page is a single file that asks nothing of the network and runs no script.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from string import Template

from PIL import ImageFile

from impasto.curation.doctor.diagnosis import Bar, Diagnosis
from impasto.curation.doctor.examine import TROUBLE, Record
from impasto.curation.doctor.findings import Case, Finding, Severity
from impasto.curation.doctor.names import printable
from impasto.data.pictures import read_picture
from impasto.errors import PictureError
from impasto.gallery.bars import Row, bar_chart
from impasto.gallery.page import FOOTER, encode, facts_list, hint, image, note, resource, within, write_page

MOST_CASES: Mapping[Severity, int] = {"grave": 48, "warning": 24, "remark": 12}
"""Pictures or groups shown of one finding; the others are counted."""
MOST_PICTURES = 400
"""On a page."""
MOST_OF_A_GROUP = 6
MOST_NAMES = 60
"""In a list of names without pictures."""
MOST_CLASSES = 40
LONGEST_SIDE = 256
"""Of a picture on the page, pixels: sharp on a phone's screen, and 10 KB or so."""
SMALL = 128
"""Pictures with fewer pixels on their longer side are enlarged without smoothing."""


def write_check_page(diagnosis: Diagnosis, target: Path, facts: Mapping[str, str] | None = None) -> Path:
    """Write the page of a diagnosis to `target` and return `target`; `facts` are short texts by name for its head.

    Raises OutputError when the page cannot be written.
    """
    title = f"Check-up of {_place(diagnosis)}"
    body = Template(resource("doctor.html")).substitute(
        title=escape(title),
        summary=escape(diagnosis.verdict()),
        facts=facts_list({**_facts(diagnosis), **(facts or {})}),
        overview=_overview(diagnosis.findings),
        findings="\n".join(_findings(diagnosis)),
        charts="\n".join(_charts(diagnosis)),
        footer=f"{FOOTER} Nothing in the folder was changed by looking at it.",
    )
    return write_page(target, title=title, style=resource("report.css") + resource("doctor.css"), body=body)


def bytes_in_words(count: int) -> str:
    """Return a size in the unit that suits it: `812 KB`, `1.4 GB`."""
    for unit, letter in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if count >= unit:
            return f"{count / unit:.3g} {letter}"
    return f"{count} bytes"


def interval_in_words(bar: Bar) -> str:
    """Return an interval of pixels: `below 32`, `256-511`, `from 4,096`."""
    if bar.high is None:
        return f"from {bar.low:,.0f}"
    return f"{bar.low:,.0f}-{bar.high - 1:,.0f}" if bar.low else f"below {bar.high:,.0f}"


def shape_in_words(bar: Bar) -> str:
    """Return an interval of width / height: `below 1:3`, `1:3 to 1:2`, `about square`, `1.5:1 to 2:1`."""
    if bar.high is None:
        return f"from {_ratio(bar.low)}"
    if bar.low < 1 < bar.high:
        return "about square"
    return f"{_ratio(bar.low)} to {_ratio(bar.high)}" if bar.low else f"below {_ratio(bar.high)}"


def _ratio(aspect: float) -> str:
    return f"{aspect:.3g}:1" if aspect >= 1 else f"1:{1 / aspect:.3g}"


# The head


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
        "weight": bytes_in_words(diagnosis.bytes),
    }


def _overview(findings: Sequence[Finding]) -> str:
    rows = [
        f'<li class="{finding.severity}"><a href="#{finding.kind}"><span class="severity">{finding.severity}</span>'
        f'<strong>{escape(finding.title)}</strong><span class="number">{_amount(finding)}</span></a></li>'
        for finding in findings
    ]
    return f'<ol class="overview">{"".join(rows)}</ol>' if rows else ""


def _amount(finding: Finding) -> str:
    groups = sum(len(case.names) > 1 for case in finding.cases)
    if groups:
        return f"{groups:,} group{'s' * (groups != 1)}"
    return f"{finding.files or len(finding.cases):,}"


# The findings


def _findings(diagnosis: Diagnosis) -> Iterator[str]:
    left = MOST_PICTURES
    for finding in diagnosis.findings:
        cases, left = _chosen(finding, left)
        more = len(finding.cases) - len(cases)
        rest = note(f"and {more:,} more: impasto data check --output-json FILE lists all of them.") if more else ""
        kind, severity = finding.kind, finding.severity
        yield f"""<section class="finding {severity}" id="{kind}" aria-labelledby="{kind}-title">
<div>
<span class="severity">{severity}</span>
<h2 id="{kind}-title">{escape(finding.title)}</h2>
{_with_options(hint(finding.says))}
</div>
<div>
{_cases(cases, diagnosis)}
{rest}
</div>
</section>"""


def _with_options(html: str) -> str:
    """Set the command's options apart, so that their hyphens are no place to break a line."""
    return re.sub(r"(--[a-z]+( DIR)?)", r"<code>\1</code>", html)


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


def _cases(cases: Sequence[Case], diagnosis: Diagnosis) -> str:
    if any(case.places for case in cases):
        shown = [_group(case, diagnosis) if len(case.places) > 1 else _single(case, diagnosis) for case in cases]
        return f'<div class="cases">{"".join(shown)}</div>'
    named = [f"<li>{_breakable(name)}</li>" for case in cases for name in case.names]
    said = [f"<li>{escape(printable(case.note))}</li>" for case in cases if not case.names]
    lists = ('<ul class="names">', named), ('<ul class="names sentences">', said)
    return "".join(f"{start}{''.join(items)}</ul>" for start, items in lists if items)


def _single(case: Case, diagnosis: Diagnosis) -> str:
    return _figure(case.places[0], diagnosis, frozenset(), case.note)


def _group(case: Case, diagnosis: Diagnosis) -> str:
    """Lay the pictures of a group side by side, with the splits or classes marked where they disagree."""
    items = [diagnosis.survey.item_of(place) for place in case.places]
    tags = [_tags(place, diagnosis) for place in case.places]
    at_odds = frozenset(tag for tag in itertools.chain(*tags) if not all(tag in others for others in tags))
    figures = [_figure(place, diagnosis, at_odds) for place in _spread(case.places, diagnosis)]
    more = len(items) - len(figures)
    words = [case.note, f"{more:,} more" if more else ""]
    said = ", ".join(word for word in words if word)
    return f'<div class="group"><div class="pictures">{"".join(figures)}</div><p class="said">{escape(said)}</p></div>'


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


def _figure(place: int, diagnosis: Diagnosis, at_odds: frozenset[str], said: str = "") -> str:
    name, record = diagnosis.survey.subjects[place].name, diagnosis.survey.records[place]
    tags = [
        f'<span class="tag{" at-odds" * (tag in at_odds)}">{escape(printable(tag))}</span>'
        for tag in _tags(place, diagnosis)
    ]
    words = [f'<span class="said">{escape(printable(text))}</span>' for text in (said, _measures(record)) if text]
    return f"""<figure class="shown">{_picture(place, diagnosis)}
<figcaption><span class="name">{_breakable(name)}</span>{"".join(tags)}{"".join(words)}</figcaption></figure>"""


def _measures(record: Record) -> str:
    size = f"{record.width:,} x {record.height:,}, " if record.width else ""
    return size + bytes_in_words(record.size) if record.size else ""


def _picture(place: int, diagnosis: Diagnosis) -> str:
    record, subject = diagnosis.survey.records[place], diagnosis.survey.subjects[place]
    blank = '<div class="blank">{}</div>'
    if record.fault in ("not-a-picture", "unopened"):
        return blank.format("nothing to show")
    if record.fault is None and not record.thumbnail:
        return blank.format(f"{record.width:,} x {record.height:,} pixels")
    try:
        with _whatever_is_left():
            pixels = within(read_picture(subject.stored, at_least=LONGEST_SIDE), LONGEST_SIDE)
    except (PictureError, *TROUBLE):  # damaged beyond showing, or gone by now
        return blank.format("cannot be shown")
    html = image(encode(pixels), printable(subject.name))
    return html.replace("<img", '<img class="small"', 1) if max(pixels.size) < SMALL else html


@contextmanager
def _whatever_is_left() -> Iterator[None]:
    """Let Pillow decode what there is of a picture that is cut off."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _breakable(name: str) -> str:
    """Escape a file name and let its line break after a slash or an underscore."""
    return escape(printable(name)).replace("/", "/<wbr>").replace("_", "_<wbr>")


# The charts


def _charts(diagnosis: Diagnosis) -> Iterator[str]:
    splits = diagnosis.splits
    both = all(splits.values())
    if diagnosis.attribute is not None:
        classes = sorted(diagnosis.classes.items(), key=lambda entry: -sum(entry[1].values()))
        rows = [Row(printable(name), (counts["train"], counts["test"])) for name, counts in classes]
        left = note(f"and {len(rows) - MOST_CLASSES:,} smaller ones.") if len(rows) > MOST_CLASSES else ""
        yield _chart(f"By {diagnosis.attribute}", rows[:MOST_CLASSES], both_splits=both) + left
    yield _chart("Shorter side, pixels", [Row(interval_in_words(bar), (bar.pictures,)) for bar in diagnosis.sides])
    yield _chart("Shape, width : height", [Row(shape_in_words(bar), (bar.pictures,)) for bar in diagnosis.aspects])
    yield _chart("Format and mode", [Row(kind, (count,)) for kind, count in diagnosis.formats.most_common()])


def _chart(title: str, rows: Sequence[Row], *, both_splits: bool = False) -> str:
    key = '<br><span class="part-0">train</span><span class="part-1">test</span>' if both_splits else ""
    return f"""<figure class="chart">
<figcaption class="key">{escape(title)}{key}</figcaption>
{bar_chart(rows, title)}
</figure>"""
