"""A folder of pictures in, the folder of the second domain out: parallel, seeded, and resumed by the same command.

A picture's chance comes from the seed and its name in the source folder alone. So the result depends neither on the
order, nor on the number of workers, nor on where an earlier call was stopped. Each made picture carries a mark of its
settings and its source; `made.json` says the settings in words.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydantic import BaseModel, ConfigDict, Field
from threadpoolctl import threadpool_limits

from impasto import __version__
from impasto.chance import mixed_seed
from impasto.curation.made import Kind, Made
from impasto.curation.made.pairs import stitch
from impasto.data.collection import Item
from impasto.data.layouts.folders import folder_items
from impasto.data.layouts.pairs import MADE
from impasto.data.pictures import DAMAGE, MAX_MEGAPIXELS, open_picture, read_picture, to_array
from impasto.data.renderers.canvas import Picture
from impasto.data.sources import Source, excerpt
from impasto.data.transforms import read_pixels, resized, to_pixels
from impasto.errors import DataError, ImpastoError, OutputError, PictureError
from impasto.files import make_folder, replacing, write_text

MARK = "impasto-made"
"""The PNG text that holds a made picture's mark."""


class MakeSettings(BaseModel):
    """How to make a folder, whatever the kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    layout: Literal["alone", "pairs", "unpaired"] = "alone"
    """`alone`: made pictures under their sources' names. `pairs`: made picture left, source right, in one file.
    `unpaired`: half of the sources, by chance, go into trainA and testA, and what is made of the others into trainB and
    testB, so that no picture is in both domains (spec sheet 03, data)."""
    size: int | None = Field(None, ge=16, le=8192)
    """Short side, pixels; the pictures' own unless said."""
    stretch: bool = False
    """Make squares of `size`, whatever the aspect ratio, as was published for semantic maps."""
    seed: int = Field(0, ge=0)
    overwrite: bool = False
    """Replace what was made with other settings."""
    workers: int | None = Field(None, ge=1)
    """Threads; one for each processor unless said."""
    max_megapixels: float = Field(MAX_MEGAPIXELS, gt=0)


@dataclass
class Outcome:
    """What became of the pictures."""

    made: list[Path] = field(default_factory=list)
    present: list[Path] = field(default_factory=list)
    """Made by an earlier call."""
    unreadable: list[PictureError] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    """How many, made or present, were done in which way: `with noise`."""


class Job(NamedTuple):
    """One picture and the file to be written for it."""

    item: Item
    target: Path
    original: bool = False
    """Whether the picture itself is wanted, in the other domain, instead of what is made of it."""


class Mark(NamedTuple):
    """What a made picture says of itself; empty in a file that was not made here."""

    stamp: str = ""
    """Of the settings, the source's name and the source's bytes."""
    note: str = ""


class Done(NamedTuple):
    """A picture that now lies in the target folder."""

    note: str
    was_present: bool


