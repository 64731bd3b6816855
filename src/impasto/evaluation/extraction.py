"""Fills columns of values in one pass over images. A pass can be resumed, and its memory use stays constant.

A column is a float32 table with one row for each readable image: the features and probabilities of a network, or values
computed from the pixels. Columns are stored in impasto's cache under the digest of the images and the identity of the
column. So each reference is processed only once.
"""

from __future__ import annotations

import json
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from impasto.errors import EvaluationError, PictureError
from impasto.evaluation.extractors import Extractor
from impasto.evaluation.images import ImageSet, Seen
from impasto.files import default_cache, locked, make_folder, unwritable, write_text

BATCH = 64
SAVED_EVERY = 256
"""Images between two saves of a pass."""
FEWEST_UNREADABLE = 10
MOST_UNREADABLE = 0.01
"""A pass stops if more than FEWEST_UNREADABLE images and more than this share are unreadable."""

FORMAT = "1"
"""Version of the cache. Increase it when the computation of pixels or features changes."""

Progress = Callable[[int, int], None]


class Column(ABC):
    """Values computed for each image."""

    identity: str
    """Folder name. It identifies everything that determines the values, except the images."""
    width: int

    @abstractmethod
    def prepare(self, seen: Seen) -> Tensor:
        """Prepare one image. May run in several threads."""

    @abstractmethod
    def values(self, prepared: Sequence[Tensor]) -> Tensor:
        """Return the rows, float32 [n, width], of prepared images."""


class FeatureColumn(Column):
    """The features of an extractor, followed by its class probabilities."""

    def __init__(self, extractor: Extractor) -> None:
        self.extractor, about = extractor, extractor.about
        self.identity = "-".join(part for part in (about.name, about.weights, about.resize, about.precision) if part)
        self.width = extractor.dimensions + len(extractor.classes)

    def prepare(self, seen: Seen) -> Tensor:
        """See Column."""
        with torch.inference_mode():
            return self.extractor.prepare(seen.image)

    def values(self, prepared: Sequence[Tensor]) -> Tensor:
        """See Column."""
        return torch.cat(self.extractor.extract(prepared), dim=1)


@dataclass
class Extracted:
    """The columns of one image set, with one row for each readable image, in order."""

    images: ImageSet
    columns: Mapping[str, Tensor]
    """By identity, float32 [n, width], memory-mapped."""
    unreadable: Mapping[int, str]
    """Reason why an image is unreadable, by its place in the set."""
    folder: Path | None
    """Folder for values computed from the columns. None: nothing is kept."""

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.images) - len(self.unreadable)

    @property
    def places(self) -> list[int]:
        """The place in the set of each row's image."""
        return [place for place in range(len(self.images)) if place not in self.unreadable]

    @property
    def labels(self) -> list[str | None]:
        """The class of each row."""
        return [self.images.labels[place] for place in self.places]

    @property
    def warnings(self) -> list[str]:
        """Warn about unreadable images: their number and the first names."""
        if not self.unreadable:
            return []
        first = [self.images.names[place] for place in list(self.unreadable)[:5]]
        return [f"{len(self.unreadable)} of {len(self.images):,} images could not be read: {', '.join(first)}"]


def extract(
    images: ImageSet, columns: Sequence[Column], progress: Progress | None = None, cache: Path | None = None
) -> Extracted:
    """Fill missing columns in one pass. Continues where an earlier pass stopped.

    Columns of images that do not last are kept in memory only.

    Raises EvaluationError if more than 10 images and more than 1 % are unreadable, or if a value is not finite.
    """
    if images.lasting:
        return _extract(images, columns, progress, (cache or default_cache() / "judged" / FORMAT) / images.digest)
    with tempfile.TemporaryDirectory(prefix="impasto-columns-") as folder:
        found = _extract(images, columns, progress, Path(folder))
        copied = {identity: rows.clone() for identity, rows in found.columns.items()}
        return replace(found, columns=copied, folder=None)


def _extract(images: ImageSet, columns: Sequence[Column], progress: Progress | None, place: Path) -> Extracted:
    folders = [make_folder(place / column.identity) for column in columns]
    with ExitStack() as held:
        for folder in sorted(folders):
            held.enter_context(locked(folder / "lock"))
        tables = [_Table(folder, column.width) for folder, column in zip(folders, columns, strict=True)]
        # Columns can be filled to different places: first bring those behind up to the next.
        while behind := sorted({table.done for table in tables if table.done < len(images)}):
            start, stop = behind[0], behind[1] if len(behind) > 1 else len(images)
            filled = [(column, table) for column, table in zip(columns, tables, strict=True) if table.done == start]
            _fill(images, filled, stop, progress)
        found = {column.identity: table.rows(len(images)) for column, table in zip(columns, tables, strict=True)}
        unreadable = {place: why for table in tables for place, why in table.unreadable.items() if place < len(images)}
    return Extracted(images, found, dict(sorted(unreadable.items())), place)


