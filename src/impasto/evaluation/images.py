"""The images to evaluate, in a fixed order: pictures of a folder or archive, or pictures that a painter makes."""

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

from impasto.chance import Draws, generator
from impasto.data.batches import ImageSpec
from impasto.data.collection import Collection, Item
from impasto.data.layouts import read_collection
from impasto.data.pictures import DAMAGE, MAX_MEGAPIXELS, read_picture
from impasto.data.prompts import ClassPrompt, PhotoPrompt
from impasto.data.sources import Half, Packed, Source, excerpt
from impasto.data.stream import decoded_ahead
from impasto.data.transforms import read_pixels, to_pixels, to_range
from impasto.errors import EvaluationError, PictureError
from impasto.painter import Painter, PaintOptions
from impasto.painting.paint import paint_classes, paint_prompt

R = TypeVar("R")
THREADS = 2
PAINTED_TOGETHER = 16
HASHING_THREADS = 4


class Seen(NamedTuple):
    """One image, as it is evaluated."""

    image: Tensor
    """uint8 [3, H, W]"""
    name: str
    photo: Tensor | None = None
    """The photo it was painted from, uint8 of the same size; None for other images."""


class ImageSet(ABC):
    """Images in a fixed order. Reading them again gives the same images."""

    name: str
    """The user's name of the images."""
    names: Sequence[str]
    labels: Sequence[str | None]
    """The class of each image: its label, or the class requested from the painter. None without a class."""
    digest: str
    """Digest of everything that determines the images."""
    lasting: bool = True
    """Whether the same images may be evaluated again. Those of weights in training are not."""
    photos_known: bool = False
    """Whether `Seen.photo` is given."""

    def __len__(self) -> int:
        """Return the number of images, unreadable ones included."""
        return len(self.names)

    @abstractmethod
    def batches(self, start: int, size: int, work: Callable[[Seen], R]) -> Iterator[list[R | PictureError]]:
        """Yield the results of `work` on the images from place `start` on, `size` at a time, or errors.

        `work` may run in several threads.
        """

    def picture(self, place: int) -> Tensor:
        """Return one image, uint8 [3, H, W]. Raises PictureError if it cannot be read."""
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
        """Make the set from items. `attribute` is the label that is their class."""
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
    """Paintings of photos. Each photo is first resized to a short side and keeps its proportions."""

    photos_known = True

    def __init__(
        self, painter: Painter[Any], options: PaintOptions, name: str, identity: str, photos: Pictures, short_side: int
    ) -> None:
        """`painter` paints from photos, with these options; `identity` names its weights."""
        self.painter, self.options = painter, options
        self.name, self.photos, self.short_side = name, photos, short_side
        self.names, self.labels = photos.names, photos.labels
        self.digest = _hashed("painted", identity, photos.digest, short_side, *_chosen(options))

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
        painting = paint_prompt(self.painter, PhotoPrompt(to_range(photo)[None]), Draws.for_photos(0), self.options)
        return Seen(to_bytes(painting[0]), name, photo)


class Drawn(ImageSet):
    """Images that a painter makes from noise, with the same number of images for each class.

    Image i is the painting that `impasto paint` numbers i, for the same seed and class.
    """

    def __init__(
        self,
        painter: Painter[Any],
        options: PaintOptions,
        name: str,
        identity: str,
        spec: ImageSpec,
        count: int,
        seed: int,
    ) -> None:
        """`painter` paints from classes, with these options; `spec` is that of the images it learned from.

        With several attributes, each image has one class of each. Its label is the class of the first attribute.
        """
        self.painter, self.options, self.name, self.spec, self.seed = painter, options, name, spec, seed
        self.names = [f"{place:06d}" for place in range(count)]
        called = spec.classes_of_first()
        self.labels = [called[place % len(called)] if called else None for place in range(count)]
        self._drawn = functools.lru_cache(maxsize=4)(self._draw)
        groups = (spec.groups,) if spec.groups else ()
        self.digest = _hashed("numbered", identity, tuple(spec.classes), seed, *groups, *_chosen(options))

    def batches(self, start: int, size: int, work: Callable[[Seen], R]) -> Iterator[list[R | PictureError]]:
        """See ImageSet."""
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
        prompt = ClassPrompt(_in_turn(places, self.spec.attributes))
        images = paint_classes(
            self.painter, prompt, self.spec.size, seed=self.seed, numbers=places, options=self.options
        )
        return [to_bytes(image) for image in images]


