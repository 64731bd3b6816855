"""Picture files in, paintings of the same size out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple, Self, cast

from PIL import Image

from impasto.data.pictures import list_pictures, open_picture, read_picture
from impasto.data.prompts import ClassPrompt, StylePrompt
from impasto.errors import OutputError, PainterError, PictureError, naming
from impasto.files import make_folder, replacing
from impasto.hardware import keep_large_blocks
from impasto.painting.paint_picture import SMALLEST_SIDE, Kind, PhotoOptions, paint_picture
from impasto.painting.painters import LoadedPainter
from impasto.painting.signature import made_by, save_signed

SUFFIX_OF: dict[Kind, str] = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp"}
KIND_OF: dict[str, Kind] = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
LARGEST_SIDE: dict[Kind, int] = {"PNG": 2**31 - 1, "JPEG": 65_500, "WEBP": 16_383}
"""Longest side that a format supports, in pixels."""
LARGE = 16_000_000
"""A picture of more pixels is not read ahead, and the next one is read only after it is saved."""


class Job(NamedTuple):
    """One photo, and the file and format of its painting."""

    photo: Path
    painting: Path
    kind: Kind


@dataclass
class Outcome:
    """The result of painting several photos."""

    painted: list[Path] = field(default_factory=list)
    present: list[Path] = field(default_factory=list)
    """Paintings that were there already."""
    unreadable: list[PictureError] = field(default_factory=list)


def paint_files(
    photos: Sequence[Path],
    painter: LoadedPainter,
    output: Path,
    options: PhotoOptions | None = None,
    progress: Callable[[float, int], None] | None = None,
    style: Path | None = None,
) -> Outcome:
    """Paint files and folders of photos into the folder `output`, which keeps their sub-folders.

    While a photo is painted, the next is read and the previous painting is saved. Among several photos, unreadable ones
    are skipped and listed, and existing paintings are kept. A single photo raises PictureError if it is unreadable, and
    OutputError if its painting exists. `progress` receives the number of finished photos, fractions included, and their
    total. `style` is the style picture for a painter of StylePrompts. Raises PainterError if it is missing, or if the
    painter takes none.
    """
    options = options or PhotoOptions()
    check_takes_photos(painter, style)
    style_picture = None if style is None else read_picture(style, options.max_megapixels)
    jobs = plan(photos, output, options.kind)
    alone = len(jobs) == 1 and not photos[0].is_dir()
    make_folder(output)
    keep_large_blocks()
    outcome = Outcome()
    todo = []
    for job in jobs:
        if job.painting.exists() and not options.overwrite:
            outcome.present.append(job.painting)
        else:
            todo.append(job)
    if alone and outcome.present:
        raise OutputError(f"{outcome.present[0]} exists; pass --overwrite to replace it, or choose another --output")
    with _Saving(painter, options, style) as saving:
        for before, (job, picture) in enumerate(_read_ahead(todo, options.max_megapixels)):
            tell = partial(_tell, progress, before, len(todo))
            try:
                if isinstance(picture, PictureError):
                    raise picture
                with naming(str(job.photo)):
                    painting = paint_picture(picture, painter, options, tell, style_picture)
            except PictureError as error:
                if alone:
                    raise
                outcome.unreadable.append(error)
            else:
                saving.save(painting, job)
                outcome.painted.append(job.painting)
                del painting
            del picture  # frees memory before the next is read
            tell(1)
    return outcome


def _tell(progress: Callable[[float, int], None] | None, before: int, total: int, share: float) -> None:
    if progress:
        progress(before + share, total)


class _Saving:
    """Saves a painting in a separate thread while the next is painted. Waits until a large painting is saved."""

    def __init__(self, painter: LoadedPainter, options: PhotoOptions, style: Path | None) -> None:
        self.painter, self.options, self.style = painter, options, style

    def __enter__(self) -> Self:
        self.pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="impasto-save")
        self.last: Future[None] | None = None
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self.pool.shutdown()
        if self.last and error is None:
            self.last.result()

    def save(self, painting: Image.Image, job: Job) -> None:
        """Wait for the previous painting, then save this one. Raises the error of the previous one, if any."""
        if self.last:
            self.last.result()
        self.last = self.pool.submit(self._write, painting, job)
        if _large(painting):
            self.last.result()

    def _write(self, painting: Image.Image, job: Job) -> None:
        make_folder(job.painting.parent)
        with replacing(job.painting) as temporary:
            about = signature(self.painter, self.options, job.photo, self.style)
            save_signed(painting, temporary, job.kind, about)


def check_takes_photos(painter: LoadedPainter, style: Path | None = None) -> None:
    """Raise PainterError if a painter does not paint from photos, or from a photo and this style picture."""
    kind = painter.painter.prompt_type
    if kind is ClassPrompt:
        raise PainterError(f"{painter.name} does not paint from photos; choose a painter that does")
    if kind is StylePrompt and style is None:
        raise PainterError(f"{painter.name} paints in the style of a picture; pass it with --style PICTURE")
    if kind is not StylePrompt and style is not None:
        raise PainterError(f"{painter.name} takes no style picture; leave --style out, or choose another painter")


def signature(painter: LoadedPainter, options: PhotoOptions, photo: Path, style: Path | None = None) -> dict[str, Any]:
    """Return the signature of a painting."""
    return {
        **made_by(painter),
        "photo": photo.name,
        **({"style": style.name} if style is not None else {}),
        "seed": options.seed,
        "size": options.size,
        "strength": options.strength,
        "colours": options.colours,
    }


def plan(photos: Sequence[Path], output: Path, kind: Kind | None) -> list[Job]:
    """Return the paint jobs. Each photo gets its own file.

    Raises DataError for a missing file or an empty folder, OutputError if a painting would replace its photo or two
    paintings would have the same name.
    """
    sources: list[tuple[Path, Path]] = []
    for given in photos:
        if given.is_dir():
            mine = output.resolve()  # excludes earlier paintings if the output is inside the folder of photos
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
    """Yield each job with its picture, or the error of reading it. A thread reads the next one, unless it is large."""

    def read(job: Job) -> Image.Image | PictureError:
        try:
            return _fit_to_paint(read_picture(job.photo, max_megapixels), job)
        except PictureError as error:
            return error

    def read_unless_large(job: Job) -> Image.Image | PictureError | None:
        try:
            with open_picture(job.photo, max_megapixels) as picture:
                if _large(picture):
                    return None
        except PictureError as error:
            return error
        return read(job)

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="impasto-read") as pool:
        upcoming: list[Future[Image.Image | PictureError | None]] = []
        for job, following in zip_longest(jobs, jobs[1:]):
            pictures = [upcoming.pop().result() if upcoming else None]  # a list, so that no reference stays after `pop`
            if pictures[0] is None:
                pictures = [read(job)]
            if following is not None and not (isinstance(pictures[0], Image.Image) and _large(pictures[0])):
                upcoming.append(pool.submit(read_unless_large, following))
            yield job, cast("Image.Image | PictureError", pictures.pop())


def _large(picture: Image.Image) -> bool:
    return picture.width * picture.height > LARGE


def _fit_to_paint(picture: Image.Image, job: Job) -> Image.Image:
    size = f"{picture.width} x {picture.height} pixels"
    if min(picture.size) < SMALLEST_SIDE:
        raise PictureError(f"{job.photo} has only {size}; use a picture with sides of {SMALLEST_SIDE} or more")
    if max(picture.size) > LARGEST_SIDE[job.kind]:
        raise PictureError(f"{job.photo} has {size}, more than {job.kind} supports; use --format png")
    return picture
