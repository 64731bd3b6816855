"""Labelled pictures, with one or several attributes: class folders, a table of labels, MNIST, a WikiArt list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import BeforeValidator, Field, model_validator

from impasto.data.batches import UNKNOWN, ImageSpec, LabelledImages
from impasto.data.collection import Collection, Item
from impasto.data.crops import Draw, crop_batches, held_out_batches
from impasto.data.dataset import DataOptions, Dataset, EvaluationPictures
from impasto.data.labelling import (
    Classes,
    check_counts,
    chosen_attributes,
    class_counts,
    having,
    left_out,
    named_classes,
    natural,
    sizeable,
    with_held_out,
)
from impasto.data.layouts import read_collection
from impasto.data.options import Place
from impasto.data.picture_set import checked
from impasto.data.reading import reader
from impasto.data.shard_order import order_of, refuse_balance
from impasto.data.stream import Balance, BalancedOrder, positions
from impasto.data.transforms import ReadOptions


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class LabelledFolderOptions(DataOptions):
    """A collection and the attributes to learn."""

    kind: Literal["labelled-folder"] = "labelled-folder"
    path: Place
    layout: str | None = None
    """The layout of the collection. Default: recognised."""
    label: Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)] | None = None
    """The attribute to learn, such as style, genre or artist. Default: `class`, or the only attribute. Several, such as
    [style, genre], are learned together; a picture without one of them is learned by the others."""
    classes: tuple[str, ...] | None = None
    """Learn these classes only. With several attributes write style=ukiyo_e; an attribute that is not named keeps all
    its classes."""
    min_images: int | None = Field(None, ge=1)
    """Leave out classes with fewer training pictures."""
    largest: int | None = Field(None, ge=1)
    """Learn only this many classes of each attribute: those with the most pictures. The styles of Gilles and Perrin: 25
    (docs/methods/conditional-gans.md#a2)."""
    balance: Literal["none"] | Balance = "none"
    """How often each class of the first attribute is shown. none: in proportion to its pictures. sqrt: to their square
    root. uniform: all classes equally. Pictures without the attribute count as one class."""
    validation_share: float = Field(0.0, ge=0, le=0.9)
    """Share of each class of the first attribute to hold out, if the collection holds out nothing itself. The names of
    the pictures decide which."""
    fit: Literal["crop", "squash"] = "crop"
    """crop: keep proportions and crop. squash: resize the whole picture to a square."""
    channels: Literal[1, 3] = 3
    """1: grey, by luma (ITU-R BT.601). 3: colour. Evaluation uses the real pictures in their own colours, so metrics of
    a painter of grey are fair only if these are grey too, as MNIST's are."""

    @model_validator(mode="after")
    def _names_each_label_once(self) -> LabelledFolderOptions:
        if self.label is not None and len(set(self.label)) < len(self.label):
            raise ValueError(f"label names an attribute twice ({', '.join(self.label)}); name each once")
        return self

    @property
    def read_options(self) -> ReadOptions:
        """See DataOptions."""
        return ReadOptions(self.fit == "squash", self.channels)


class LabelledFolder(Dataset):
    """Labelled pictures. Pictures without a label or of other classes are left out and counted.

    `classes` holds the classes of each attribute in order. The label of a picture is an index within its attribute.
    """

    Options: ClassVar[type[DataOptions]] = LabelledFolderOptions
    batch_types = frozenset({LabelledImages})

    def __init__(self, options: LabelledFolderOptions, batch_type: type = LabelledImages) -> None:  # noqa: ARG002
        self.options = options
        collection = read_collection(options.path, options.layout)
        self.attributes = chosen_attributes(collection, options.label)
        wanted = named_classes(collection, self.attributes, options.classes)
        items = with_held_out(having(collection.items, wanted), self.attributes[0], options.validation_share)
        found = class_counts(items, wanted)
        kept = sizeable(wanted, found, options.min_images, options.largest)
        self.pictures = checked(collection, options.max_megapixels, having(items, kept))
        self.counts = class_counts(self.pictures.train, kept)
        check_counts(collection, self.counts)
        self.classes = {attribute: tuple(sorted(of, key=natural)) for attribute, of in self.counts.items()}
        self._places = {attribute: {name: n for n, name in enumerate(of)} for attribute, of in self.classes.items()}
        self.validation = [item for item in self.pictures.test if max(self._labels(item)) >= 0]
        self.notes = (*self.pictures.notes, *left_out(kept, found), *self._lacking(collection, kept))
        self.fingerprint = self.pictures.fingerprint
        self.spec = self._spec()

    def _spec(self) -> ImageSpec:
        options = self.options
        if len(self.classes) == 1:
            return ImageSpec(options.channels, options.image_size, next(iter(self.classes.values())))
        names = tuple(f"{attribute}={name}" for attribute, of in self.classes.items() for name in of)
        return ImageSpec(options.channels, options.image_size, names, tuple(map(len, self.classes.values())))

    @property
    def size(self) -> int:
        """Images in an epoch."""
        return len(self.pictures.train)

    def summary(self) -> str:
        """Return one line with the numbers of pictures and classes."""
        train, test = len(self.pictures.train), len(self.pictures.test)
        classes = " and ".join(f"{len(of)} classes ({attribute})" for attribute, of in self.classes.items())
        return f"{train:,} pictures of {classes} to learn from, {test:,} held out"

    def histogram(self) -> Mapping[str, int]:
        """Return the number of training pictures of each class."""
        counts = (self.counts[attribute][name] for attribute, of in self.classes.items() for name in of)
        return dict(zip(self.spec.classes, counts, strict=True))

    def stream(
        self, batch_size: int, seed: int, start: int = 0, rank: int = 0, world_size: int = 1
    ) -> Iterator[LabelledImages]:
        """Yield batches of crops [N, C, image_size, image_size] with their classes."""
        choose = self._chooser(seed)

        def draw(position: int) -> Draw:
            item = choose(position)
            return Draw(position, (item.picture,), self._labels(item))

        draws = ([draw(p) for p in share] for share in positions(start, batch_size, rank, world_size))
        read = reader(self.options, self.size)
        for batch, (images,) in crop_batches(draws, self.options, seed, read=read):
            yield LabelledImages(images, torch.tensor([drawn.labels for drawn in batch]))

    @property
    def held_out_size(self) -> int:
        """Number of held-out pictures of the learned classes."""
        return len(self.validation)

    def held_out(self, batch_size: int, every: int = 1) -> Iterator[LabelledImages]:
        """Yield the centre crops of the held-out pictures [N, C, image_size, image_size] with their classes."""
        return self._centres(self.validation[::every], batch_size)

    def learned(self, batch_size: int, every: int = 1) -> Iterator[LabelledImages]:
        """Yield the centre crops of the training pictures [N, C, image_size, image_size] with their classes."""
        return self._centres(self.pictures.train[::every], batch_size)

    def _centres(self, items: Sequence[Item], batch_size: int) -> Iterator[LabelledImages]:
        draws = [Draw(position, (item.picture,), self._labels(item)) for position, item in enumerate(items)]
        for batch, (images,) in held_out_batches(draws, batch_size, self.options):
            yield LabelledImages(images, torch.tensor([drawn.labels for drawn in batch]))

    def evaluation_pictures(self) -> EvaluationPictures:
        """Return all training pictures. A class is compared with all its real pictures (docs/methods/evaluation.md).

        With several attributes, the first one is evaluated, on the pictures that have it, with plain class names.
        Evaluation uses whole pictures: an extractor that resizes to a square sees them as `fit: squash` does.
        """
        train = self.pictures.train
        labelled = tuple(item for item in train if self._labels(item)[0] >= 0)
        return EvaluationPictures((), labelled, self.attributes[0], train)

    def _chooser(self, seed: int) -> Callable[[int], Item]:
        """Return a function from a position of the run to its picture. The balance decides how often a class comes."""
        items, balance = self.pictures.train, self.options.balance
        if balance == "none":
            order = order_of(items, seed, "labelled")
            return lambda position: items[order[position]]
        refuse_balance(items, self.options.path)
        by_class: dict[int, list[Item]] = {label: [] for label in range(self.spec.attributes[0])}
        for item in items:
            by_class.setdefault(self._labels(item)[0], []).append(item)
        groups = list(by_class.values())
        balanced = BalancedOrder([len(members) for members in groups], seed, balance)

        def choose(position: int) -> Item:
            label, index = balanced[position]
            return groups[label][index]

        return choose

    def _labels(self, item: Item) -> tuple[int, ...]:
        """Return the class of each attribute. UNKNOWN if it is unknown or not learned."""
        return tuple(places.get(item.labels.get(attribute, ""), UNKNOWN) for attribute, places in self._places.items())

    def _lacking(self, collection: Collection, kept: Classes) -> Iterator[str]:
        """Yield notes about the pictures that lack a label."""
        yield from _unlabelled(collection.items, self.attributes)
        strange = len(self.pictures.test) - len(self.validation)
        if strange:
            yield f"{strange:,} held-out pictures have a class without training pictures"
        lacking = {
            attribute: sum(item.labels.get(attribute) not in of for item in self.pictures.train)
            for attribute, of in kept.items()
        }
        if any(lacking.values()):
            said = ", ".join(f"{count:,} without {attribute}" for attribute, count in lacking.items() if count)
            yield f"training pictures that are learned by their other labels only: {said}"


def _unlabelled(items: Sequence[Item], attributes: Sequence[str]) -> Iterator[str]:
    without = sum(not any(attribute in item.labels for attribute in attributes) for item in items)
    if without:
        yield f"{without:,} pictures have no {' or '.join(attributes)} and are left out"
