"""One page that shows what a training run learned: pictures, samples along the way, loss curves, settings.

The page is a single file that asks nothing of the network: style, script and pictures stand inside it. It reads the
run folder only, so that it can be made during a run, after it, or from a folder that somebody sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import NamedTuple

from impasto.gallery.charts import Series, line_chart
from impasto.gallery.page import FOOTER, Picture, facts_list, hint, image, load_pictures, note, resource, write_page
from impasto.gallery.runs import Sample, evenly_spread, find_samples, read_settings, read_story, scalar_curves
from impasto.run_folder import RunFolder

PICTURE_BYTES = 5_000_000
"""What all pictures of a page may weigh; base64 adds a third, and a page stays below 8 MB, small enough to mail."""

LONGEST_SIDE = 1600
"""Pixels; more would not be seen on the page."""

MOST_SAMPLES = 36
"""Sample sheets on a page; a longer run shows so many, evenly spread, its first and last among them."""


class Comparison(NamedTuple):
    """A photo and the painting made from it."""

    title: str
    before: Path
    after: Path


def write_report(
    run: Path,
    comparisons: Sequence[Comparison],
    target: Path,
    *,
    title: str,
    facts: Mapping[str, str],
    by_others: Mapping[str, Sequence[Comparison]] | None = None,
) -> Path:
    """Write the page of a run to `target` and return `target`.

    `facts` are short texts by name, such as {"trained": "2 min 58 s"}; `by_others` is what other painters made, by a
    heading for each. What the run folder lacks is told on the page.

    Raises PictureError when a picture cannot be read, RunError when the recipe is no YAML, and OutputError when the
    page cannot be written.
    """
    folder = RunFolder(run)
    settings = read_settings(folder) if folder.exists() else {}
    curves = scalar_curves(read_story(folder).entries)
    found = find_samples(folder)
    samples = evenly_spread(found, MOST_SAMPLES)
    others = by_others or {}
    pairs = [*comparisons, *(pair for group in others.values() for pair in group)]
    pictures = load_pictures(
        [path for comparison in pairs for path in (comparison.before, comparison.after)]
        + [sample.path for sample in samples],
        LONGEST_SIDE,
        PICTURE_BYTES,
    )
    images_seen = max([sample.images_seen for sample in found] + [curve.images_seen[-1] for curve in curves], default=0)
    body = Template(resource("report.html")).substitute(
        title=escape(title),
        summary=escape(_summary(settings, images_seen)),
        facts=facts_list(facts),
        comparisons=_comparisons(comparisons, pictures),
        others="".join(
            f"<section>\n<h2>{escape(heading)}</h2>\n{_comparisons(group, pictures)}\n</section>\n"
            for heading, group in others.items()
        ),
        samples=_filmstrip(samples, len(found), pictures),
        curves=_curves(curves),
        settings=_settings(settings),
        numbers=_rows({"images seen": f"{images_seen:,}", **facts}),
        footer=FOOTER,
    )
    return write_page(target, title=title, style=resource("report.css"), body=body, script=resource("report.js"))


# Words and pictures on the page


def _summary(settings: Mapping[str, str], images_seen: int) -> str:
    method = settings.get("method.name", settings.get("method", "this run"))
    if not images_seen:
        return f"What {method} learned."
    return f"What {method} had learned after seeing {images_seen:,} images."


def _comparisons(comparisons: Sequence[Comparison], pictures: Mapping[Path, Picture]) -> str:
    if not comparisons:
        return note("No photo has been painted for this page.")
    figures = "\n".join(_comparison(comparison, pictures) for comparison in comparisons)
    how = "Drag the line across a picture, or use the arrow keys: photo to its left, painting to its right."
    return f"""{hint(how)}
<div class="comparisons">
{figures}
</div>"""


def _comparison(comparison: Comparison, pictures: Mapping[Path, Picture]) -> str:
    """Lay the photo over the painting in one box of the painting's shape, so that both align whatever their sizes."""
    title = escape(comparison.title)
    before, after = pictures[comparison.before], pictures[comparison.after]
    width, height = after.pixels.size
    return f"""<figure class="comparison" style="--width: {width}; --height: {height}">
<div class="frame">
<div class="after">{image(after, f"{comparison.title}, painting")}<span>painting</span></div>
<div class="before">{image(before, f"{comparison.title}, photo")}<span>photo</span></div>
<input type="range" min="0" max="100" step="0.5" value="50" aria-label="Share of {title} shown as photo">
</div>
<figcaption>{title}</figcaption>
</figure>"""


def _filmstrip(samples: Sequence[Sample], found: int, pictures: Mapping[Path, Picture]) -> str:
    if not samples:
        return note("This run has no samples yet.")
    frames = "\n".join(_frame(sample, pictures[sample.path]) for sample in samples)
    left_out = note(f"{len(samples)} of {found} sheets, evenly spread.") if len(samples) < found else ""
    return f"""{hint("Samples painted while the run was learning, from the first to the latest.")}
<div class="filmstrip">
<figure class="stage" hidden>
<figcaption><label for="moment">Images seen</label> <strong>{samples[-1].images_seen:,}</strong>
<input id="moment" type="range" min="0" max="{len(samples) - 1}" step="1" value="{len(samples) - 1}"></figcaption>
</figure>
<ol>
{frames}
</ol>
{left_out}
</div>"""


def _frame(sample: Sample, picture: Picture) -> str:
    images_seen = f"{sample.images_seen:,}"
    sheet = image(picture, f"Samples after {images_seen} images seen")
    return f'<li><button type="button">{sheet}<span>{images_seen}</span></button></li>'


def _curves(curves: Sequence[Series]) -> str:
    if not curves:
        return note("The journal of this run holds no losses yet.")
    images = max(curve.images_seen[-1] for curve in curves)
    charts = [
        f"""<figure class="chart">
<figcaption>{escape(curve.name)} <span class="reading"></span></figcaption>
{line_chart(curve, images)}
</figure>"""
        for curve in curves
    ]
    return f"""{hint("Point at a curve to read all of them at that moment.")}
<p class="legend"><span class="measured">as measured</span> <span class="smoothed">smoothed</span></p>
<div class="charts">
{"".join(charts)}
</div>"""


def _settings(settings: Mapping[str, str]) -> str:
    if not settings:
        return note("The run folder holds no recipe.")
    return f"<details><summary>{len(settings)} settings of the recipe</summary>{_rows(settings)}</details>"


def _rows(values: Mapping[str, str]) -> str:
    rows = [f"<dt>{_breakable(name)}</dt><dd>{escape(value)}</dd>" for name, value in values.items()]
    return f"<dl>{''.join(rows)}</dl>"


def _breakable(dotted_path: str) -> str:
    """Escape a dotted path and let its line break after a dot."""
    return escape(dotted_path).replace(".", ".<wbr>")