def _fill(images: ImageSet, filled: Sequence[tuple[Column, _Table]], stop: int, progress: Progress | None) -> None:
    start = filled[0][1].done

    def work(seen: Seen) -> list[Tensor]:
        return [column.prepare(seen) for column, _ in filled]

    done = start
    batches = images.batches(start, BATCH, work)
    try:
        for batch in batches:
            batch = batch[: stop - done]
            good = [prepared for prepared in batch if not isinstance(prepared, PictureError)]
            why = {done + n: str(error) for n, error in enumerate(batch) if isinstance(error, PictureError)}
            for number, (column, table) in enumerate(filled):
                rows = column.values([prepared[number] for prepared in good]) if good else torch.empty(0, column.width)
                _check_finite(rows, images, [done + n for n, p in enumerate(batch) if not isinstance(p, PictureError)])
                table.add(rows, len(batch), why)
            done += len(batch)
            _check_readable(filled[0][1].unreadable, images)
            if progress:
                progress(done, len(images))
            if done >= stop:
                break
    finally:
        for _, table in filled:
            table.save()


def _check_finite(rows: Tensor, images: ImageSet, places: Sequence[int]) -> None:
    bad = (~torch.isfinite(rows).all(dim=1)).nonzero()
    if len(bad):
        raise EvaluationError(
            f"the features of {images.names[places[int(bad[0])]]} in {images.name} are not finite; use precision "
            "fp32, or replace the weights if they are damaged"
        )


def _check_readable(unreadable: Mapping[int, str], images: ImageSet) -> None:
    if len(unreadable) > max(FEWEST_UNREADABLE, MOST_UNREADABLE * len(images)):
        raise EvaluationError(
            f"{images.name}: {len(unreadable)} images cannot be read so far, too many for a meaningful evaluation "
            f"(the first: {next(iter(unreadable.values()))}); use impasto data check to find them"
        )


@dataclass
class _Table:
    """One column on disk: float32 rows, and a file with the number of images done. Later rows are overwritten."""

    folder: Path
    width: int
    done: int = 0
    """Images processed."""
    unreadable: dict[int, str] = field(default_factory=dict)
    _waiting: list[Tensor] = field(default_factory=list)

    def __post_init__(self) -> None:
        try:
            noted = json.loads((self.folder / "done.json").read_text(encoding="utf-8"))
            done, unreadable = int(noted["done"]), {int(place): str(why) for place, why in noted["unreadable"].items()}
            there = (self.folder / "rows.f32").stat().st_size
        except (OSError, ValueError, KeyError, AttributeError):  # new or damaged
            return
        if there >= (done - len(unreadable)) * self.width * 4:
            self.done, self.unreadable = done, unreadable

    def add(self, rows: Tensor, processed: int, unreadable: Mapping[int, str]) -> None:
        """Add the rows of the next images. `processed` counts them, unreadable ones included."""
        self._waiting.append(rows)
        before = self.done
        self.done += processed
        self.unreadable |= unreadable
        if before // SAVED_EVERY != self.done // SAVED_EVERY:
            self.save()

    def save(self) -> None:
        """Write the waiting rows, then the number of images done."""
        if not self._waiting:
            return
        waiting = torch.cat(self._waiting).numpy().astype(np.float32, copy=False)
        before = self.done - len(self.unreadable) - len(waiting)
        try:
            path = self.folder / "rows.f32"
            with path.open("r+b" if path.exists() else "wb") as file:
                file.truncate(before * self.width * 4)
                file.seek(0, 2)
                file.write(waiting.tobytes())
        except OSError as error:
            raise unwritable(self.folder, error) from error
        self._waiting = []
        write_text(self.folder / "done.json", json.dumps({"done": self.done, "unreadable": self.unreadable}))

    def rows(self, images: int) -> Tensor:
        """Return the rows of the first `images` images, [n, width], memory-mapped."""
        count = images - sum(place < images for place in self.unreadable)
        if count * self.width == 0:
            return torch.empty(count, self.width)
        mapped = np.memmap(self.folder / "rows.f32", np.float32, "c", shape=(count, self.width))
        return torch.from_numpy(mapped)
