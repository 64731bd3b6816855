"""Classes in, picture files out: paintings from noise, and sheets of them."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch

from impasto.data.batches import ImageSpec
from impasto.data.pictures import read_picture
from impasto.data.prompts import ClassPrompt
from impasto.errors import OutputError
from impasto.files import make_folder, replacing
from impasto.hardware import keep_large_blocks
from impasto.painting.class_pictures import Progress, caption_of, check_takes_classes, class_pictures
from impasto.painting.class_requests import Request, each_class
from impasto.painting.counts import PAINTINGS
from impasto.painting.layout import Captions, draw_sheet
from impasto.painting.paint import Report
from impasto.painting.paint_files import SUFFIX_OF
from impasto.painting.paint_picture import Kind
from impasto.painting.painters import LoadedPainter
from impasto.painting.signature import made_by, save_signed

MOST_ON_SHEET = 100
MOST_IN_A_ROW = 60
"""Most classes that get a column each."""
DIGITS = 5
"""Digits of a painting's number in its file name. The fixed length keeps names stable and sorted."""
LONGEST_STEM = 60
"""Most letters of a request's name, and of an option's value, in a file name."""


@dataclass(frozen=True)
class ClassOptions:
    """How classes are painted, with any painter. A method's own options are `LoadedPainter.options`."""

    count: int | None = None
    """Paintings of each series. Default: PAINTINGS, or one for each request if there are more requests."""
    seed: int = 0
    kind: Kind = "PNG"
    overwrite: bool = False


class Series(NamedTuple):
    """Paintings that go onto one sheet."""

    name: str
    requests: Sequence[Request]
    """Requests, painted in turn."""

    def count(self, wanted: int | None) -> int:
        """Return how many paintings it has."""
        return wanted or max(PAINTINGS, len(self.requests))


class Job(NamedTuple):
    """One painting to make."""

    request: Request
    number: int
    """Selects its random numbers. Also in its file name."""
    painting: Path


@dataclass
class Outcome:
    """The result of painting several series."""

    painted: list[Path] = field(default_factory=list)
    present: list[Path] = field(default_factory=list)
    """Paintings that were there already."""
    sheets: list[Path] = field(default_factory=list)
    """Sheets that were written."""


def round_the_classes(spec: ImageSpec, count: int | None = None) -> Series:
    """Return the series of all classes in turn, or of the first `count`. Without classes its name is `paintings`."""
    requests = each_class(spec)
    if not spec.classes:
        return Series("paintings", requests)
    few = count is not None and count < len(requests)
    return Series(f"{count} of {len(requests)} classes" if few else "all classes", requests[:count])


def paint_class_files(
    series: Sequence[Series],
    loaded: LoadedPainter,
    output: Path,
    options: ClassOptions,
    progress: Progress | None = None,
) -> Outcome:
    """Paint each series into the folder `output`. A series of more than one painting also gets a sheet.

    The n-th paintings of all series have the same random numbers. Existing paintings are kept and shown on the sheet.
    `progress` receives the number of finished paintings and their total. Raises PainterError if the painter takes no
    classes. Raises OutputError before any work if two paintings would have the same name, or if a single painting
    exists.
    """
    check_takes_classes(loaded)
    plans = [_plan(one, output, options, loaded) for one in series]
    _check_apart(plans)
    todo = [[job for job in jobs if options.overwrite or not job.painting.exists()] for jobs in plans]
    everything = sum(map(len, plans))
    if everything == 1 and not todo[0]:
        raise OutputError(f"{plans[0][0].painting} exists; pass --overwrite to replace it, or choose another --output")
    make_folder(output)
    keep_large_blocks()
    outcome = Outcome()
    for one, jobs, missing in zip(series, plans, todo, strict=True):
        outcome.present += [job.painting for job in jobs if job.number not in {each.number for each in missing}]
        before = len(outcome.painted)

        def report(share: float, before: int = before, count: int = len(missing)) -> None:
            if progress:
                progress(before + share * count, sum(map(len, todo)))

        outcome.painted += [job.painting for job in _painted(missing, loaded, options, report)]
        sheet = output / f"{_stem(one.name, options, loaded)}-sheet.png"
        if len(jobs) > 1 and (missing or not sheet.exists()):
            _write_sheet(sheet, jobs, one, loaded, options)
            outcome.sheets.append(sheet)
    return outcome


