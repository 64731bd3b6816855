"""The embedded collection: photos from scikit-image and scikit-learn, and five renderings of each.

It needs no download. It gives unpaired, paired or labelled data, so every method can run on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from impasto.data.atelier_pictures import atelier_folder
from impasto.data.batches import ImageSpec, LabelledImages, PairedImages, UnpairedImages
from impasto.data.crops import Draw, centre_squares, crop_batches, held_out_batches
from impasto.data.dataset import DataOptions, Dataset, EvaluationPictures
from impasto.data.fingerprint import combined
from impasto.data.picture_set import PictureSet, find_pictures
from impasto.data.reading import Reader, reader
from impasto.data.renderers import STYLES
from impasto.data.sources import Source
from impasto.data.stream import ShuffledOrder, positions


class AtelierOptions(DataOptions):
    """The embedded collection, rendered on first use and cached."""

    kind: Literal["atelier"] = "atelier"
    style: Literal["strokes", "points", "mosaic", "hatching", "flat"] = "hatching"
    """The rendering that is learned. Labelled batches draw from all five."""


class Atelier(Dataset):
    """Photos and their painterly renderings, in the type of batch that the method needs."""

    Options = AtelierOptions
    batch_types = frozenset({UnpairedImages, PairedImages, LabelledImages})

    def __init__(self, options: AtelierOptions, batch_type: type = UnpairedImages) -> None:
        folder = atelier_folder()
        self.options = options.model_copy(update={"cache": "memory"})  # it is small
        self.batch_type = batch_type
        self.photos = find_pictures(folder / "photos", options.max_megapixels)
        self.renderings = {style: find_pictures(folder / style, options.max_megapixels) for style in STYLES}
        self.fingerprint = combined(*(s.fingerprint for s in (self.photos, *self.renderings.values())))
        classes = tuple(STYLES) if batch_type is LabelledImages else ()
        self.spec = ImageSpec(channels=3, size=options.image_size, classes=classes)

    @property
    def _is_labelled(self) -> bool:
        return self.batch_type is LabelledImages

    @property
    def paintings(self) -> PictureSet:
        """The renderings in the style of the options."""
        return self.renderings[self.options.style]

    @property
    def size(self) -> int:
        """Images in an epoch."""
        styles = len(STYLES) if self._is_labelled else 1
        return styles * len(self.photos.train)

    @property
    def different_crops(self) -> int:
        """Non-overlapping crops: there are few pictures, but they are large."""
        return self.size * (self.options.short_side // self.options.image_size) ** 2

    def summary(self) -> str:
        """Return one line with the number of pictures."""
        learned = "all five styles" if self._is_labelled else f"the style {self.options.style}"
        return f"{len(self.photos.train)} embedded photos and {learned}, {len(self.photos.test)} photos held out"

    def stream(self, batch_size: int, seed: int, start: int = 0, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        """Yield random crops in the batch type given at the start."""
        shares = positions(start, batch_size, rank, world_size)
        if self._is_labelled:
            yield from self._labelled(shares, seed)
            return
        paired = self.batch_type is PairedImages
        photos, paintings = self.photos.train, self.paintings.train
        photo_order = ShuffledOrder(len(photos), seed, "photos")
        painting_order = photo_order if paired else ShuffledOrder(len(paintings), seed, "paintings")
        draws = (
            [Draw(p, (photos[photo_order[p]].picture, paintings[painting_order[p]].picture)) for p in share]
            for share in shares
        )
        for _, images in crop_batches(draws, self.options, seed, read=self._reader(), same_place=paired):
            yield self.batch_type(*images)

    def _labelled(self, shares: Iterator[range], seed: int) -> Iterator[LabelledImages]:
        examples = self._examples("train")
        order = ShuffledOrder(len(examples), seed, "labelled")

        def draw(position: int) -> Draw:
            file, label = examples[order[position]]
            return Draw(position, (file,), (label,))

        draws = ([draw(p) for p in share] for share in shares)
        for batch, (images,) in crop_batches(draws, self.options, seed, read=self._reader()):
            yield LabelledImages(images, torch.tensor([drawn.labels for drawn in batch]))

    @property
    def held_out_size(self) -> int:
        """Number of renderings of held-out photos, in all styles. 0 if the data is not labelled."""
        return len(self._examples("test"))

    def held_out(self, batch_size: int, every: int = 1) -> Iterator[LabelledImages]:
        """Yield the centre crops of the held-out renderings [N, 3, image_size, image_size] with their styles."""
        return self._centres(self._examples("test")[::every], batch_size)

    def learned(self, batch_size: int, every: int = 1) -> Iterator[LabelledImages]:
        """Yield the centre crops of the training renderings [N, 3, image_size, image_size] with their styles."""
        return self._centres(self._examples("train")[::every], batch_size)

    def _examples(self, split: Literal["train", "test"]) -> list[tuple[Source, int]]:
        """Return the renderings of a split with the numbers of their styles. Empty if the data is not labelled."""
        sets = [self.renderings[style] for style in STYLES] if self._is_labelled else []
        items = [rendered.train if split == "train" else rendered.test for rendered in sets]
        return [(item.picture, label) for label, of_style in enumerate(items) for item in of_style]

    def _centres(self, examples: Sequence[tuple[Source, int]], batch_size: int) -> Iterator[LabelledImages]:
        draws = [Draw(position, (file,), (label,)) for position, (file, label) in enumerate(examples)]
        for batch, (images,) in held_out_batches(draws, batch_size, self.options):
            yield LabelledImages(images, torch.tensor([drawn.labels for drawn in batch]))

    def evaluation_pictures(self) -> EvaluationPictures:
        """Return held-out photos and their renderings. For labelled data: all training renderings."""
        if not self._is_labelled:
            return EvaluationPictures(self.photos.test, self.paintings.test, learned=self.paintings.train)
        items = [item._replace(labels={"style": style}) for style in STYLES for item in self.renderings[style].train]
        return EvaluationPictures((), tuple(items), "style", tuple(items))

    def example_photos(self, count: int) -> Tensor:
        """Return the largest centre squares of photos, held-out ones first."""
        shown = (*self.photos.test, *self.photos.train)[:count]
        return centre_squares([item.picture for item in shown], self.options)

    def example_styles(self, count: int) -> Tensor:
        """Return the largest centre squares of the renderings, held-out ones first."""
        shown = (*self.paintings.test, *self.paintings.train)[:count]
        return centre_squares([item.picture for item in shown], self.options)

    def _reader(self) -> Reader:
        return reader(self.options, sum(len(s.train) for s in (self.photos, *self.renderings.values())))
