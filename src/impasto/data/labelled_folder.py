"""Pictures with a class each: a folder for each class, a table of labels, MNIST, a WikiArt list and so on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

import torch
from pydantic import Field

from impasto.chance import mixed_seed
from impasto.data.batches import ImageSpec, LabelledImages, Labels
from impasto.data.collection import Collection, Item
from impasto.data.crops import Draw, crop_batches, held_out_batches
from impasto.data.dataset import DataOptions, Dataset, Exhibits
from impasto.data.layouts import read_collection
from impasto.data.options import Place
from impasto.data.picture_set import checked
from impasto.data.reading import reader
from impasto.data.shard_order import order_of, refuse_balance
from impasto.data.stream import Balance, BalancedOrder, positions
from impasto.errors import DataError, did_you_mean

NAMED = 5


class LabelledFolderOptions(DataOptions):
    """A collection, and which of its attributes is the class."""

    kind: Literal["labelled-folder"] = "labelled-folder"
    path: Place
    layout: str | None = None
    """Recognised unless said."""
    label: str | None = None
    """The attribute that is the class, such as style, genre or artist; `class`, or the only one, unless said."""
    classes: tuple[str, ...] | None = None
    """Learn these classes only."""
    balance: Literal["none"] | Balance = "none"
    """How often a class is shown: as often as it has pictures, as the root of that, or all alike."""
    validation_share: float = Field(0.0, ge=0, le=0.9)
    """Share of each class to hold out where the collection itself holds nothing out; chosen by the pictures' names."""


class LabelledFolder(Dataset):
    """Labelled pictures; those without a label, or of other classes, are left out and counted."""

    Options = LabelledFolderOptions
    batch_types = frozenset({LabelledImages})

    def __init__(self, options: LabelledFolderOptions, batch_type: type = LabelledImages) -> None:  # noqa: ARG002
        self.options = options
        collection = read_collection(options.path, options.layout)
        self.attribute = chosen_attribute(collection, options.label)
        items = _of_classes(collection, self.attribute, options.classes)
        items = _with_held_out(items, self.attribute, options.validation_share)
        self.pictures = checked(collection, options.max_megapixels, items)
        counts = self._counts(self.pictures.train)
        self.classes = tuple(sorted(counts, key=natural))
        _check_counts(collection, self.attribute, counts)
        self.validation = [item for item in self.pictures.test if self._class(item) in counts]
        missing = sum(self.attribute not in item.labels for item in collection.items)
        without = (f"{missing:,} pictures have no {self.attribute} and are left out",) if missing else ()
        strange = len(self.pictures.test) - len(self.validation)
        unlearned = (f"{strange:,} held-out pictures are of classes with nothing to learn from",) if strange else ()
        self.notes = (*self.pictures.notes, *without, *unlearned)
        self.fingerprint = self.pictures.fingerprint
        self.spec = ImageSpec(channels=3, size=options.image_size, classes=self.classes)

    @property
    def size(self) -> int:
        """Images in an epoch."""
        return len(self.pictures.train)

    def summary(self) -> str:
        """Say how many pictures and classes there are."""
        train, test = len(self.pictures.train), len(self.pictures.test)
        return f"{train:,} pictures of {len(self.classes)} classes ({self.attribute}) to learn from, {test:,} held out"

    def histogram(self) -> Mapping[str, int]:
        """Return how many pictures each class has to learn from."""
        counts = self._counts(self.pictures.train)
        return {name: counts[name] for name in self.classes}

    def stream(
        self, batch_size: int, seed: int, start: int = 0, rank: int = 0, world_size: int = 1
    ) -> Iterator[LabelledImages]:
        """Yield batches of random crops [N, 3, image_size, image_size] with their classes."""
        choose = self._chooser(seed)

        def draw(position: int) -> Draw:
            item = choose(position)
            return Draw(position, (item.picture,), (self.classes.index(self._class(item)),))

        draws = ([draw(p) for p in share] for share in positions(start, batch_size, rank, world_size))
        read = reader(self.options, self.size)
        for batch, (images,) in crop_batches(draws, self.options, seed, read=read):
            yield LabelledImages(images, torch.tensor([drawn.labels for drawn in batch]))

    @property
    def held_out_size(self) -> int:
        """Held-out pictures of the classes learned."""
        return len(self.validation)

    def held_out(self, batch_size: int) -> Iterator[LabelledImages]:
        """Yield the middles of the held-out pictures [N, 3, image_size, image_size] with their classes."""
        draws = [
            Draw(position, (item.picture,), (self.classes.index(self._class(item)),))
            for position, item in enumerate(self.validation)
        ]
        for batch, (images,) in held_out_batches(draws, batch_size, self.options):
            yield LabelledImages(images, torch.tensor([drawn.labels for drawn in batch]))

    def exhibits(self) -> Exhibits:
        """Return all pictures that are learned from: a class is compared with all its real pictures (spec 07)."""
        return Exhibits((), self.pictures.train, self.attribute, self.pictures.train)

    def prompts(self, count: int) -> Labels:
        """Return one-hot labels that go round the classes."""
        classes = len(self.classes)
        return Labels(torch.eye(classes)[torch.arange(count) % classes])

    def _chooser(self, seed: int) -> Callable[[int], Item]:
        """Return what gives the picture at a position of the run, as the balance says."""
        items, balance = self.pictures.train, self.options.balance
        if balance == "none":
            order = order_of(items, seed, "labelled")
            return lambda position: items[order[position]]
        refuse_balance(items, self.options.path)
        by_class = [[item for item in items if self._class(item) == name] for name in self.classes]
        balanced = BalancedOrder([len(members) for members in by_class], seed, balance)

        def choose(position: int) -> Item:
            label, index = balanced[position]
            return by_class[label][index]

        return choose

    def _class(self, item: Item) -> str:
        return item.labels[self.attribute]

    def _counts(self, items: Sequence[Item]) -> Counter[str]:
        return Counter(self._class(item) for item in items)


