"""Picture files in, paintings of the same size out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from PIL import Image

from impasto import __version__
from impasto.chance import generator
from impasto.data.batches import Images
from impasto.data.pictures import MAX_MEGAPIXELS, list_pictures, read_picture
from impasto.data.transforms import to_picture, to_pixels, to_range
from impasto.errors import OutputError, PainterError, PictureError
from impasto.files import make_folder, replacing
from impasto.hardware import has_bf16, keep_large_blocks
from impasto.painting.painters import LoadedPainter
from impasto.painting.signature import save_signed

Kind = Literal["PNG", "JPEG", "WEBP"]
SUFFIX_OF: dict[Kind, str] = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp"}
KIND_OF: dict[str, Kind] = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
SMALLEST_SIDE = 8
"""Below this, pixels, there is nothing to paint."""
LARGEST_SIDE: dict[Kind, int] = {"PNG": 2**31 - 1, "JPEG": 65_500, "WEBP": 16_383}
"""What the formats can hold, pixels."""


class Job(NamedTuple):
    """One photo and where its painting goes."""

    photo: Path
    painting: Path
    kind: Kind


@dataclass
class Outcome:
    """What became of the photos."""

    painted: list[Path] = field(default_factory=list)
    present: list[Path] = field(default_factory=list)
    """Paintings that were there already."""
    unreadable: list[PictureError] = field(default_factory=list)


@dataclass(frozen=True)
class PaintSettings:
    """How to paint, whatever the painter."""

    size: int | None = None
    """Short side at which to paint, pixels: a smaller one gives a coarser brush; the photo's own unless said."""
    kind: Kind | None = None
    """Format of the paintings; the photo's own where that is PNG, JPEG or WebP, else PNG."""
    overwrite: bool = False
    seed: int = 0
    max_megapixels: float = MAX_MEGAPIXELS


