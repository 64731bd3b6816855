"""Pairs of pictures of the same scene: a source, and the target to paint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import model_validator
from torch import Tensor

from impasto.data.batches import ImageSpec, PairedImages
from impasto.data.crops import Draw, centre_squares, crop_batches
from impasto.data.dataset import DataOptions, Dataset, EvaluationPictures
from impasto.data.layouts import read_collection
from impasto.data.layouts.pairs import paired
from impasto.data.options import Folder
from impasto.data.picture_set import checked
from impasto.data.reading import reader
from impasto.data.sources import Source
from impasto.data.stream import ShuffledOrder, positions
from impasto.errors import DataError


class PairedFoldersOptions(DataOptions):
    """Either `path` to a collection of pairs, or `sources` and `targets`: two folders with the same names."""

    kind: Literal["paired-folders"] = "paired-folders"
    path: Folder | None = None
    sources: Folder | None = None
    targets: Folder | None = None
    direction: Literal["A-to-B", "B-to-A"] = "A-to-B"
    """Which picture of a pair is the source. A is the left half, or the folder A."""
    layout: str | None = None
    """The layout of `path`. Default: recognised."""

    @model_validator(mode="after")
    def _says_where(self) -> PairedFoldersOptions:
        both = self.sources is not None and self.targets is not None
        neither = self.sources is None and self.targets is None
        if (self.path is None and not both) or (self.path is not None and not neither):
            raise ValueError("set data.path=DIR for a collection of pairs, or data.sources=DIR and data.targets=DIR")
        return self


class PairedFolders(Dataset):
    """Pairs. Both pictures get the same crop and flip."""

    Options = PairedFoldersOptions
    batch_types = frozenset({PairedImages})

    def __init__(self, options: PairedFoldersOptions, batch_type: type = PairedImages) -> None:  # noqa: ARG002
        self.options = options
        if options.sources is not None and options.targets is not None:
            collection = paired(options.sources, options.sources, options.targets)
        else:
            assert options.path is not None
            collection = read_collection(options.path, options.layout)
        if any(item.partner is None for item in collection.items):
            raise DataError(
                f"{collection.root} is {collection.layout}, not a collection of pairs; put the pairs side by side in "
                "one picture, or in folders A and B"
            )
        self.pairs = checked(collection, options.max_megapixels)
        self.fingerprint, self.notes = self.pairs.fingerprint, self.pairs.notes
        self.spec = ImageSpec(channels=3, size=options.image_size)

    @property
    def size(self) -> int:
        """Number of pairs in an epoch."""
        return len(self.pairs.train)

    def summary(self) -> str:
        """Return one line with the number of pairs."""
        return f"{len(self.pairs.train)} pairs to learn from, {len(self.pairs.test)} held out"

    def stream(
        self, batch_size: int, seed: int, start: int = 0, rank: int = 0, world_size: int = 1
    ) -> Iterator[PairedImages]:
        """Yield batches of random crops [N, 3, image_size, image_size], at the same place of both pictures."""
        files = [self._files(item.picture, item.partner) for item in self.pairs.train]
        order = ShuffledOrder(len(files), seed, "pairs")
        draws = ([Draw(p, files[order[p]]) for p in share] for share in positions(start, batch_size, rank, world_size))
        read = reader(self.options, 2 * len(files))
        for _, images in crop_batches(draws, self.options, seed, read=read, same_place=True):
            yield PairedImages(*images)

    def evaluation_pictures(self) -> EvaluationPictures:
        """Return held-out sources and their targets. If there are none: those for training."""
        shown = self.pairs.test or self.pairs.train
        sides = zip(*(self._files(item.picture, item.partner) for item in shown), strict=True)
        photos, real = (
            tuple(item._replace(picture=file, partner=None) for item, file in zip(shown, side, strict=True))
            for side in sides
        )
        targets = (
            item._replace(picture=self._files(item.picture, item.partner)[1], partner=None) for item in self.pairs.train
        )
        return EvaluationPictures(photos, real, learned=tuple(targets))

    def example_photos(self, count: int) -> Tensor:
        """Return the largest centre squares of the sources."""
        shown = (self.pairs.test or self.pairs.train)[:count]
        return centre_squares([self._files(item.picture, item.partner)[0] for item in shown], self.options)

    def _files(self, a: Source, b: Source | None) -> tuple[Source, Source]:
        assert b is not None
        return (a, b) if self.options.direction == "A-to-B" else (b, a)
