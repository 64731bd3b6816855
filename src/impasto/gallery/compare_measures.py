"""The table of a comparison that shows what the judge measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape

from impasto.gallery.compared import Mean, Run, mean_over_seeds, seed_groups
from impasto.gallery.measured import UNKNOWN, Measure, Reading, Way, best_reading, last_reading
from impasto.gallery.page import NOTHING, figure, hint, note, remarks
from impasto.gallery.swatch import swatch_and_name

Choice = Callable[[Sequence[Reading]], Reading | None]
"""Picks one of a run's readings: its best or its last."""


def numbered_ways(runs: Sequence[Run]) -> dict[Way, int]:
    """Return the ways in which something was measured, numbered from 1 in the order they first appear."""
    ways = dict.fromkeys(measure.way for run in runs for measure in run.measures)
    return {way: number for number, way in enumerate(ways, start=1)}


def all_measures(runs: Sequence[Run]) -> list[Measure]:
    """Return what was measured of any run, one name's measures beside each other."""
    found = dict.fromkeys(measure for run in runs for measure in run.measures)
    names = list(dict.fromkeys(measure.name for measure in found))
    return sorted(found, key=lambda measure: names.index(measure.name))


def foot_mark(measure: Measure, ways: Mapping[Way, int]) -> str:
    """Return the number that says how it was measured, where runs were measured in more than one way."""
    return f"<sup>{ways[measure.way]}</sup>" if len(ways) > 1 else ""


def measures_table(runs: Sequence[Run]) -> str:
    """Return the table of measures, a row for each run, and what must be known to read it."""
    measures = all_measures(runs)
    if not measures:
        return note("None of these runs has been judged." if len(runs) > 1 else "This run has not been judged.")
    ways = numbered_ways(runs)
    columns = [_Column(measure, runs) for measure in measures]
    groups = seed_groups(runs)
    rows = "".join(row for group in groups for row in _group_rows(group, runs, columns))
    said = (
        "The best value of each column is marked. Intervals are in brackets, those of means hold with 95 % (Student's "
        "t): where they overlap, the order may be chance. A run's best value was chosen after looking, which flatters "
        "runs that were judged more often."
    )
    return f"""{hint(said)}
<div class="wide"><table class="measures">
<thead><tr><th rowspan="2" scope="col">run</th>{"".join(column.heading(ways) for column in columns)}</tr>
<tr>{"".join(column.subheadings() for column in columns)}</tr></thead>
<tbody>
{rows}</tbody>
</table></div>
{remarks([*_how_measured(ways, measures), *_unequal_counts(columns), *_warnings(runs)])}"""


class _Column:
    """A measure of several runs: the best and the last of each, or only the last where no way is better."""

    def __init__(self, measure: Measure, runs: Sequence[Run]) -> None:
        self.measure = measure
        self.readings = {run.path: run.measures.get(measure, []) for run in runs}
        known = [reading.better for readings in self.readings.values() for reading in readings]
        self.better = next((better for better in known if better), None)
        self.choices: dict[str, Choice] = {"best": best_reading, "last": last_reading}
        if self.better is None:
            del self.choices["best"]

    def heading(self, ways: Mapping[Way, int]) -> str:
        """Return the cell that names the measure."""
        direction = f'<span class="better">{self.better} is better</span>' if self.better else ""
        name = f"{escape(self.measure.name)}{foot_mark(self.measure, ways)}"
        return f'<th class="measure" scope="colgroup" colspan="{len(self.choices)}">{name}{direction}</th>'

    def subheadings(self) -> str:
        """Return the cells that say best and last."""
        return "".join(f'<th scope="col">{choice}</th>' for choice in self.choices)

    def cells(self, run: Run) -> str:
        """Return a run's cells."""
        return "".join(self._cell(run, choice) for choice in self.choices.values())

    def mean_cells(self, group: Sequence[Run]) -> str:
        """Return the cells of a mean over seeds."""
        return "".join(self._mean_cell(group, choice) for choice in self.choices.values())

    def counts(self) -> dict[str, int]:
        """Return how many images were judged last, by the path of the run, where that is told."""
        last = {str(path): last_reading(readings) for path, readings in self.readings.items()}
        return {path: reading.images for path, reading in last.items() if reading and reading.images is not None}

    def _cell(self, run: Run, choice: Choice) -> str:
        reading = choice(self.readings[run.path])
        if reading is None:
            return NOTHING
        won = reading.value == self._winner(choice)
        interval = f'<span class="interval">{_interval(reading)}</span>' if _interval(reading) else ""
        return (
            f"<td{' class=winner' * won}>{_value(reading.value, won=won)}{interval}"
            f'<span class="when">at {reading.images_seen:,}</span></td>'
        )

    def _mean_cell(self, group: Sequence[Run], choice: Choice) -> str:
        chosen = [choice(self.readings[run.path]) for run in group]
        known = [reading for reading in chosen if reading]
        if len(known) < 2:
            return NOTHING
        mean = mean_over_seeds([reading.value for reading in known])
        return f'<td>{_value(mean.value)}<span class="interval">{_between(mean)}</span>{_when(known)}</td>'

    def _winner(self, choice: Choice) -> float | None:
        """Return the best of the chosen values, if there is anything to be better than."""
        chosen = [choice(readings) for readings in self.readings.values()]
        values = [reading.value for reading in chosen if reading]
        if self.better is None or len(values) < 2:
            return None
        return min(values) if self.better == "lower" else max(values)


