"""The table of a comparison that shows the metrics of each run: the best and the last value of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from impasto.gallery.comparison_runs import Mean, Run, mean_over_seeds, seed_groups
from impasto.gallery.metric_values import UNKNOWN, Metric, MetricValue, Setup, best_value, last_value
from impasto.gallery.page import figure

Choice = Callable[[Sequence[MetricValue]], MetricValue | None]
"""Picks one of a run's values: its best or its last."""


class Cell(NamedTuple):
    """A cell of the table; its texts are empty where there is nothing to show."""

    value: str = ""
    interval: str = ""
    when: str = ""
    best_of_column: bool = False


class Heading(NamedTuple):
    """The heading of a metric, over the cells `best` and `last`."""

    name: str
    footnote: int | None
    better: str | None
    choices: Sequence[str]


class Row(NamedTuple):
    """A run, or the mean of runs that differ in their seed only."""

    place: int | None
    """Of the run on the page; None for a mean."""
    name: str
    cells: Sequence[Cell]


class Remark(NamedTuple):
    """A sentence without which the table can be misread, with an optional lead in bold or a footnote's number."""

    text: str
    lead: str = ""
    number: int | None = None


@dataclass(frozen=True)
class MetricsTable:
    """The metrics of several runs."""

    headings: Sequence[Heading]
    rows: Sequence[Row]
    remarks: Sequence[Remark]


def numbered_setups(runs: Sequence[Run]) -> dict[Setup, int]:
    """Return the setups in which metrics were measured, numbered from 1 in the order they first appear."""
    setups = dict.fromkeys(metric.setup for run in runs for metric in run.metrics)
    return {setup: number for number, setup in enumerate(setups, start=1)}


def all_metrics(runs: Sequence[Run]) -> list[Metric]:
    """Return the metrics of all runs; those of one name stand beside each other."""
    found = dict.fromkeys(metric for run in runs for metric in run.metrics)
    names = list(dict.fromkeys(metric.name for metric in found))
    return sorted(found, key=lambda metric: names.index(metric.name))


def footnote(metric: Metric, setups: Mapping[Setup, int]) -> int | None:
    """Return the number of a metric's setup, where there is more than one setup."""
    return setups[metric.setup] if len(setups) > 1 else None


def metrics_table(runs: Sequence[Run]) -> MetricsTable:
    """Return the table of metrics: a row for each run, and one for each mean over seeds."""
    metrics, setups = all_metrics(runs), numbered_setups(runs)
    columns = [_Column(metric, runs) for metric in metrics]
    return MetricsTable(
        [
            Heading(column.metric.name, footnote(column.metric, setups), column.better, list(column.choices))
            for column in columns
        ],
        [row for group in seed_groups(runs) for row in _group_rows(group, runs, columns)],
        [*_how_measured(setups, metrics), *_unequal_counts(columns), *_warnings(runs)],
    )


class _Column:
    """A metric of several runs: the best and the last value of each, or only the last where no direction is better."""

    def __init__(self, metric: Metric, runs: Sequence[Run]) -> None:
        self.metric = metric
        self.values = {run.path: run.metrics.get(metric, []) for run in runs}
        known = [value.better for values in self.values.values() for value in values]
        self.better = next((better for better in known if better), None)
        self.choices: dict[str, Choice] = {"best": best_value, "last": last_value}
        if self.better is None:
            del self.choices["best"]

    def cells(self, run: Run) -> list[Cell]:
        """Return a run's cells."""
        return [self._cell(run, choice) for choice in self.choices.values()]

    def mean_cells(self, group: Sequence[Run]) -> list[Cell]:
        """Return the cells of a mean over seeds."""
        return [self._mean_cell(group, choice) for choice in self.choices.values()]

    def image_counts(self) -> list[int]:
        """Return the number of images that were evaluated last, of each run that tells it."""
        last = [last_value(values) for values in self.values.values()]
        return [value.images for value in last if value and value.images is not None]

    def _cell(self, run: Run, choice: Choice) -> Cell:
        value = choice(self.values[run.path])
        if value is None:
            return Cell()
        best = value.value == self._best(choice)
        return Cell(figure(value.value), _interval(value), f"at {value.images_seen:,}", best)

    def _mean_cell(self, group: Sequence[Run], choice: Choice) -> Cell:
        chosen = [choice(self.values[run.path]) for run in group]
        known = [value for value in chosen if value]
        if len(known) < 2:
            return Cell()
        mean = mean_over_seeds([value.value for value in known])
        return Cell(figure(mean.value), _between(mean), f"{_moments(known)}, {len(known)} seeds")

    def _best(self, choice: Choice) -> float | None:
        """Return the best of the chosen values, if there are several and a direction is better."""
        chosen = [choice(values) for values in self.values.values()]
        values = [value.value for value in chosen if value]
        if self.better is None or len(values) < 2:
            return None
        return min(values) if self.better == "lower" else max(values)


def _group_rows(group: Sequence[Run], runs: Sequence[Run], columns: Sequence[_Column]) -> Iterator[Row]:
    """Yield a row for each run that shares everything but the seed, then the row of their means."""
    for run in group:
        yield Row(runs.index(run), run.name, [cell for column in columns for cell in column.cells(run)])
    if len(group) > 1:
        cells = [cell for column in columns for cell in column.mean_cells(group)]
        yield Row(None, f"mean of {len(group)} seeds", cells)


def _interval(value: MetricValue) -> str:
    if value.interval:
        return f"({figure(value.interval[0])} to {figure(value.interval[1])})"
    return f"± {figure(value.spread)}" if value.spread is not None else ""


def _between(mean: Mean) -> str:
    return f"({figure(mean.low)} to {figure(mean.high)})"


def _moments(values: Sequence[MetricValue]) -> str:
    """Return the moment of several values, or the first and the last of their moments."""
    first, last = (choose(value.images_seen for value in values) for choose in (min, max))
    return f"at {first:,}" if first == last else f"at {first:,} to {last:,}"


def _how_measured(setups: Mapping[Setup, int], metrics: Sequence[Metric]) -> Iterator[Remark]:
    for setup, number in setups.items():
        yield Remark(_told(setup), number=number if len(setups) > 1 else None)
    names = [metric.name for metric in metrics]
    split = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if split:
        text = "values of different extractors, or against different references, are not comparable."
        yield Remark(text, lead=f"Several columns of {', '.join(split)}:")


def _told(setup: Setup) -> str:
    if setup.extractor is None and setup.reference == UNKNOWN:
        return "The journal does not say how this was measured; such values may not be comparable."
    if setup.extractor is None:
        return f"Against {setup.reference}, without a feature extractor."
    name, weights, resize, precision = setup.extractor
    published = "" if setup.comparable else "; not comparable with published values"
    return (
        f"Against {setup.reference}, features of {name} (weights {weights or 'none'}, resize {resize}, {precision})"
        f"{published}."
    )


def _unequal_counts(columns: Sequence[_Column]) -> Iterator[Remark]:
    for column in columns:
        counts = column.image_counts()
        if len(set(counts)) > 1:
            yield Remark(
                "metrics such as FID fall as this number grows, whatever the images show.",
                lead=f"{column.metric.name} was computed from {min(counts):,} to {max(counts):,} images:",
            )


def _warnings(runs: Sequence[Run]) -> Iterator[Remark]:
    for warning in dict.fromkeys(warning for run in runs for warning in run.warnings):
        names = [run.name for run in runs if warning in run.warnings]
        concerned = "" if len(names) == len(runs) else f" ({', '.join(names)})"
        yield Remark(f"{warning}{concerned}", lead="Warning:")
