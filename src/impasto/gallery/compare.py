"""One page that puts runs side by side: samples, measures, curves, settings that differ, time and memory.

The page is a single file that asks nothing of the network. It reads run folders only: unfinished ones too, without
samples or measures, of any method.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template

from impasto.gallery.charts import MOST_POINTS
from impasto.gallery.compare_measures import all_measures, foot_mark, measures_table, numbered_ways
from impasto.gallery.compare_tables import cost_table, settings_table
from impasto.gallery.compared import Run, differing_settings, read_runs, same_pictures
from impasto.gallery.measured import Reading
from impasto.gallery.overlay import Curve, last_value, overlay_chart, smoothed_curve
from impasto.gallery.page import FOOTER, Picture, Progress, hint, image, load_pictures, note, resource, write_page
from impasto.gallery.runs import Sample, evenly_spread
from impasto.gallery.swatch import run_class, swatch_and_name

PICTURE_BYTES = 5_000_000
"""What all pictures of a page may weigh; base64 adds a third."""

LONGEST_SIDE = 1200
"""Of a sheet, pixels: sharp enough to be enlarged beside others."""

MOST_SHEETS = 48
"""On a page, shared among its runs."""

CURVE_POINTS = 30_000
"""On a page, shared among its curves: some 2 MB."""

FEWEST_POINTS = 40
"""In a curve, however many share the page."""


def write_comparison(paths: Sequence[Path], target: Path, progress: Progress | None = None) -> list[Run]:
    """Write the page that compares one or more run folders to `target`; return what was read of them.

    Raises RunError for a folder that is none of a run, PictureError for a sheet that cannot be read, and OutputError
    when the page cannot be written.
    """
    runs = read_runs(paths)
    title = _title(runs)
    body = Template(resource("compare.html")).substitute(
        title=escape(title),
        summary=escape(_summary(runs)),
        key=_key(runs),
        samples=_samples(runs, progress),
        measures=measures_table(runs),
        curves=_curves(runs),
        settings=settings_table(runs),
        cost=cost_table(runs),
        footer=FOOTER,
    )
    style = resource("report.css") + resource("compare.css")
    write_page(target, title=title, style=style, body=body, script=resource("compare.js"))
    return runs


# The head


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


def _key(runs: Sequence[Run]) -> str:
    entries = [
        f'<li><button type="button" class="{run_class(place)}" data-run="{place}" aria-pressed="true">'
        f"{swatch_and_name(place, run.name)}</button></li>"
        for place, run in enumerate(runs)
    ]
    return f'<ol class="key" aria-label="Runs shown in the curves">{"".join(entries)}</ol>'


# The samples


def _samples(runs: Sequence[Run], progress: Progress | None) -> str:
    share = max(2, MOST_SHEETS // len(runs))
    sheets = [evenly_spread(run.samples, share) for run in runs]
    if not any(sheets):
        return note("There are no samples yet.")
    wanted = [sheet.path for of_run in sheets for sheet in of_run]
    pictures = load_pictures(wanted, LONGEST_SIDE, PICTURE_BYTES, progress)
    moments = sorted({sheet.images_seen for of_run in sheets for sheet in of_run})
    figures = [_figure(place, run, sheets[place], pictures) for place, run in enumerate(runs)]
    said = "Sheets of the moment nearest to the one chosen. Press a sheet to enlarge the same place on all of them."
    others = "" if same_pictures(runs) else " The runs learned from different pictures: prompts may differ too."
    return f"""{hint(said + others)}
<p class="moment" hidden><label for="moment">Images seen</label> <strong>{moments[-1]:,}</strong>
<input id="moment" type="range" min="0" max="{len(moments) - 1}" step="1" value="{len(moments) - 1}"></p>
<div class="sheets" data-moments="{_moments(moments, sheets)}">
{"".join(figures)}
</div>"""


def _moments(moments: Sequence[int], sheets: Sequence[Sequence[Sample]]) -> str:
    """Return for each moment its images seen and the place of each run's nearest sheet, -1 where it has none."""
    return json.dumps([[moment, [_nearest(of_run, moment) for of_run in sheets]] for moment in moments])