def _painted(jobs: Sequence[Job], loaded: LoadedPainter, options: ClassOptions, report: Report) -> Iterator[Job]:
    """Paint the jobs. Yield each one after its file is written."""
    if not jobs:
        return
    prompt = ClassPrompt(torch.stack([job.request.weights for job in jobs]))
    numbers = [job.number for job in jobs]
    pictures = class_pictures(loaded, prompt, seed=options.seed, numbers=numbers, report=report)
    for job, picture in zip(jobs, pictures, strict=True):
        with replacing(job.painting) as temporary:
            save_signed(picture, temporary, options.kind, _signature(loaded, options, job))
        yield job


def _plan(series: Series, output: Path, options: ClassOptions, loaded: LoadedPainter) -> list[Job]:
    jobs = []
    for index in range(series.count(options.count)):
        request = series.requests[index % len(series.requests)]
        name = f"{_stem(request.name, options, loaded)}-{index:0{DIGITS}d}{SUFFIX_OF[options.kind]}"
        jobs.append(Job(request, index, output / name))
    return jobs


def _check_apart(plans: Sequence[Sequence[Job]]) -> None:
    uses = Counter(job.painting for jobs in plans for job in jobs)
    if doubled := [target for target, count in uses.items() if count > 1]:
        raise OutputError(f"two classes would both become {doubled[0]}; paint them into different --output folders")


def _stem(name: str, options: ClassOptions, loaded: LoadedPainter) -> str:
    """Return the start of the file names of a request, such as `ukiyo_e-seed3-truncation0.7`."""
    classes = _plain(name.replace(" + ", "+")).strip(".-")[:LONGEST_STEM] or "painting"
    chosen = "".join(f"-{option}{_plain(value)[:LONGEST_STEM]}" for option, value in _chosen(loaded).items())
    return f"{classes}-seed{options.seed}{chosen}"


def _plain(text: str) -> str:
    """Return a text that is a valid part of a file name on any system."""
    return re.sub(r"[^\w.+-]+", "-", text)


def _chosen(loaded: LoadedPainter) -> dict[str, str]:
    """Return the paint options that differ from the recipe's, as text."""
    usual, own = loaded.recipe.paint.model_dump(), loaded.options.model_dump()
    return {
        name: f"{value:g}" if isinstance(value, float) else str(value)
        for name, value in own.items()
        if value != usual[name]
    }


def _signature(loaded: LoadedPainter, options: ClassOptions, job: Job) -> dict[str, Any]:
    classes = zip(loaded.spec.classes, job.request.weights.tolist(), strict=True)
    return {
        **made_by(loaded),
        "class": job.request.name,
        "classes": {name: round(weight, 6) for name, weight in classes if weight},
        "seed": options.seed,
        "index": job.number,
    }


def _write_sheet(
    target: Path, jobs: Sequence[Job], series: Series, loaded: LoadedPainter, options: ClassOptions
) -> None:
    """Write a sheet of the first paintings, read from their files. Each of several classes gets a column."""
    kinds = len(series.requests)
    in_turn = 1 < kinds <= MOST_IN_A_ROW
    shown = [read_picture(job.painting) for job in jobs[: max(MOST_ON_SHEET, kinds)]]
    columns = min(len(shown), kinds) if in_turn else math.ceil(math.sqrt(len(shown)))
    names = [request.name for request in series.requests[:columns]] if in_turn else []
    chosen = "".join(f", {option} {value}" for option, value in _chosen(loaded).items())
    captions = Captions(f"{series.name}, seed {options.seed}{chosen}", caption_of(loaded), columns=names)
    signature = {**made_by(loaded), "class": series.name, "seed": options.seed}
    with replacing(target) as temporary:
        save_signed(draw_sheet(shown, columns, captions), temporary, "PNG", signature)
