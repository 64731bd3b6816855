"""Makes the folder of the second domain from a folder of pictures: in parallel, seeded and resumable.

The random numbers of a picture depend only on the seed and its name in the source folder. The result therefore depends
neither on the order, nor on the number of workers, nor on interruptions. Each made picture carries a mark of its
options and its source. `made.json` records the options.
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
"""The PNG text chunk with the mark of a made picture."""


class MakeOptions(BaseModel):
    """How to make a folder, for all kinds of made data."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    layout: Literal["alone", "pairs", "unpaired"] = "alone"
    """`alone`: made pictures with the names of their sources. `pairs`: made picture left, source right, in one file.
    `unpaired`: a random half of the sources goes into trainA and testA, and pictures made from the other half go into
    trainB and testB, so no picture is in both domains (docs/methods/unpaired-translation.md, "Data")."""
    size: int | None = Field(None, ge=16, le=8192)
    """Short side, pixels. Default: that of the picture."""
    stretch: bool = False
    """Make squares of `size`, whatever the aspect ratio, as published for semantic maps."""
    seed: int = Field(0, ge=0)
    overwrite: bool = False
    """Replace pictures that were made with other options."""
    workers: int | None = Field(None, ge=1)
    """Number of threads. Default: one for each processor."""
    max_megapixels: float = Field(MAX_MEGAPIXELS, gt=0)


@dataclass
class Outcome:
    """The results of all pictures."""

    made: list[Path] = field(default_factory=list)
    present: list[Path] = field(default_factory=list)
    """Pictures from an earlier call."""
    unreadable: list[PictureError] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    """Number of pictures, made or present, by note, such as `with noise`."""


class Job(NamedTuple):
    """One picture and its target file."""

    item: Item
    target: Path
    original: bool = False
    """Whether the picture itself is written, in the other domain, instead of a picture made from it."""


class Mark(NamedTuple):
    """The mark of a made picture. Empty for a file that impasto did not make."""

    stamp: str = ""
    """Digest of the options, the name of the source and the bytes of the source."""
    note: str = ""


class Done(NamedTuple):
    """A picture that is in the target folder now."""

    note: str
    was_present: bool


def make_folder_of(
    kind: Kind,
    source: Path,
    target: Path,
    options: MakeOptions | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Make a picture from each picture in `source` and its sub-folders, and write it as PNG into `target`.

    Pictures from an interrupted call are kept. Pictures that cannot be read are listed. If the source has a split,
    `target` gets a split.csv. `progress` is called with (pictures done, all pictures).

    Raises DataError if there are no pictures or a table beside them is damaged; OutputError if one folder is inside the
    other, or if `target` holds files that were not made with these options and `options.overwrite` is off; ImpastoError
    for `stretch` without `size`.
    """
    options = options or MakeOptions()
    if options.stretch and options.size is None:
        raise ImpastoError("--stretch makes squares of --size; pass it too, such as --size 512")
    _refuse_nested(source, target)
    jobs = plan(pictures_in(source), target, options)
    claim(target, record(kind, source, options), overwrite=options.overwrite)
    if options.layout != "unpaired":
        write_split(target, jobs)
    outcome = Outcome()
    work = partial(make_one, kind=kind, options=options)
    with closing(_worked(work, jobs, options.workers or os.cpu_count() or 1)) as results:
        for done, (job, result) in enumerate(results, start=1):
            _count(outcome, job, result)
            if progress:
                progress(done, len(jobs))
    if outcome.unreadable and options.layout != "unpaired":
        write_split(target, [job for job in jobs if job.target.exists()])
    return outcome


def pictures_in(source: Path) -> list[Item]:
    """Return the pictures of a folder with their splits. Test pictures in a sibling folder need a call of their own."""
    return [item for item in folder_items(source)[0] if not item.name.startswith("../")]


def make_one(job: Job, kind: Kind, options: MakeOptions) -> Done | PictureError:
    """Write the picture of one job, unless it exists. Return an error if the source cannot be read."""
    try:
        stamp = _stamp(job, kind, options)
        there = read_mark(job.target) if job.target.exists() else None
        # A file without a mark was made by the user, such as a retouched mask.
        if there is not None and (there.stamp == stamp or not (there.stamp or options.overwrite)):
            return Done(there.note, was_present=True)
        picture = _read(job.item.picture, options)
    except PictureError as error:
        return error
    seed = mixed_seed(options.seed, "made", job.item.name)
    made = Made(picture) if job.original else kind.make(picture, seed)
    laid_out = stitch(made.picture, picture) if options.layout == "pairs" else made.picture
    _write(laid_out, job.target, Mark(stamp, made.note))
    return Done(made.note, was_present=False)


def plan(items: Sequence[Item], target: Path, options: MakeOptions) -> list[Job]:
    """Return the jobs, each with its own file: `a.jpg` becomes `a.png`, or `a.jpg.png` if there is another `a`.

    Raises DataError if two pictures would still get the same file.
    """
    plain = [PurePosixPath(item.name).with_suffix(".png") for item in items]
    taken = Counter(plain)
    jobs = []
    for item, alone in zip(items, plain, strict=True):
        place = alone if taken[alone] == 1 else PurePosixPath(item.name + ".png")
        original = options.layout == "unpaired" and mixed_seed(options.seed, "domain", item.name) % 2 == 0
        if options.layout == "unpaired":
            place = f"{item.split}{'A' if original else 'B'}" / place
        jobs.append(Job(item, target / place, original))
    doubled = [place for place, count in Counter(job.target for job in jobs).items() if count > 1]
    if doubled:
        raise DataError(f"two pictures would both be written to {doubled[0]}; rename one of them")
    return jobs


def write_split(target: Path, jobs: Sequence[Job]) -> None:
    """Write the split.csv of the target, if pictures are held out."""
    if all(job.item.split == "train" for job in jobs):
        return
    table = io.StringIO()
    rows = [(job.target.relative_to(target).as_posix(), job.item.split) for job in jobs]
    csv.writer(table, lineterminator="\n").writerows([("path", "split"), *rows])
    write_text(target / "split.csv", table.getvalue())


def record(kind: Kind, source: Path, options: MakeOptions) -> dict[str, Any]:
    """Return the contents of made.json."""
    return {
        **kind.model_dump(mode="json"),
        **options.model_dump(mode="json", include={"layout", "size", "stretch", "seed"}),
        "source": source.resolve().name,
        "impasto": __version__,
    }


def claim(target: Path, wanted: dict[str, Any], *, overwrite: bool) -> None:
    """Write made.json into the target, which must be new, empty, made with the same options or overwritable.

    Raises OutputError otherwise. The version of impasto that made a folder does not matter.
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
                f"{target} was made with other options ({'; '.join(differences)}); pass --overwrite to "
                "replace files, or choose another --output"
            )
    make_folder(target)
    if found is None or _differences(found, wanted):
        write_text(target / MADE, json.dumps(wanted, indent=2, ensure_ascii=False) + "\n")


