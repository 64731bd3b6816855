"""The result of a table: measured and published values, and the training budget."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import correlation, fmean
from typing import Any, Literal, NamedTuple

from impasto import __version__
from impasto.evaluation.label_consistency import Consistency
from impasto.evaluation.record import Interval, Measure, Record
from impasto.tables.options import Published, Table

Side = Literal["ours", "published"]
IN_PERCENT = frozenset({"top1"})
"""Metrics that papers print in percent. Evaluators return them as shares."""


class Budget(NamedTuple):
    """The training cost of a painter. For two stages, only the second one."""

    images_seen: int
    published_images: int | None
    """Training images that the published model has seen. None if unknown."""
    seconds: float
    """Time of training."""
    devices: tuple[str, ...]
    """Devices in the order of use."""

    @property
    def share(self) -> float | None:
        """Images seen divided by the images of the published model. None if unknown."""
        return self.images_seen / self.published_images if self.published_images else None


class Value(NamedTuple):
    """A value as papers print it."""

    value: float
    spread: float | None = None
    interval: Interval | None = None


class ByClass(NamedTuple):
    """Values of classes, and figures over all classes."""

    values: Mapping[str, float]
    counts: Mapping[str, int]
    """Number of real pictures of each class, if known."""

    @property
    def mean(self) -> float:
        """Mean over classes. All classes have the same weight."""
        return fmean(self.values.values())

    def correlation(self, *, of_logarithms: bool) -> float | None:
        """Return the Pearson correlation of value and count, or log count. None if either is constant."""
        known = [name for name in self.values if name in self.counts]
        values = [self.values[name] for name in known]
        counts = [math.log(self.counts[name]) if of_logarithms else float(self.counts[name]) for name in known]
        varied = len(set(values)) > 1 and len(set(counts)) > 1
        return correlation(values, counts) if varied else None


@dataclass(frozen=True)
class RowResult:
    """The result of one row."""

    name: str
    painter: Path
    """The checkpoint that was evaluated."""
    budget: Budget
    records: Sequence[Record]
    """One record for each feature extractor."""
    published: Mapping[str, Published]

    @property
    def measures(self) -> list[Measure]:
        """All measured values."""
        return [measure for record in self.records for measure in record.measures]

    def side(self, side: Side) -> dict[str, Value]:
        """Return the values of one side by metric, as papers print them. Published values of classes are averaged."""
        if side == "ours":
            return {measure.name: _as_printed(measure) for measure in self.measures}
        return {name: _published(value) for name, value in self.published.items()}


class Mixed(NamedTuple):
    """The label consistency of a mixing matrix."""

    consistency: Consistency
    classifier: str
    """Name of the classifier."""
    classes: int
    """Number of classes that the classifier knows."""


class Drawn(NamedTuple):
    """A drawn figure of a table."""

    path: Path
    mixed: Mixed | None = None
    """Only for a mixing matrix of a table with a classifier."""


@dataclass(frozen=True)
class TableResult:
    """An evaluated table."""

    name: str
    table: Table
    rows: Sequence[RowResult]
    figures: Mapping[str, Drawn]
    """Figures by name. Empty before they are drawn: a table is also written earlier."""

    def by_class(self, row: RowResult) -> Iterator[tuple[Side, ByClass]]:
        """Yield each side of a row that has values of classes."""
        for measure in row.measures:
            if measure.name == "fid-by-class":
                counts = {name: real for name, (real, _) in measure.details["counts"].items()}
                yield "ours", ByClass(measure.details["by_class"], counts)
        if isinstance(values := row.published.get("fid-by-class"), Mapping):
            yield "published", ByClass(values, self.table.class_counts)

    def to_json(self) -> dict[str, Any]:
        """Return JSON values: everything measured, published and used."""
        return {
            "impasto": __version__,
            "table": self.name,
            **self.table.model_dump(mode="json", include={"source", "notes", "evaluator", "class_counts"}),
            "in_percent": sorted(IN_PERCENT),
            "rows": [_row_in_json(row) for row in self.rows],
            "figures": {name: _figure_in_json(drawn) for name, drawn in self.figures.items()},
        }


def _row_in_json(row: RowResult) -> dict[str, Any]:
    return {
        "name": row.name,
        "painter": str(row.painter),
        "ours": {name: value._asdict() for name, value in row.side("ours").items()},
        "published": {name: value._asdict() for name, value in row.side("published").items()},
        "published_by_class": row.published.get("fid-by-class"),
        "budget": {**row.budget._asdict(), "share_of_published": row.budget.share},
        "records": [asdict(record) for record in row.records],
    }


def _figure_in_json(drawn: Drawn) -> dict[str, Any]:
    if drawn.mixed is None:
        return {"file": drawn.path.name}
    return {"file": drawn.path.name, "classifier": drawn.mixed.classifier, **drawn.mixed.consistency.to_json()}


def _as_printed(measure: Measure) -> Value:
    scale = 100 if measure.name in IN_PERCENT else 1
    spread = None if measure.spread is None else scale * measure.spread
    interval = measure.interval and Interval(scale * measure.interval.low, scale * measure.interval.high)
    return Value(scale * measure.value, spread, interval)


def _published(value: Published) -> Value:
    if isinstance(value, Mapping):
        return Value(fmean(value.values()))
    return Value(*value) if isinstance(value, tuple) else Value(value)
