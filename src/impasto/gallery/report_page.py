"""The page of one training run: photos and paintings, samples during training, loss curves, settings.

It reads the run folder only, so that it can be made during a run, after it, or from a folder that somebody sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from impasto.gallery.curves import Series
from impasto.gallery.line_chart import line_chart
from impasto.gallery.page import write_page
from impasto.gallery.pictures import Picture, load_pictures
from impasto.gallery.run_reader import evenly_spread, find_samples, read_journal, read_settings, scalar_series
from impasto.run_folder import RunFolder

PICTURE_BYTES = 5_000_000
"""Most bytes of all pictures of a page. Base64 adds a third, and a page stays below 8 MB, small enough to mail."""

LONGEST_SIDE = 1600
"""Longer side of a picture in pixels: as large as a page shows it."""

MOST_SAMPLES = 36
"""Sample sheets on a page. A longer run shows this many, evenly spread, its first and last among them."""


class Comparison(NamedTuple):
    """A photo and the painting made from it."""

    title: str
    before: Path
    after: Path


class _Pair(NamedTuple):
    """A photo and its painting as the page shows them, both in a box of the painting's shape."""

    title: str
    before: Picture
    after: Picture


class _Sheet(NamedTuple):
    images_seen: int
    picture: Picture


class _Chart(NamedTuple):
    name: str
    svg: Markup


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

    `facts` are short texts by name, such as {"trained": "2 min 58 s"}. `by_others` holds what other painters made,
    each group under its heading. The page tells what the run folder lacks.

    Raises PictureError when a picture cannot be read, RunError when the recipe is no YAML, and OutputError when the
    page cannot be written.
    """
    folder = RunFolder(run)
    settings = read_settings(folder) if folder.exists() else {}
    series = scalar_series(read_journal(folder).entries)
    found = find_samples(folder)
    samples = evenly_spread(found, MOST_SAMPLES)
    groups = {"Before and after": comparisons, **(by_others or {})}
    pairs = [pair for group in groups.values() for pair in group]
    pictures = load_pictures(
        [path for pair in pairs for path in (pair.before, pair.after)] + [sample.path for sample in samples],
        LONGEST_SIDE,
        PICTURE_BYTES,
    )
    images_seen = max([sample.images_seen for sample in found] + [one.images_seen[-1] for one in series], default=0)
    return write_page(
        target,
        "report.html",
        title=title,
        summary=_summary(settings, images_seen),
        facts=facts,
        groups={
            heading: [_Pair(pair.title, pictures[pair.before], pictures[pair.after]) for pair in group]
            for heading, group in groups.items()
        },
        sheets=[_Sheet(sample.images_seen, pictures[sample.path]) for sample in samples],
        sheets_found=len(found),
        charts=_charts(series),
        settings=settings,
        numbers={"images seen": f"{images_seen:,}", **facts},
    )


def _summary(settings: Mapping[str, str], images_seen: int) -> str:
    method = settings.get("method.name", settings.get("method", "this run"))
    if not images_seen:
        return f"What {method} learned."
    return f"What {method} had learned after {images_seen:,} images."


def _charts(series: Sequence[Series]) -> list[_Chart]:
    images = max((one.images_seen[-1] for one in series), default=0)
    return [_Chart(one.name, line_chart(one, images)) for one in series]
