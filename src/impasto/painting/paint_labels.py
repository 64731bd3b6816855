"""Labels in, picture files out: paintings from noise, with a sheet of them to look at."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from impasto.data.batches import ImageSpec
from impasto.data.pictures import read_picture
from impasto.errors import OutputError
from impasto.files import make_folder, replacing
from impasto.hardware import keep_large_blocks
from impasto.painting.counts import PAINTINGS
from impasto.painting.drawing import Progress, draw_pictures, latent_painter, made_by, said_of
from impasto.painting.latents import drawn_latents
from impasto.painting.layout import Captions, draw_sheet
from impasto.painting.paint_files import SUFFIX_OF
from impasto.painting.paint_picture import Kind
from impasto.painting.painters import LoadedPainter
from impasto.painting.prompts import Request, each_class
from impasto.painting.signature import save_signed

MOST_ON_SHEET = 100
MOST_IN_A_ROW = 60
"""Classes that have a column each."""
DIGITS = 5
"""Of a painting's number in its file name: the same however many there are, so that names sort and stay."""
LONGEST_STEM = 60
"""Letters of a request's name in a file name."""


@dataclass(frozen=True)
class LabelSettings:
    """How to paint, whatever is asked for."""

    count: int | None = None
    """Paintings of each series; PAINTINGS, or as many as it has requests where those are more, unless said."""
    seed: int = 0
    truncation: float | None = None
    """Latents keep within this of 0, see latents.py; None leaves them as drawn."""
    kind: Kind = "PNG"
    overwrite: bool = False


class Series(NamedTuple):
    """Paintings that go onto one sheet."""

    name: str
    requests: Sequence[Request]
    """What is asked for, in turn."""

    def count(self, wanted: int | None) -> int:
        """Return how many paintings it has."""
        return wanted or max(PAINTINGS, len(self.requests))


class Job(NamedTuple):
    """One painting to be."""

    request: Request
    number: int
    """Of its latent, and in its file's name."""
    painting: Path


@dataclass
class Outcome:
    """What became of the paintings."""

    painted: list[Path] = field(default_factory=list)
    present: list[Path] = field(default_factory=list)
    """Paintings that were there already."""
    sheets: list[Path] = field(default_factory=list)
    """Those written."""


def round_the_classes(spec: ImageSpec, count: int | None = None) -> Series:
    """Return the series that asks for all classes in turn, or for as many as `count` allows."""
    requests = each_class(spec)
    few = count is not None and count < len(requests)
    return Series(f"{count} of {len(requests)} classes" if few else "all classes", requests[:count])


def paint_labels(
    series: Sequence[Series],
    loaded: LoadedPainter,
    output: Path,
    settings: LabelSettings,
    progress: Progress | None = None,
) -> Outcome:
    """Paint each series into the folder `output`, with a sheet of each that has more than one painting.

    The n-th paintings of all series have the same latent. What is there already is kept, and shown on the sheet; one
    painting alone raises OutputError then. Raises PainterError where the painter paints from something else, and
    OutputError before any work where two paintings would have the same name. `progress` is told how many of how many
    are done.
    """
    painter = latent_painter(loaded)
    plans = [_plan(one, output, settings) for one in series]
    _check_apart(plans)
    todo = [[job for job in jobs if settings.overwrite or not job.painting.exists()] for jobs in plans]
    everything = sum(map(len, plans))
    if everything == 1 and not todo[0]:
        raise OutputError(
            f"{plans[0][0].painting} exists; say --overwrite to paint it again, or choose another --output folder"
        )
    most = max(map(len, plans))
    latents = drawn_latents(painter.latent_size, settings.seed, range(most), settings.truncation)
    make_folder(output)
    keep_large_blocks()
    outcome = Outcome()
    for one, jobs, missing in zip(series, plans, todo, strict=True):
        outcome.present += [job.painting for job in jobs if job.number not in {each.number for each in missing}]
        for job in _painted(missing, latents, loaded, settings):
            outcome.painted.append(job.painting)
            if progress:
                progress(len(outcome.painted), sum(map(len, todo)))
        sheet = output / f"{_stem(one.name, settings)}-sheet.png"
        if len(jobs) > 1 and (missing or not sheet.exists()):
            _write_sheet(sheet, jobs, one, loaded, settings)
            outcome.sheets.append(sheet)
    return outcome


def _painted(jobs: Sequence[Job], latents: Tensor, loaded: LoadedPainter, settings: LabelSettings) -> Iterator[Job]:
    """Paint what is to be painted, and yield each when it is written."""
    if not jobs:
        return
    weights = torch.stack([job.request.weights for job in jobs])
    chosen = latents[[job.number for job in jobs]]
    for job, picture in zip(jobs, draw_pictures(latent_painter(loaded), weights, chosen), strict=True):
        with replacing(job.painting) as temporary:
            save_signed(picture, temporary, settings.kind, _signature(loaded, settings, job))
        yield job


def _plan(series: Series, output: Path, settings: LabelSettings) -> list[Job]:
    jobs = []
    for index in range(series.count(settings.count)):
        request = series.requests[index % len(series.requests)]
        name = f"{_stem(request.name, settings)}-{index:0{DIGITS}d}{SUFFIX_OF[settings.kind]}"
        jobs.append(Job(request, index, output / name))
    return jobs


def _check_apart(plans: Sequence[Sequence[Job]]) -> None:
    uses = Counter(job.painting for jobs in plans for job in jobs)
    if doubled := [target for target, count in uses.items() if count > 1]:
        raise OutputError(f"two labels would both become {doubled[0]}; paint them into different --output folders")


def _stem(name: str, settings: LabelSettings) -> str:
    """Return how the files of a request begin, such as `ukiyo_e-seed3-t0.7`."""
    plain = re.sub(r"[^\w.+-]+", "-", name.replace(" + ", "+")).strip(".-")[:LONGEST_STEM] or "painting"
    truncation = "" if settings.truncation is None else f"-t{settings.truncation:g}"
    return f"{plain}-seed{settings.seed}{truncation}"


def _signature(loaded: LoadedPainter, settings: LabelSettings, job: Job) -> dict[str, Any]:
    classes = zip(loaded.spec.classes, job.request.weights.tolist(), strict=True)
    return {
        **made_by(loaded),
        "label": job.request.name,
        "classes": {name: round(weight, 6) for name, weight in classes if weight},
        "seed": settings.seed,
        "index": job.number,
        "truncation": settings.truncation,
    }


def _write_sheet(
    target: Path, jobs: Sequence[Job], series: Series, loaded: LoadedPainter, settings: LabelSettings
) -> None:
    """Write a sheet of the first paintings, read from their files; classes that take turns have a column each."""
    kinds = len(series.requests)
    in_turn = 1 < kinds <= MOST_IN_A_ROW
    shown = [read_picture(job.painting) for job in jobs[: max(MOST_ON_SHEET, kinds)]]
    columns = min(len(shown), kinds) if in_turn else math.ceil(math.sqrt(len(shown)))
    names = [request.name for request in series.requests[:columns]] if in_turn else []
    truncation = "" if settings.truncation is None else f", truncation {settings.truncation:g}"
    captions = Captions(f"{series.name}, seed {settings.seed}{truncation}", said_of(loaded), columns=names)
    signature = {**made_by(loaded), "label": series.name, "seed": settings.seed, "truncation": settings.truncation}
    with replacing(target) as temporary:
        save_signed(draw_sheet(shown, columns, captions), temporary, "PNG", signature)