def read_record(target: Path) -> dict[str, Any] | None:
    """Return the contents of made.json, or None if it is missing or damaged."""
    try:
        found = json.loads((target / MADE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def read_mark(made: Path) -> Mark:
    """Return the mark of a picture. It is empty if there is none or the picture cannot be read."""
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
    """Raise OutputError for nested folders. Made pictures must not become sources or replace them."""
    inner, outer = source.resolve(), target.resolve()
    if inner == outer or outer in inner.parents or inner in outer.parents:
        raise OutputError(
            f"{target} and {source} are the same folder, or one is inside the other; choose another folder"
        )


def _worked(
    work: Callable[[Job], Done | PictureError], jobs: Sequence[Job], workers: int
) -> Generator[tuple[Job, Done | PictureError]]:
    """Yield each job with its result in order, while threads work on the next jobs.

    Threads suffice, because decoding, k-means and PNG release Python's lock. Each thread computes on one core: sums
    over several cores depend on the order in which they finish, and so would k-means and the face detector.
    """
    waiting: deque[tuple[Job, Future[Done | PictureError]]] = deque()
    with threadpool_limits(1):  # BLAS for all threads, OpenMP for this one
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


def _stamp(job: Job, kind: Kind, options: MakeOptions) -> str:
    """Return a digest of everything that determines the made picture. It reads the ends of the source only."""
    try:
        ends = excerpt(job.item.picture)
    except DAMAGE as error:
        raise PictureError(f"{job.item.picture} cannot be read ({error}); remove it or replace it") from error
    how = options.model_dump_json(include={"layout", "size", "stretch", "seed"})
    return f"{mixed_seed(kind.model_dump_json(), how, job.item.name, int(job.original), ends.hex()):016x}"


def _read(source: Source, options: MakeOptions) -> Picture:
    """Return a picture [H, W, 3], resized by the options."""
    if options.size is None:
        return to_array(read_picture(source, options.max_megapixels))
    if options.stretch:
        whole = to_pixels(read_picture(source, options.max_megapixels, at_least=options.size))
        pixels = resized(whole, options.size, options.size)
    else:
        pixels = read_pixels(source, options.max_megapixels, options.size)
    return np.ascontiguousarray(pixels.permute(1, 2, 0).numpy())


def _write(picture: Picture, target: Path, mark: Mark) -> None:
    text = PngInfo()
    text.add_text(MARK, f"{mark.stamp} {mark.note}".rstrip())
    with replacing(target) as temporary:
        Image.fromarray(picture).save(temporary, format="PNG", pnginfo=text)
