"""Two collections of unrelated pictures: photos, and paintings in the style to learn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from pydantic import Field, model_validator
from torch import Tensor

from impasto.data.batches import ImageSpec, UnpairedImages
from impasto.data.collection import Collection, Item
from impasto.data.crops import Draw, centre_squares, crop_batches
from impasto.data.dataset import DataOptions, Dataset, EvaluationPictures
from impasto.data.fingerprint import combined
from impasto.data.labelling import chosen_attributes, having, named_classes
from impasto.data.layouts import read_collection
from impasto.data.options import Place
from impasto.data.picture_set import PictureSet, checked, find_pictures
from impasto.data.reading import reader
from impasto.data.shard_order import order_of
from impasto.data.stream import positions
from impasto.errors import DataError


class UnpairedFoldersOptions(DataOptions):
    """Either `photos` and `paintings`, or `path` to a collection of two domains, such as trainA and trainB."""

    kind: Literal["unpaired-folders"] = "unpaired-folders"
    photos: Place | None = None
    paintings: Place | None = None
    path: Place | None = None
    photos_are: Literal["A", "B"] = "A"
    """Which of the two domains holds the photos (monet2photo: B)."""
    layout: str | None = None
    """The layout of the folders. Default: recognised."""
    label: str | None = None
    """The attribute of the paintings for `classes`, such as style or artist. Default: `class`, or the only one."""
    classes: tuple[str, ...] | None = Field(None, min_length=1)
    """Use only the paintings of these classes."""
    resize_paintings: int | None = Field(None, ge=16, le=8192)
    """Short side to which paintings are resized. Default: as photos. A larger value gives broader strokes."""

    @model_validator(mode="after")
    def _says_where(self) -> UnpairedFoldersOptions:
        both = self.photos is not None and self.paintings is not None
        neither = self.photos is None and self.paintings is None
        if (self.path is None and not both) or (self.path is not None and not neither):
            raise ValueError(
                "set data.photos=DIR and data.paintings=DIR, or data.path=DIR for a folder with trainA and trainB"
            )
        if self.label is not None and self.classes is None:
            raise ValueError("label is used with classes only; set data.classes too, or leave label out")
        if self.resize_paintings is not None and self.resize_paintings < self.image_size:
            raise ValueError(
                f"resize_paintings ({self.resize_paintings}) is smaller than image_size ({self.image_size}); make it "
                "at least as large"
            )
        return self

    @property
    def of_paintings(self) -> UnpairedFoldersOptions:
        """The same options at the scale of the paintings."""
        return self.model_copy(update={"resize": self.resize_paintings or self.resize})


class UnpairedFolders(Dataset):
    """Photos and paintings, each in its own shuffled order. An epoch is one pass over the larger collection."""

    Options = UnpairedFoldersOptions
    batch_types = frozenset({UnpairedImages})

    def __init__(self, options: UnpairedFoldersOptions, batch_type: type = UnpairedImages) -> None:  # noqa: ARG002
        self.options = options
        self.photos, self.paintings = _domains(options)
        self.fingerprint = combined(self.photos.fingerprint, self.paintings.fingerprint)
        self.notes = tuple(dict.fromkeys((*self.photos.notes, *self.paintings.notes)))
        self.spec = ImageSpec(channels=3, size=options.image_size)

    @property
    def size(self) -> int:
        """Images in an epoch: one pass over the larger folder (Zhu et al. 2017, the authors' code)."""
        return max(len(self.photos.train), len(self.paintings.train))

    def summary(self) -> str:
        """Return one line with the numbers of pictures."""
        return (
            f"{len(self.photos.train)} photos and {len(self.paintings.train)} paintings to learn from, "
            f"{len(self.photos.test)} and {len(self.paintings.test)} held out"
        )

    def stream(
        self, batch_size: int, seed: int, start: int = 0, rank: int = 0, world_size: int = 1
    ) -> Iterator[UnpairedImages]:
        """Yield batches of random crops [N, 3, image_size, image_size]."""
        photos, paintings = self.photos.train, self.paintings.train
        photo_order, painting_order = order_of(photos, seed, "photos"), order_of(paintings, seed, "paintings")
        draws = (
            [Draw(p, (photos[photo_order[p]].picture, paintings[painting_order[p]].picture)) for p in share]
            for share in positions(start, batch_size, rank, world_size)
        )
        pictures = len(photos) + len(paintings)  # a cache in memory must hold both, at either scale
        read = reader(self.options, pictures)
        read_second = reader(self.options.of_paintings, pictures) if self.options.resize_paintings else read
        for _, images in crop_batches(draws, self.options, seed, read=read, read_second=read_second):
            yield UnpairedImages(*images)

    def evaluation_pictures(self) -> EvaluationPictures:
        """Return held-out photos and held-out paintings. If there are none: those for training."""
        photos, paintings = self.photos, self.paintings
        return EvaluationPictures(
            photos.test or photos.train, paintings.test or paintings.train, learned=paintings.train
        )

    def example_photos(self, count: int) -> Tensor:
        """Return the largest centre squares of photos that fit the training scale."""
        return self._squares(self.photos, count)

    def example_styles(self, count: int) -> Tensor:
        """Return the largest centre squares of paintings that fit the training scale."""
        return self._squares(self.paintings, count)

    def _squares(self, pictures: PictureSet, count: int) -> Tensor:
        shown = (pictures.test or pictures.train)[:count]
        return centre_squares([item.picture for item in shown], self.options)


def _domains(options: UnpairedFoldersOptions) -> tuple[PictureSet, PictureSet]:
    """Return the photos and the paintings."""
    if options.photos is not None and options.paintings is not None:
        paintings = read_collection(options.paintings, options.layout)
        return (
            find_pictures(options.photos, options.max_megapixels, options.layout),
            checked(paintings, options.max_megapixels, _of_the_classes(paintings, paintings.items, options)),
        )
    assert options.path is not None
    collection = read_collection(options.path, options.layout)
    if "domain" not in collection.attributes:
        raise DataError(
            f"{options.path} is {collection.layout}, not a collection of two domains; it needs the folders trainA and "
            "trainB, or set data.photos and data.paintings"
        )
    photos, paintings_of_all = (
        [item for item in collection.items if item.labels.get("domain") == domain]
        for domain in (options.photos_are, "AB".replace(options.photos_are, ""))
    )
    chosen = _of_the_classes(collection, paintings_of_all, options)
    return checked(collection, options.max_megapixels, photos), checked(collection, options.max_megapixels, chosen)


def _of_the_classes(
    collection: Collection, paintings: Sequence[Item], options: UnpairedFoldersOptions
) -> Sequence[Item]:
    """Return the paintings of the classes in the options. Default: all."""
    if options.classes is None:
        return paintings
    labels = [  # the domain is not a class
        item._replace(labels={name: value for name, value in item.labels.items() if name != "domain"})
        for item in paintings
    ]
    labelled = replace(collection, items=labels)
    attributes = chosen_attributes(labelled, None if options.label is None else [options.label])
    return having(labels, named_classes(labelled, attributes, options.classes))
