"""Labels in, picture files out: paintings from noise, with a sheet of them to look at."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image

from impasto.data.batches import ImageSpec
from impasto.errors import OutputError
from impasto.files import make_folder, replacing
from impasto.hardware import keep_large_blocks
from impasto.painting.drawing import draw_pictures, latent_painter, made_by, said_of
from impasto.painting.latents import drawn_latents
from impasto.painting.layout import Captions, draw_sheet
from impasto.painting.paint_files import SUFFIX_OF, Kind
from impasto.painting.painters import LoadedPainter
from impasto.painting.prompts import Request, each_class
from impasto.painting.signature import save_signed

MOST_ON_SHEET = 100
LONGEST_STEM = 60
"""Letters of a request's name in a file name."""


@dataclass(frozen=True)
class LabelSettings:
    """How to paint, whatever is asked for."""

    count: int = 16
    """Paintings of each series."""
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


class Job(NamedTuple):
    """One painting to be."""

    request: Request
    number: int
    """Of its latent, and in its file's name."""
    painting: Path


class Outcome(NamedTuple):
    """What was painted."""

    paintings: list[Path]
    sheets: list[Path]


def round_the_classes(spec: ImageSpec) -> Series:
    """Return the series that asks for all classes in turn."""
    return Series("all classes", each_class(spec))


def paint_labels(
    series: Sequence[Series],
    loaded: LoadedPainter,
    output: Path,
    settings: LabelSettings | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Paint each series into the folder `output`, with a sheet of each that has more than one painting.

    The n-th paintings of all series have the same latent. Raises PainterError where the painter paints from something
    else, and OutputError before any work where a file is there already. `progress` is told how many of how many are
    done.
    """
    settings = settings or LabelSettings()
    painter = latent_painter(loaded)
    plans = [_plan(one, output, settings) for one in series]
    sheets = [output / f"{_stem(one.name, settings)}-sheet.png" for one in series if settings.count > 1]
    _check_free([*(job.painting for jobs in plans for job in jobs), *sheets], settings)
    make_folder(output)
    keep_large_blocks()
    latents = drawn_latents(painter.latent_size, settings.seed, range(settings.count), settings.truncation)
    outcome = Outcome([], [])
    for number, (one, jobs) in enumerate(zip(series, plans, strict=True)):
        shown: list[Image.Image] = []
        weights = torch.stack([job.request.weights for job in jobs])
        for job, picture in zip(jobs, draw_pictures(painter, weights, latents), strict=True):
            with replacing(job.painting) as temporary:
                save_signed(picture, temporary, settings.kind, _signature(loaded, settings, job))
            outcome.paintings.append(job.painting)
            if len(shown) < max(MOST_ON_SHEET, len(one.requests)):
                shown.append(picture)
            if progress:
                progress(len(outcome.paintings), len(series) * settings.count)
        if sheets:
            _write_sheet(sheets[number], shown, one, loaded, settings)
            outcome.sheets.append(sheets[number])
    return outcome


def _plan(series: Series, output: Path, settings: LabelSettings) -> list[Job]:
    jobs = []
    for index in range(settings.count):
        request = series.requests[index % len(series.requests)]
        name = f"{_stem(request.name, settings)}-{index:02d}{SUFFIX_OF[settings.kind]}"
        jobs.append(Job(request, index, output / name))
    return jobs


def _stem(name: str, settings: LabelSettings) -> str:
    """Return how the files of a request begin, such as `ukiyo_e-seed3-t0.7`."""
    plain = re.sub(r"[^\w.+-]+", "-", name.replace(" + ", "+")).strip(".-")[:LONGEST_STEM] or "painting"
    truncation = "" if settings.truncation is None else f"-t{settings.truncation:g}"
    return f"{plain}-seed{settings.seed}{truncation}"


def _check_free(targets: Sequence[Path], settings: LabelSettings) -> None:
    doubled = [target for target, uses in Counter(targets).items() if uses > 1]
    if doubled:
        raise OutputError(f"two labels would both become {doubled[0]}; paint them into different --output folders")
    present = [target for target in targets if target.exists()]
    if present and not settings.overwrite:
        raise OutputError(f"{present[0]} exists; say --overwrite to paint it again, or choose another --output folder")


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
    target: Path, shown: Sequence[Image.Image], series: Series, loaded: LoadedPainter, settings: LabelSettings
) -> None:
    together = len(series.requests) > 1
    columns = min(len(shown), len(series.requests)) if together else math.ceil(math.sqrt(len(shown)))
    names = [request.name for request in series.requests[:columns]] if together else []
    truncation = "" if settings.truncation is None else f", truncation {settings.truncation:g}"
    captions = Captions(f"{series.name}, seed {settings.seed}{truncation}", said_of(loaded), columns=names)
    signature = {**made_by(loaded), "label": series.name, "seed": settings.seed, "truncation": settings.truncation}
    with replacing(target) as temporary:
        save_signed(draw_sheet(shown, columns, captions), temporary, "PNG", signature)