def make_folder_of(
    kind: Kind,
    source: Path,
    target: Path,
    settings: MakeSettings | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Make pictures of one kind of all pictures in `source` and its sub-folders; write them as PNG into `target`.

    What an interrupted call made is kept, and not made again. Pictures that cannot be read are listed. Where a
    split holds for the source, `target` gets a split.csv. `progress` is told how many of how many are done.

    Raises DataError when there are no pictures or a table beside them is broken, OutputError when a folder lies in the
    other, or when `target` holds files that were not made with these settings and `settings.overwrite` is off,
    ImpastoError for a stretch to no size.
    """
    settings = settings or MakeSettings()
    if settings.stretch and settings.size is None:
        raise ImpastoError("--stretch makes squares of --size; say it too, such as --size 512")
    _refuse_nested(source, target)
    jobs = plan(pictures_in(source), target, settings)
    claim(target, record(kind, source, settings), overwrite=settings.overwrite)
    if settings.layout != "unpaired":
        write_split(target, jobs)
    outcome = Outcome()
    work = partial(make_one, kind=kind, settings=settings)
    with closing(_worked(work, jobs, settings.workers or os.cpu_count() or 1)) as results:
        for done, (job, result) in enumerate(results, start=1):
            _count(outcome, job, result)
            if progress:
                progress(done, len(jobs))
    if outcome.unreadable and settings.layout != "unpaired":
        write_split(target, [job for job in jobs if job.target.exists()])
    return outcome


def pictures_in(source: Path) -> list[Item]:
    """Return a folder's pictures with their splits; tests in a sibling folder are left to a call of their own."""
    return [item for item in folder_items(source)[0] if not item.name.startswith("../")]


def make_one(job: Job, kind: Kind, settings: MakeSettings) -> Done | PictureError:
    """Write the picture of one job unless it is there; return why the source cannot be read where that is so."""
    try:
        stamp = _stamp(job, kind, settings)
        there = read_mark(job.target) if job.target.exists() else None
        # A file without a mark is somebody's own work in its place, such as a mask retouched by hand.
        if there is not None and (there.stamp == stamp or not (there.stamp or settings.overwrite)):
            return Done(there.note, was_present=True)
        picture = _read(job.item.picture, settings)
    except PictureError as error:
        return error
    seed = mixed_seed(settings.seed, "made", job.item.name)
    made = Made(picture) if job.original else kind.make(picture, seed)
    laid_out = stitch(made.picture, picture) if settings.layout == "pairs" else made.picture
    _write(laid_out, job.target, Mark(stamp, made.note))
    return Done(made.note, was_present=False)


def plan(items: Sequence[Item], target: Path, settings: MakeSettings) -> list[Job]:
    """Return the jobs, each with a file of its own: `a.jpg` becomes `a.png`, or `a.jpg.png` beside another a.

    Raises DataError where two pictures would become one nonetheless.
    """
    plain = [PurePosixPath(item.name).with_suffix(".png") for item in items]
    taken = Counter(plain)
    jobs = []
    for item, alone in zip(items, plain, strict=True):
        place = alone if taken[alone] == 1 else PurePosixPath(item.name + ".png")
        original = settings.layout == "unpaired" and mixed_seed(settings.seed, "domain", item.name) % 2 == 0
        if settings.layout == "unpaired":
            place = f"{item.split}{'A' if original else 'B'}" / place
        jobs.append(Job(item, target / place, original))
    doubled = [place for place, count in Counter(job.target for job in jobs).items() if count > 1]
    if doubled:
        raise DataError(f"two pictures would both become {doubled[0]}; rename one of them")
    return jobs


def write_split(target: Path, jobs: Sequence[Job]) -> None:
    """Write the target's split.csv where pictures are held out."""
    if all(job.item.split == "train" for job in jobs):
        return
    table = io.StringIO()
    rows = [(job.target.relative_to(target).as_posix(), job.item.split) for job in jobs]
    csv.writer(table, lineterminator="\n").writerows([("path", "split"), *rows])
    write_text(target / "split.csv", table.getvalue())


def record(kind: Kind, source: Path, settings: MakeSettings) -> dict[str, Any]:
    """Return what made.json holds, ready for JSON."""
    return {
        **kind.model_dump(mode="json"),
        **settings.model_dump(mode="json", include={"layout", "size", "stretch", "seed"}),
        "source": source.resolve().name,
        "impasto": __version__,
    }


def claim(target: Path, wanted: dict[str, Any], *, overwrite: bool) -> None:
    """Write made.json into the target, which must be new, empty, made with the same settings or to be overwritten.

    Raises OutputError where it is none of these. Which impasto made a folder does not matter.
    """
    found = read_record(target)
    if not overwrite:
        if found is None and target.is_dir() and any(not path.name.startswith(".") for path in target.iterdir()):
            raise OutputError(
                f"{target} holds files but no {MADE}, so impasto did not make it; pass --overwrite to "
                "replace files, or choose another --output"
            )
        differences = _differences(found, wanted) if found is not None else []
        if differences:
            raise OutputError(
                f"{target} was made with other settings ({'; '.join(differences)}); pass --overwrite to "
                "replace files, or choose another --output"
            )
    make_folder(target)
    if found is None or _differences(found, wanted):
        write_text(target / MADE, json.dumps(wanted, indent=2, ensure_ascii=False) + "\n")


def read_record(target: Path) -> dict[str, Any] | None:
    """Return what made.json says, or None where there is none that can be read as such."""
    try:
        found = json.loads((target / MADE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def read_mark(made: Path) -> Mark:
    """Return the mark of a picture, empty where it has none or cannot be read."""
    try:
        with open_picture(made, max_megapixels=math.inf) as picture:
            stamp, _, note = str(picture.info.get(MARK, "")).partition(" ")
    except PictureError:
        return Mark()
    return Mark(stamp, note)


def _differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    names = [name for name in dict.fromkeys([*found, *wanted]) if name != "impasto"]
    return [
        f"{name} {found.get(name)} instead of {wanted.get(name)}"
        for name in names
        if found.get(name) != wanted.get(name)
    ]


def _refuse_nested(source: Path, target: Path) -> None:
    """Made pictures must never be taken for sources, nor replace them."""
    inner, outer = source.resolve(), target.resolve()
    if inner == outer or outer in inner.parents or inner in outer.parents:
        raise OutputError(f"{target} and {source} are one folder, or one lies in the other; choose a folder outside")


def _worked(
    work: Callable[[Job], Done | PictureError], jobs: Sequence[Job], workers: int
) -> Generator[tuple[Job, Done | PictureError]]:
    """Yield each job with its result, in order, while threads work on the next.

    Threads: what takes the time (decoding, k-means, PNG) lets go of Python's lock. Each computes on one core: sums
    shared among cores come out in the order in which the cores end, and k-means and the face detector with them.
    """
    waiting: deque[tuple[Job, Future[Done | PictureError]]] = deque()
    with threadpool_limits(1):  # BLAS, for all threads, and OpenMP, for this one
        pool = ThreadPoolExecutor(workers, "impasto-make", initializer=threadpool_limits, initargs=(1, "openmp"))
        try:
            for job in jobs:
                waiting.append((job, pool.submit(work, job)))
                if len(waiting) > 4 * workers:
                    first, future = waiting.popleft()
                    yield first, future.result()
            for first, future in waiting:
                yield first, future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _count(outcome: Outcome, job: Job, result: Done | PictureError) -> None:
    if isinstance(result, PictureError):
        outcome.unreadable.append(result)
        return
    (outcome.present if result.was_present else outcome.made).append(job.target)
    if result.note:
        outcome.notes[result.note] += 1


def _stamp(job: Job, kind: Kind, settings: MakeSettings) -> str:
    """Return a number that changes with whatever changes the made picture; of the source it reads the ends."""
    try:
        ends = excerpt(job.item.picture)
    except DAMAGE as error:
        raise PictureError(f"{job.item.picture} cannot be read ({error}); remove it or replace it") from error
    how = settings.model_dump_json(include={"layout", "size", "stretch", "seed"})
    return f"{mixed_seed(kind.model_dump_json(), how, job.item.name, int(job.original), ends.hex()):016x}"


def _read(source: Source, settings: MakeSettings) -> Picture:
    """Return a picture [H, W, 3], resized as the settings say."""
    if settings.size is None:
        return to_array(read_picture(source, settings.max_megapixels))
    if settings.stretch:
        whole = to_pixels(read_picture(source, settings.max_megapixels, at_least=settings.size))
        pixels = resized(whole, settings.size, settings.size)
    else:
        pixels = read_pixels(source, settings.max_megapixels, settings.size)
    return np.ascontiguousarray(pixels.permute(1, 2, 0).numpy())


def _write(picture: Picture, target: Path, mark: Mark) -> None:
    text = PngInfo()
    text.add_text(MARK, f"{mark.stamp} {mark.note}".rstrip())
    with replacing(target) as temporary:
        Image.fromarray(picture).save(temporary, format="PNG", pnginfo=text)