def chosen_attribute(collection: Collection, label: str | None) -> str:
    """Return the attribute that is the class.

    Raises DataError where it is missing, or was not said and there are several to choose from.
    """
    there = collection.attributes
    if not there:
        raise DataError(
            f"{collection.root} has no labels; sort its pictures into a folder for each class or add a labels.csv "
            "with the columns path and class"
        )
    if label is not None and label not in there:
        raise DataError(
            f"data.label: the pictures of {collection.root} have no label {label!r}; they have {', '.join(there)}"
        )
    if label is None and "class" not in there and len(there) > 1:
        raise DataError(f"data.label: say which of the labels of {collection.root} is the class: {', '.join(there)}")
    return label or ("class" if "class" in there else there[0])


def natural(name: str) -> tuple[int, str]:
    """Return a key that sorts 2 before 10, and numbers before words."""
    return (int(name), "") if name.isdecimal() else (1 << 62, name)


def _of_classes(collection: Collection, attribute: str, classes: Sequence[str] | None) -> list[Item]:
    labelled = [item for item in collection.items if attribute in item.labels]
    if classes is None:
        return labelled
    there = collection.histogram(attribute)
    for name in classes:
        if name not in there:
            raise DataError(f"data.classes: {collection.root} has no {attribute} {name!r}{did_you_mean(name, there)}")
    return [item for item in labelled if item.labels[attribute] in classes]


def _with_held_out(items: list[Item], attribute: str, share: float) -> list[Item]:
    """Move a share of each class to the test split, unless something is there already.

    Their names alone decide which, the same on every machine. Of three pictures and more at least one is held out and
    two are left to learn from.
    """
    if share == 0 or any(item.split == "test" for item in items):
        return items
    by_class: dict[str, list[str]] = {}
    for item in items:
        by_class.setdefault(item.labels[attribute], []).append(item.name)
    chosen = set()
    for names in by_class.values():
        count = max(0, min(max(1, round(share * len(names))), len(names) - 2))
        chosen.update(sorted(names, key=lambda name: mixed_seed("held out", name))[:count])
    return [item._replace(split="test") if item.name in chosen else item for item in items]


def _check_counts(collection: Collection, attribute: str, counts: Mapping[str, int]) -> None:
    lonely = [name for name, count in counts.items() if count == 1]
    if lonely:
        named = ", ".join(lonely[:NAMED]) + (", …" if len(lonely) > NAMED else "")
        raise DataError(
            f"{collection.root} has {len(lonely)} classes of {attribute} with a single picture to learn from "
            f"({named}); add pictures, or name the classes to learn in data.classes"
        )