def _nearest(sheets: Sequence[Sample], moment: int) -> int:
    distances = [abs(sheet.images_seen - moment) for sheet in sheets]
    return distances.index(min(distances)) if distances else -1


def _figure(place: int, run: Run, sheets: Sequence[Sample], pictures: Mapping[Path, Picture]) -> str:
    """Return a run's sheets, of which a page without its script shows the last."""
    shown = [_sheet(run, sheet, pictures[sheet.path], hidden=sheet != sheets[-1]) for sheet in sheets]
    label = escape(f"Enlarge {run.name}")
    button = f'<button type="button" aria-pressed="false" aria-label="{label}">{"".join(shown)}</button>'
    seen = f'<span class="seen">{_after(sheets[-1])}</span>' if sheets else ""
    return f"""<figure class="sheet {run_class(place)}">{button if sheets else note("No samples yet.")}
<figcaption>{swatch_and_name(place, run.name)} {seen}</figcaption></figure>
"""


def _sheet(run: Run, sheet: Sample, picture: Picture, *, hidden: bool) -> str:
    html = image(picture, f"Samples of {run.name} {_after(sheet)}")
    return html.replace("<img", f'<img data-seen="{_after(sheet)}"{" hidden" * hidden}', 1)


def _after(sheet: Sample) -> str:
    return f"after {sheet.images_seen:,} images"


# The curves


def _curves(runs: Sequence[Run]) -> str:
    charts = [*_measure_charts(runs), *_loss_charts(runs)]
    if not charts:
        return note("The journals hold no curves yet.")
    said = (
        "Point at a curve to read all of them at that moment. Press a run's name at the top of the page to hide its "
        "curves. Losses are smoothed, with the values as measured behind them; measures are dots with their intervals."
    )
    return f"""{hint(said)}
<div class="charts">
{"".join(charts)}
</div>"""


def _measure_charts(runs: Sequence[Run]) -> Iterator[str]:
    ways = numbered_ways(runs)
    for measure in all_measures(runs):
        curves = {
            place: _measure_curve(run.measures[measure]) for place, run in enumerate(runs) if measure in run.measures
        }
        yield _chart(measure.name, foot_mark(measure, ways), curves, runs)


def _measure_curve(readings: Sequence[Reading]) -> Curve:
    return Curve(
        [(reading.images_seen, reading.value) for reading in readings],
        [],
        [(reading.images_seen, *reading.interval) for reading in readings if reading.interval],
    )


def _loss_charts(runs: Sequence[Run]) -> Iterator[str]:
    points = CURVE_POINTS // max(1, sum(len(run.curves) for run in runs))
    most_points = max(FEWEST_POINTS, min(MOST_POINTS, points))
    for name in dict.fromkeys(name for run in runs for name in run.curves):
        curves = {
            place: smoothed_curve(run.curves[name], most_points) for place, run in enumerate(runs) if name in run.curves
        }
        yield _chart(name, "", curves, runs)


def _chart(name: str, mark: str, curves: Mapping[int, Curve], runs: Sequence[Run]) -> str:
    images = max(run.images_seen for run in runs)
    readings = [
        f'<li data-run="{place}">{swatch_and_name(place, runs[place].name)}<output>{_last(curve)}</output></li>'
        for place, curve in curves.items()
    ]
    return f"""<figure class="chart">
<figcaption>{escape(name)}{mark} <span class="at">last values</span></figcaption>
{overlay_chart(name, curves, [run.name for run in runs], images)}
<ul class="readings">{"".join(readings)}</ul>
</figure>
"""


def _last(curve: Curve) -> str:
    last = last_value(curve)
    return f"{last[1]:.4g}" if last else "none"