def paint_files(
    photos: Sequence[Path],
    painter: LoadedPainter,
    output: Path,
    settings: PaintSettings | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Paint files and folders of photos into the folder `output`, which keeps their sub-folders.

    In a folder, or among several photos, one that cannot be read is skipped and listed; alone it raises PictureError,
    as an existing painting raises OutputError. `progress` is told how many of how many are done.
    """
    settings = settings or PaintSettings()
    if Images is not painter.painter.prompt_type:
        raise PainterError(f"{painter.name} does not paint from photos; choose a painter that does")
    jobs = plan(photos, output, settings.kind)
    alone = len(jobs) == 1 and not photos[0].is_dir()
    make_folder(output)
    keep_large_blocks()
    outcome = Outcome()
    todo = []
    for job in jobs:
        if job.painting.exists() and not settings.overwrite:
            outcome.present.append(job.painting)
        else:
            todo.append(job)
    if alone and outcome.present:
        raise OutputError(f"{outcome.present[0]} exists; say --overwrite to paint it again")
    for done, (job, picture) in enumerate(_read_ahead(todo, settings.max_megapixels), start=1):
        if isinstance(picture, PictureError):
            if alone:
                raise picture
            outcome.unreadable.append(picture)
        else:
            painting = paint_picture(picture, painter, settings)
            make_folder(job.painting.parent)
            with replacing(job.painting) as temporary:
                save_signed(painting, temporary, job.kind, signature(painter, settings, job.photo))
            outcome.painted.append(job.painting)
        if progress:
            progress(done, len(todo))
    return outcome


def paint_picture(picture: Image.Image, painter: LoadedPainter, settings: PaintSettings) -> Image.Image:
    """Paint one RGB picture; the painting has its size.

    Raises PainterError when memory does not suffice.
    """
    seen = _shrunk(picture, settings.size)
    device = painter.painter.device
    image = to_range(to_pixels(seen))[None].to(device).contiguous(memory_format=torch.channels_last)
    try:
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device.type)):
            painted = painter.painter.paint(Images(image), generator(settings.seed, "paint"))[0]
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error):
            raise PainterError(
                f"there is not enough memory to paint {seen.width} x {seen.height} pixels at once; say --size with a "
                f"number below {min(seen.size)}"
            ) from error
        raise
    painting = to_picture(painted)
    return painting if painting.size == picture.size else painting.resize(picture.size, Image.Resampling.LANCZOS)


def signature(painter: LoadedPainter, settings: PaintSettings, photo: Path) -> dict[str, Any]:
    """Return what a painting says of itself."""
    return {
        "painter": painter.name,
        "method": painter.recipe.method.name,
        "images_seen": painter.images_seen,
        "weights": painter.fingerprint,
        "impasto": __version__,
        "photo": photo.name,
        "seed": settings.seed,
        "size": settings.size,
    }


def plan(photos: Sequence[Path], output: Path, kind: Kind | None) -> list[Job]:
    """Return what is to be painted, each photo to a file of its own.

    Raises DataError for a missing file or an empty folder, OutputError where a painting would replace its photo.
    """
    sources: list[tuple[Path, Path]] = []
    for given in photos:
        if given.is_dir():
            mine = output.resolve()  # paintings of an earlier call, where the output lies in the folder of photos
            found = [
                photo
                for photo in list_pictures(given)
                if mine not in photo.resolve().parents or mine == given.resolve()
            ]
            sources += [(photo, photo.relative_to(given)) for photo in found]
        elif given.exists():
            sources.append((given, Path(given.name)))
        else:
            raise PictureError(f"{given} does not exist; check the path")
    kinds = [kind or KIND_OF.get(photo.suffix.lower(), "PNG") for photo, _ in sources]
    targets = [place.with_suffix(SUFFIX_OF[chosen]) for (_, place), chosen in zip(sources, kinds, strict=True)]
    taken = Counter(targets)
    jobs = []
    for (photo, place), chosen, target in zip(sources, kinds, targets, strict=True):
        unique = target if taken[target] == 1 else place.with_name(place.name + SUFFIX_OF[chosen])
        if (output / unique).resolve() == photo.resolve():
            raise OutputError(f"{photo} would be replaced by its own painting; choose another --output folder")
        jobs.append(Job(photo, output / unique, chosen))
    doubled = [target for target, count in Counter(job.painting for job in jobs).items() if count > 1]
    if doubled:
        raise OutputError(f"two photos would both become {doubled[0]}; paint them into different --output folders")
    return jobs


def _read_ahead(jobs: Sequence[Job], max_megapixels: float) -> Iterator[tuple[Job, Image.Image | PictureError]]:
    """Yield each job with its picture, or why it cannot be read, while one thread reads the next."""

    def read(job: Job) -> Image.Image | PictureError:
        try:
            return _fit_to_paint(read_picture(job.photo, max_megapixels), job)
        except PictureError as error:
            return error

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="impasto-read") as pool:
        upcoming = pool.submit(read, jobs[0]) if jobs else None
        for number, job in enumerate(jobs):
            assert upcoming is not None
            picture = upcoming.result()
            if number + 1 < len(jobs):
                upcoming = pool.submit(read, jobs[number + 1])
            yield job, picture


def _fit_to_paint(picture: Image.Image, job: Job) -> Image.Image:
    size = f"{picture.width} x {picture.height} pixels"
    if min(picture.size) < SMALLEST_SIDE:
        raise PictureError(f"{job.photo} has only {size}; use a picture of {SMALLEST_SIDE} or more on a side")
    if max(picture.size) > LARGEST_SIDE[job.kind]:
        raise PictureError(f"{job.photo} has {size}, more than {job.kind} can hold; say --format png")
    return picture


def _shrunk(picture: Image.Image, size: int | None) -> Image.Image:
    if size is None or size >= min(picture.size):
        return picture
    scale = size / min(picture.size)
    width, height = (max(SMALLEST_SIDE, round(side * scale)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
