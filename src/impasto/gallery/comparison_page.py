"""The page that shows runs side by side: samples, metrics, curves, settings that differ, time and memory.

It reads run folders only: of any method, unfinished ones too, also without samples or metrics.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from impasto.gallery.comparison_metrics import all_metrics, footnote, metrics_table, numbered_setups
from impasto.gallery.comparison_runs import Run, differing_settings, equal_settings, read_runs, same_pictures
from impasto.gallery.comparison_tables import COST_COLUMNS, cost_rows, damage_remarks, settings_rows
from impasto.gallery.curves import MOST_POINTS
from impasto.gallery.metric_values import MetricValue
from impasto.gallery.page import write_page
from impasto.gallery.pictures import Picture, Progress, load_pictures
from impasto.gallery.run_colours import run_colour
from impasto.gallery.run_reader import Sample, evenly_spread
from impasto.gallery.runs_chart import Curve, last_value, runs_chart, smoothed_curve

PICTURE_BYTES = 5_000_000
"""Most bytes of all pictures of a page; base64 adds a third."""

LONGEST_SIDE = 1200
"""Longer side of a sheet in pixels: sharp enough to be enlarged."""

MOST_SHEETS = 48
"""On a page, shared among its runs."""

CURVE_POINTS = 30_000
"""On a page, shared among its curves: some 2 MB."""

FEWEST_POINTS = 40
"""In a curve, however many share the page."""


class _Sheet(NamedTuple):
    images_seen: int
    picture: Picture


class _Shown(NamedTuple):
    """A run on the page."""

    name: str
    colour: str
    sheets: Sequence[_Sheet]


class _Reading(NamedTuple):
    """The last value of a run's curve."""

    place: int
    value: str


class _Chart(NamedTuple):
    name: str
    footnote: int | None
    svg: Markup
    readings: Sequence[_Reading]


def write_comparison(paths: Sequence[Path], target: Path, progress: Progress | None = None) -> list[Run]:
    """Write the page that compares one or more run folders to `target`; return the runs.

    Raises RunError for a folder that is no run folder, PictureError for a sheet that cannot be read, and OutputError
    when the page cannot be written.
    """
    runs = read_runs(paths)
    sheets = _load_sheets(runs, progress)
    moments = sorted({sheet.images_seen for of_run in sheets for sheet in of_run})
    write_page(
        target,
        "comparison.html",
        title=_title(runs),
        summary=_summary(runs),
        runs=[_Shown(run.name, run_colour(place), sheets[place]) for place, run in enumerate(runs)],
        moments=moments,
        moments_data=_moments_data(moments, sheets),
        same_pictures=same_pictures(runs),
        metrics=metrics_table(runs),
        charts=[*_metric_charts(runs), *_loss_charts(runs)],
        settings=settings_rows(runs),
        equal_settings=equal_settings(runs),
        cost_columns=COST_COLUMNS,
        costs=cost_rows(runs),
        damage=damage_remarks(runs),
    )
    return runs


def _title(runs: Sequence[Run]) -> str:
    if len(runs) > 3:
        return f"{len(runs)} runs side by side"
    *others, last = [run.name for run in runs]
    return f"{', '.join(others)} and {last}" if others else last


def _summary(runs: Sequence[Run]) -> str:
    methods = list(dict.fromkeys(run.settings.get("method.name", "an unknown method") for run in runs))
    if len(runs) == 1:
        return f"A run of {methods[0]}."
    differing = len(differing_settings(runs))
    return f"{len(runs)} runs of {' and '.join(methods)} that differ in {differing} setting{'s' * (differing != 1)}."


# Samples


def _load_sheets(runs: Sequence[Run], progress: Progress | None) -> list[list[_Sheet]]:
    share = max(2, MOST_SHEETS // len(runs))
    samples = [evenly_spread(run.samples, share) for run in runs]
    wanted = [sample.path for of_run in samples for sample in of_run]
    pictures = load_pictures(wanted, LONGEST_SIDE, PICTURE_BYTES, progress)
    return [[_sheet(sample, pictures) for sample in of_run] for of_run in samples]


def _sheet(sample: Sample, pictures: Mapping[Path, Picture]) -> _Sheet:
    return _Sheet(sample.images_seen, pictures[sample.path])


def _moments_data(moments: Sequence[int], sheets: Sequence[Sequence[_Sheet]]) -> str:
    """Return for each moment its images seen and the place of each run's nearest sheet, -1 for a run without sheets."""
    return json.dumps([[moment, [_nearest(of_run, moment) for of_run in sheets]] for moment in moments])


def _nearest(sheets: Sequence[_Sheet], moment: int) -> int:
    distances = [abs(sheet.images_seen - moment) for sheet in sheets]
    return distances.index(min(distances)) if distances else -1


# Curves


def _metric_charts(runs: Sequence[Run]) -> Iterator[_Chart]:
    setups = numbered_setups(runs)
    for metric in all_metrics(runs):
        curves = {place: _metric_curve(run.metrics[metric]) for place, run in enumerate(runs) if metric in run.metrics}
        yield _chart(metric.name, footnote(metric, setups), curves, runs)


def _metric_curve(values: Sequence[MetricValue]) -> Curve:
    return Curve(
        [(value.images_seen, value.value) for value in values],
        [],
        [(value.images_seen, *value.interval) for value in values if value.interval],
    )


def _loss_charts(runs: Sequence[Run]) -> Iterator[_Chart]:
    points = CURVE_POINTS // max(1, sum(len(run.curves) for run in runs))
    most_points = max(FEWEST_POINTS, min(MOST_POINTS, points))
    for name in dict.fromkeys(name for run in runs for name in run.curves):
        curves = {
            place: smoothed_curve(run.curves[name], most_points) for place, run in enumerate(runs) if name in run.curves
        }
        yield _chart(name, None, curves, runs)


def _chart(name: str, footnote: int | None, curves: Mapping[int, Curve], runs: Sequence[Run]) -> _Chart:
    images = max(run.images_seen for run in runs)
    readings = [_Reading(place, _last(curve)) for place, curve in curves.items()]
    return _Chart(name, footnote, runs_chart(name, curves, [run.name for run in runs], images), readings)


def _last(curve: Curve) -> str:
    last = last_value(curve)
    return f"{last[1]:.4g}" if last else "none"
