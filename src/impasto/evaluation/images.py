"""What is judged: pictures in a folder or archive, or what a painter paints; read in a fixed order, one by one."""

from __future__ import annotations

import functools
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

from impasto.chance import generator
from impasto.data.batches import Images, ImageSpec, Labels
from impasto.data.collection import Collection, Item
from impasto.data.layouts import read_collection
from impasto.data.pictures import DAMAGE, MAX_MEGAPIXELS, read_picture
from impasto.data.sources import Half, Packed, Source, excerpt
from impasto.data.stream import decoded_ahead
from impasto.data.transforms import read_pixels, to_pixels, to_range
from impasto.errors import EvaluationError, PictureError
from impasto.hardware import has_bf16

R = TypeVar("R")
THREADS = 2
PAINTED_TOGETHER = 16
HASHING_THREADS = 4


class Seen(NamedTuple):
    """One image, as it is judged."""

    image: Tensor
    """uint8 [3, H, W]"""
    name: str
    photo: Tensor | None = None
    """What it was painted from, uint8 of the same size; None where it was not."""


class ImageSet(ABC):
    """Images in a fixed order; reading them again gives the same."""

    name: str
    """As its user calls it."""
    names: Sequence[str]
    labels: Sequence[str | None]
    """The class of each, as labelled or as asked of the painter; None where there is none."""
    digest: str
    """Of all that decides what the images are."""
    lasting: bool = True
    """Whether the same images may be judged again; those of weights that still change are not."""
    photos_known: bool = False
    """Whether `Seen.photo` is given."""

    def __len__(self) -> int:
        """Return how many there are, unreadable ones included."""
        return len(self.names)

    @abstractmethod
    def batches(self, start: int, size: int, work: Callable[[Seen], R]) -> Iterator[list[R | PictureError]]:
        """Yield what `work` makes of the images from place `start` on, `size` at a time; errors for unreadable ones.

        `work` may run in several threads.
        """

    def picture(self, place: int) -> Tensor:
        """Return one image, uint8 [3, H, W]; raise PictureError where it cannot be read."""
        (image,) = next(self.batches(place, 1, lambda seen: seen.image))
        if isinstance(image, PictureError):
            raise image
        return image

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of the images, sorted."""
        return tuple(sorted({label for label in self.labels if label is not None}))


class Pictures(ImageSet):
    """Picture files, at their own size."""

    def __init__(self, name: str, items: Sequence[Item], attribute: str | None = None) -> None:
        """Take items as they are; `attribute` is the label that is their class."""
        self.name, self.items = name, items
        self.names = [item.name for item in items]
        self.labels = [item.labels.get(attribute) if attribute else None for item in items]
        self.digest = _digest_of(items)

    def batches(self, start: int, size: int, work: Callable[[Seen], R]) -> Iterator[list[R | PictureError]]:
        """See ImageSet."""

        def read(place: int) -> R | PictureError:
            try:
                picture = read_picture(self.items[place].picture, MAX_MEGAPIXELS)
            except PictureError as error:
                return error
            return work(Seen(to_pixels(picture), self.names[place]))

        return decoded_ahead(read, lambda _, found: found, _spans(start, len(self), size), THREADS, _ahead())

    def picture(self, place: int) -> Tensor:
        """See ImageSet; from any thread."""
        return to_pixels(read_picture(self.items[place].picture, MAX_MEGAPIXELS))


class Painted(ImageSet):
    """What a painter makes of photos, each brought to a short side first, in their proportions."""

    photos_known = True

    def __init__(self, painter: Any, name: str, identity: str, photos: Pictures, short_side: int) -> None:
        """`painter` is a Painter that paints from photos; `identity` says which weights it has."""
        self.painter, self.name, self.photos, self.short_side = painter, name, photos, short_side
        self.names, self.labels = photos.names, photos.labels
        self.digest = _hashed("painted", identity, photos.digest, short_side)

    def batches(self, start: int, size: int, work: Callable[[Seen], R]) -> Iterator[list[R | PictureError]]:
        """See ImageSet."""

        def read(place: int) -> Tensor | PictureError:
            try:
                return read_pixels(self.photos.items[place].picture, MAX_MEGAPIXELS, self.short_side)
            except PictureError as error:
                return error

        def together(places: Sequence[int], photos: list[Tensor | PictureError]) -> Iterator[tuple[int, Any]]:
            return zip(places, photos, strict=True)

        for photos in decoded_ahead(read, together, _spans(start, len(self), size), THREADS, _ahead()):
            yield [
                photo if isinstance(photo, PictureError) else work(self._painted(photo, self.names[place]))
                for place, photo in photos
            ]

    def _painted(self, photo: Tensor, name: str) -> Seen:
        device = self.painter.device
        image = to_range(photo)[None].to(device).contiguous(memory_format=torch.channels_last)
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device.type)):
            painting = self.painter.paint(Images(image), generator(0, "paint"))
        return Seen(to_bytes(painting[0]), name, photo)


class Drawn(ImageSet):
    """What a painter makes from noise: as many images of each class as of any other."""

    def __init__(self, painter: Any, name: str, identity: str, spec: ImageSpec, count: int, seed: int) -> None:
        """`painter` is a Painter that paints from labels, `spec` of what it learned from.

        Where it knows several attributes, each image has one class of each, and is called by that of the first.
        """
        self.painter, self.name, self.spec, self.seed = painter, name, spec, seed
        self.names = [f"{place:06d}" for place in range(count)]
        called = spec.classes_of_first()
        self.labels = [called[place % len(called)] if called else None for place in range(count)]
        self._drawn = functools.lru_cache(maxsize=4)(self._draw)
        groups = (spec.groups,) if spec.groups else ()
        self.digest = _hashed("drawn", identity, tuple(spec.classes), seed, *groups)

    def batches(self, start: int, size: int, work: Callable[[Seen], R]) -> Iterator[list[R | PictureError]]:
        """See ImageSet. Noise depends on the seed and on the place of a fixed group alone, not on `start` or `size`."""
        waiting: list[R | PictureError] = []
        for first in range(start // PAINTED_TOGETHER * PAINTED_TOGETHER, len(self), PAINTED_TOGETHER):
            images = self._drawn(range(first, min(first + PAINTED_TOGETHER, len(self))))
            new = list(zip(images, self.names[first:], strict=False))[max(0, start - first) :]
            waiting += [work(Seen(image, name)) for image, name in new]
            while len(waiting) >= size:
                yield waiting[:size]
                waiting = waiting[size:]
        if waiting:
            yield waiting

    def _draw(self, places: range) -> list[Tensor]:
        whole = range(places.start, places.start + PAINTED_TOGETHER)  # a last group that is cut draws the same noise
        weights = _in_turn(whole, self.spec.attributes).to(self.painter.device)
        kind = self.painter.device.type
        with torch.inference_mode(), torch.autocast(kind, torch.bfloat16, enabled=has_bf16(kind)):
            images = self.painter.paint(Labels(weights), generator(self.seed, "drawn", places.start))
        return [to_bytes(image) for image in images[: len(places)]]


def _in_turn(places: Sequence[int], attributes: Sequence[int]) -> Tensor:
    """Return the conditions [N, K] that let the classes of each attribute take turns, and all their pairs appear."""
    parts, pace = [], 1
    for classes in attributes:
        turns = torch.tensor([place // pace % max(1, classes) for place in places])
        parts.append(torch.nn.functional.one_hot(turns, max(1, classes)))
        pace *= max(1, classes)
    return torch.cat(parts, 1).float()


class Readable:
    """Those images of a set that could be read, one by one."""

    def __init__(self, images: ImageSet, places: Sequence[int]) -> None:
        self.images, self.places = images, places
        self.names = [images.names[place] for place in places]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.places)

    def picture(self, place: int) -> Tensor:
        """Return one image, uint8 [3, H, W]."""
        return self.images.picture(self.places[place])


def to_bytes(image: Tensor) -> Tensor:
    """Return an image [C, H, W] in [-1, 1] as uint8 [3, H, W]: round((x + 1) * 127.5), clipped (spec 07, inputs)."""
    values = image.float().add(1).mul(127.5).round().clamp(0, 255).to("cpu", torch.uint8)
    return values.expand(3, -1, -1)


def open_pictures(place: str, label: str | None = None) -> Pictures:
    """Return the pictures of a folder or archive in any layout, or a part of it.

    `place` is a path, or a path and what to take of it: `DIR:test`, `DIR:domain=B`, `DIR:test,style=ukiyo_e`.
    `label` is the attribute that is the class; `class`, or the only one, unless said.

    Raises DataError for what is no collection and EvaluationError for a part that is empty.
    """
    path, _, part = (place, "", "") if Path(place).exists() else place.rpartition(":")
    collection = read_collection(Path(path or place))
    items = [item for item in collection.items if all(_fits(item, word) for word in part.split(",") if word)]
    if not items:
        known = ", ".join(("train", "test", *(f"{attribute}=..." for attribute in collection.attributes)))
        raise EvaluationError(f"{place} holds no pictures; after the colon say one or several of {known}")
    return Pictures(place, items, _class_of(collection, label))


def some(pictures: Pictures, count: int, seed: int) -> Pictures:
    """Return `count` of the pictures, chosen at random but in their order; all of them where there are no more."""
    if count >= len(pictures):
        return pictures
    chosen = torch.randperm(len(pictures), generator=generator(seed, "chosen"))[:count].sort().values.tolist()
    return _taken(pictures, chosen)


def _taken(pictures: Pictures, places: Sequence[int]) -> Pictures:
    taken = Pictures(pictures.name, [pictures.items[place] for place in places])
    taken.labels = [pictures.labels[place] for place in places]
    return taken


def _fits(item: Item, word: str) -> bool:
    attribute, equals, value = word.partition("=")
    return item.labels.get(attribute) == value if equals else item.split == word


def _class_of(collection: Collection, label: str | None) -> str | None:
    if label is not None and label not in collection.attributes:
        known = ", ".join(collection.attributes) or "none"
        raise EvaluationError(f"--label: {collection.root} has no {label!r}; its labels are {known}")
    usual = [name for name in ("class", *collection.attributes) if name in collection.attributes]
    return label or (usual[0] if usual else None)


def _ahead() -> int:
    """Return how many batches to read ahead: none where the network computes on the cores that would read them."""
    return 2 if torch.cuda.is_available() else 0


def _spans(start: int, stop: int, size: int) -> Iterator[range]:
    return (range(first, min(first + size, stop)) for first in range(start, stop, size))


def _digest_of(items: Sequence[Item]) -> str:
    """Digest the names and all bytes of the pictures; labels do not change what is seen."""
    digest = hashlib.blake2b(digest_size=16)
    with ThreadPoolExecutor(HASHING_THREADS, "impasto-digest") as pool:
        for item, content in zip(items, pool.map(lambda item: _content(item.picture), items), strict=True):
            digest.update(item.name.encode("utf-8", "surrogateescape") + b"\0" + content)
    return digest.hexdigest()


def _content(picture: Source) -> bytes:
    """Return the digest of what is stored, or of why it cannot be read."""
    if isinstance(picture, Half):
        return _content(picture.whole) + picture.side.encode()
    try:
        if isinstance(picture, Path):
            with picture.open("rb") as file:
                return hashlib.file_digest(file, hashlib.blake2b).digest()
        stored = picture.read() if isinstance(picture, Packed) else excerpt(picture)
    except DAMAGE as error:
        stored = repr(error).encode()
    return hashlib.blake2b(stored).digest()


def _hashed(*parts: object) -> str:
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()
