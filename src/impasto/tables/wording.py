"""The texts of a table: the same cells for the terminal, Markdown and HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from impasto.durations import as_clock
from impasto.evaluation.record import Record
from impasto.tables.result import IN_PERCENT, Budget, ByClass, RowResult, Side, TableResult, Value

NOTHING = "–"


class Grid(NamedTuple):
    """Rows of short texts under a heading. The first column holds their names."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def grids(result: TableResult) -> Iterator[Grid]:
    """Yield measured and published values, then values of classes, then the budget of each row."""
    if not result.rows:
        return
    yield _figures(result)
    if classes := _classes(result):
        yield classes
    yield Grid(
        "Budget",
        ("", "training images", "published", "share", "time, h:mm:ss", "device"),
        [(row.name, *_budget(row.budget)) for row in result.rows],
    )


def remarks(result: TableResult) -> Iterator[str]:
    """Yield the sentences that a reader needs to interpret the table."""
    yield from _sentences_of(result.rows, lambda record: [_how(record)])
    for name, drawn in result.figures.items():
        if drawn.mixed is not None:
            sentence = drawn.mixed.consistency.sentence(drawn.mixed.classifier, drawn.mixed.classes)
            yield f"{name}: {sentence}."
    yield from result.table.notes
    yield from _sentences_of(result.rows, lambda record: [f"{warning}." for warning in record.warnings])


def to_markdown(result: TableResult) -> str:
    """Return the table as Markdown, with its figures."""
    parts = [f"# {_plain(result.name)}", _plain(f"{result.table.about.does} {result.table.source}.")]
    for grid in grids(result):
        parts += [f"## {grid.title}", _markdown_table(grid)]
    for figure in result.table.figures:
        if drawn := result.figures.get(figure.name):
            caption = _plain(figure.caption)
            parts += [f"## {caption}", f"![{caption}]({drawn.path.name})"]
    if notes := [f"- {_plain(remark)}" for remark in remarks(result)]:
        parts += ["## Notes", "\n".join(notes)]
    return "\n\n".join(parts) + "\n"


def value_text(name: str, value: Value | None) -> str:
    """Return a value as papers print it: `1.34 ± 0.08`, `21.47 % (20.8 to 22.1)`."""
    if value is None:
        return NOTHING
    percent = " %" if name in IN_PERCENT else ""
    spread = "" if value.spread is None else f" ± {number(value.spread)}"
    interval = f" ({number(value.interval.low)} to {number(value.interval.high)})" if value.interval else ""
    return f"{number(value.value)}{percent}{spread or interval}"


def number(value: float) -> str:
    """Return a value with two decimals, as papers print it. Small values get two significant digits."""
    return f"{value:,.2f}" if abs(value) >= 0.095 or value == 0 or round(value, 2) == value else f"{value:.2g}"


def _figures(result: TableResult) -> Grid:
    """Return a grid with a column for each metric and side that has values."""
    sides: tuple[Side, ...] = ("ours", "published")
    known = {(name, side) for row in result.rows for side in sides for name in row.side(side)}
    metrics = dict.fromkeys(name for side in sides for row in result.rows for name in row.side(side))
    columns = [(name, side) for name in metrics for side in sides if (name, side) in known]
    rows = [(row.name, *(value_text(name, row.side(side).get(name)) for name, side in columns)) for row in result.rows]
    return Grid("Measured and published", ("", *(f"{name}, {side}" for name, side in columns)), rows)


def _classes(result: TableResult) -> Grid | None:
    """Return a grid with a row for each class and a column for each row of the table."""
    sides = [(row.name, side, values) for row in result.rows for side, values in result.by_class(row)]
    if not sides:
        return None
    names = list(dict.fromkeys(name for _, _, values in sides for name in values.values))
    heads = [*names, "mean", "correlation with count", "correlation with log count"]
    columns = [_class_column(names, values) for _, _, values in sides]
    return Grid(
        "FID of each class",
        ("", *(f"{row}, {side}" for row, side, _ in sides)),
        list(zip(heads, *columns, strict=True)),
    )


def _class_column(names: Sequence[str], values: ByClass) -> list[str]:
    correlations = [values.correlation(of_logarithms=logarithms) for logarithms in (False, True)]
    found = [*(values.values.get(name) for name in names), values.mean, *correlations]
    return [NOTHING if value is None else number(value) for value in found]


def _budget(budget: Budget) -> tuple[str, ...]:
    published = NOTHING if budget.published_images is None else f"{budget.published_images:,}"
    share = NOTHING if budget.share is None else f"{100 * budget.share:.3g} %"
    devices = ", then ".join(budget.devices) or NOTHING
    return f"{budget.images_seen:,}", published, share, as_clock(budget.seconds), devices


def _how(record: Record) -> str:
    """Return a sentence with the metrics, images, reference and features of a record."""
    metrics = ", ".join(measure.name for measure in record.measures)
    against = f" against {record.reference_images:,} of {record.reference}" if record.reference else ""
    if (about := record.extractor) is None:
        return f"{metrics} of {record.images:,} images{against}."
    accuracy = next(
        (found for m in record.measures if (found := m.details.get("classifier_accuracy")) is not None), None
    )
    right = "" if accuracy is None else f", a classifier with {accuracy:.1%} accuracy on held-out pictures"
    weights = f"weights {about.weights or 'none'}, {about.resize}, {about.precision}"
    return f"{metrics} of {record.images:,} images{against}, features {about.name} ({weights}){right}."


def _sentences_of(rows: Sequence[RowResult], sentences: Callable[[Record], Iterable[str]]) -> Iterator[str]:
    """Yield each sentence once. If it is not true for all rows, their names come first."""
    found: dict[str, list[str]] = {}
    for row in rows:
        for sentence in dict.fromkeys(each for record in row.records for each in sentences(record)):
            found.setdefault(sentence, []).append(row.name)
    for sentence, names in found.items():
        yield sentence if len(names) == len(rows) else f"{', '.join(names)}: {sentence}"


def _markdown_table(grid: Grid) -> str:
    lines = [grid.columns, tuple("---" if place == 0 else "---:" for place in range(len(grid.columns))), *grid.rows]
    return "\n".join(f"| {' | '.join(map(_plain, line))} |" for line in lines)


def _plain(text: str) -> str:
    """Escape characters that have a meaning in Markdown or HTML."""
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", " ".join(text.split()))