def painted_set(
    painter: Painter[Any],
    options: PaintOptions,
    name: str,
    identity: str,
    spec: ImageSpec,
    *,
    photos: Pictures | None,
    short_side: int,
    count: int,
    seed: int = 0,
) -> ImageSet:
    """Return the images that a painter makes: `count` images from classes, or a painting of each photo.

    Raises EvaluationError for missing photos, and for a painter with another type of prompt.
    """
    if painter.prompt_type is ClassPrompt:
        return Drawn(painter, options, name, identity, spec, count, seed)
    if painter.prompt_type is not PhotoPrompt:
        raise EvaluationError(
            f"{name} paints neither from photos alone nor from classes, so it cannot be evaluated yet; evaluate a "
            "folder of its paintings"
        )
    if not photos:
        raise EvaluationError(f"{name} paints from photos; pass --photos DIR")
    return Painted(painter, options, name, identity, photos, short_side)


def _chosen(options: PaintOptions) -> tuple[object, ...]:
    """Return the options that differ from their defaults, for a digest."""
    values = options.model_dump(mode="json", exclude_defaults=True)
    return tuple(sorted(values.items()))


def _in_turn(places: Sequence[int], attributes: Sequence[int]) -> Tensor:
    """Return class weights [N, K] in which the classes of each attribute take turns and all pairs appear."""
    parts, pace = [torch.zeros(len(places), 0)], 1
    for classes in filter(None, attributes):
        turns = torch.tensor([place // pace % classes for place in places])
        parts.append(torch.nn.functional.one_hot(turns, classes).float())
        pace *= classes
    return torch.cat(parts, 1)


class Readable:
    """The readable images of a set."""

    def __init__(self, images: ImageSet, places: Sequence[int]) -> None:
        self.images, self.places = images, places
        self.names = [images.names[place] for place in places]

    def __len__(self) -> int:
        """Return the number of readable images."""
        return len(self.places)

    def picture(self, place: int) -> Tensor:
        """Return one image, uint8 [3, H, W]."""
        return self.images.picture(self.places[place])


def to_bytes(image: Tensor) -> Tensor:
    """Return an image [C, H, W] in [-1, 1] as uint8 [3, H, W]: round((x + 1) * 127.5), clipped."""
    values = image.float().add(1).mul(127.5).round().clamp(0, 255).to("cpu", torch.uint8)
    return values.expand(3, -1, -1)


def open_pictures(place: str, label: str | None = None) -> Pictures:
    """Return the pictures of a folder or archive in any layout, or a part of it.

    `place` is a path, or a path and a part of it: `DIR:test`, `DIR:domain=B`, `DIR:test,style=ukiyo_e`. `label` is the
    attribute that is the class. Default: `class`, or the only one.

    Raises DataError for a path that is not a collection and EvaluationError for an empty part.
    """
    path, _, part = (place, "", "") if Path(place).exists() else place.rpartition(":")
    collection = read_collection(Path(path or place))
    items = [item for item in collection.items if all(_fits(item, word) for word in part.split(",") if word)]
    if not items:
        known = ", ".join(("train", "test", *(f"{attribute}=..." for attribute in collection.attributes)))
        raise EvaluationError(f"{place} holds no pictures; use one or several of these after the colon: {known}")
    return Pictures(place, items, _class_of(collection, label))


def some(pictures: Pictures, count: int, seed: int) -> Pictures:
    """Return `count` random pictures in their order, or all pictures if there are not more."""
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
    """Return the number of batches to read ahead: 0 on a CPU, where the network uses the same cores."""
    return 2 if torch.cuda.is_available() else 0


def _spans(start: int, stop: int, size: int) -> Iterator[range]:
    return (range(first, min(first + size, stop)) for first in range(start, stop, size))


def _digest_of(items: Sequence[Item]) -> str:
    """Digest the names and all bytes of the pictures; labels are left out, because they do not change the images."""
    digest = hashlib.blake2b(digest_size=16)
    with ThreadPoolExecutor(HASHING_THREADS, "impasto-digest") as pool:
        for item, content in zip(items, pool.map(lambda item: _content(item.picture), items), strict=True):
            digest.update(item.name.encode("utf-8", "surrogateescape") + b"\0" + content)
    return digest.hexdigest()


def _content(picture: Source) -> bytes:
    """Return the digest of the stored bytes, or of the error if they cannot be read."""
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