def _group_rows(group: Sequence[Run], runs: Sequence[Run], columns: Sequence[_Column]) -> Iterator[str]:
    """Yield a row for each run that shares everything but the seed, then the row of their means."""
    for run in group:
        cells = "".join(column.cells(run) for column in columns)
        yield f'<tr><th scope="row">{swatch_and_name(runs.index(run), run.name)}</th>{cells}</tr>\n'
    if len(group) > 1:
        cells = "".join(column.mean_cells(group) for column in columns)
        yield f'<tr class="mean"><th scope="row">mean of {len(group)} seeds</th>{cells}</tr>\n'


def _value(value: float, *, won: bool = False) -> str:
    written = figure(value)
    return f'<strong>{written}</strong><span class="spoken"> best of its column</span>' if won else written


def _interval(reading: Reading) -> str:
    if reading.interval:
        return f"({figure(reading.interval[0])} to {figure(reading.interval[1])})"
    return f"± {figure(reading.spread)}" if reading.spread is not None else ""


def _between(mean: Mean) -> str:
    return f"({figure(mean.low)} to {figure(mean.high)})"


def _when(readings: Sequence[Reading]) -> str:
    """Return the moment of several readings, or the first and the last of their moments."""
    first, last = (choose(reading.images_seen for reading in readings) for choose in (min, max))
    moment = f"at {first:,}" if first == last else f"at {first:,} to {last:,}"
    return f'<span class="when">{moment}, {len(readings)} seeds</span>'


def _how_measured(ways: Mapping[Way, int], measures: Sequence[Measure]) -> Iterator[str]:
    for way, number in ways.items():
        yield (f"<sup>{number}</sup> " if len(ways) > 1 else "") + escape(_told(way))
    names = [measure.name for measure in measures]
    split = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if split:
        yield (
            f"<strong>Several columns of {escape(', '.join(split))}</strong>: figures of different extractors, or "
            "against different references, are not comparable."
        )


def _told(way: Way) -> str:
    if way.extractor is None and way.reference == UNKNOWN:
        return "How this was measured is not told; such figures need not be comparable."
    if way.extractor is None:
        return f"Against {way.reference}, without a feature extractor."
    name, weights, resize, precision = way.extractor
    published = "" if way.comparable else "; not comparable with published figures"
    return (
        f"Against {way.reference}, features of {name} (weights {weights or 'none'}, resize {resize}, {precision})"
        f"{published}."
    )


def _unequal_counts(columns: Sequence[_Column]) -> Iterator[str]:
    for column in columns:
        counts = column.counts().values()
        if len(set(counts)) > 1:
            yield (
                f"<strong>{escape(column.measure.name)} is made of {min(counts):,} to {max(counts):,} images</strong>: "
                "a measure such as FID falls as their number grows, whatever they show."
            )


def _warnings(runs: Sequence[Run]) -> Iterator[str]:
    for warning in dict.fromkeys(warning for run in runs for warning in run.warnings):
        names = [run.name for run in runs if warning in run.warnings]
        of = "" if len(names) == len(runs) else f" ({escape(', '.join(names))})"
        yield f"<strong>Warning:</strong> {escape(warning)}{of}"
