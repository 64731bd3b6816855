"""The interface of datasets: the images that a method learns from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal, NamedTuple, cast

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor

from impasto.data.batches import ImageSpec
from impasto.data.collection import Item
from impasto.data.fingerprint import Fingerprint
from impasto.data.pictures import MAX_MEGAPIXELS
from impasto.data.prompts import AnyPrompt, ClassPrompt, PhotoPrompt, Prompt, StylePrompt
from impasto.data.transforms import DEFAULT_READ, ReadOptions
from impasto.errors import RecipeError


class DataOptions(BaseModel):
    """The `data:` block of a recipe, as far as it is the same for all kinds of datasets."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    image_size: int = Field(256, ge=16, le=4096)
    """Height and width of a training crop, pixels."""
    resize: int | None = Field(None, ge=16, le=8192)
    """Short side to which pictures are resized before cropping. Default: 286/256 of image_size."""
    crop: Literal["square", "centre", "resized"] = "square"
    """square: a random square of image_size in the resized picture. centre: the square at its centre. resized: a random
    part with 8 to 100 % of the area and proportions from 3:4 to 4:3, resized to image_size (Szegedy et al. 2015,
    arXiv:1409.4842)."""
    flip: bool = True
    """Mirror half of the crops."""
    max_megapixels: float = Field(MAX_MEGAPIXELS, gt=0)
    """Pictures with more pixels are refused."""
    workers: int = Field(2, ge=1, le=64)
    """Number of decoding threads."""
    cache: Literal["none", "memory", "disk"] = "none"
    """Where to keep resized pictures: memory if they fit, disk if reading or decoding them is slow."""

    @model_validator(mode="after")
    def _crop_fits(self) -> DataOptions:
        if self.resize is not None and self.resize < self.image_size:
            raise ValueError(
                f"resize ({self.resize}) is smaller than image_size ({self.image_size}); make it at least as large"
            )
        return self

    @property
    def read_options(self) -> ReadOptions:
        """How pictures are read: whether proportions and colours are kept."""
        return DEFAULT_READ

    @property
    def short_side(self) -> int:
        """Short side of a picture before cropping, pixels."""
        return self.resize if self.resize is not None else round(self.image_size * 286 / 256)

    @property
    def held_out_side(self) -> int:
        """Short side of a held-out picture before its centre crop, pixels. With crop=resized it is image_size."""
        return self.image_size if self.crop == "resized" else self.short_side


class EvaluationPictures(NamedTuple):
    """The pictures for evaluating a painter during its training."""

    photos: tuple[Item, ...] = ()
    """Photos to paint: held-out ones if there are any. Empty for a painter from noise."""
    real: tuple[Item, ...] = ()
    """Reference paintings: held-out ones if there are any. For a painter from noise: all training pictures."""
    attribute: str | None = None
    """The label of `real` that gives the class."""
    learned: tuple[Item, ...] = ()
    """The training pictures, which may be memorised."""


class Dataset(ABC):
    """Images for training, as endless batches in an order that depends only on the seed."""

    Options: ClassVar[type[DataOptions]]
    batch_types: ClassVar[frozenset[type]]
    """The types of batch that it can yield."""
    spec: ImageSpec
    fingerprint: Fingerprint
    """Fingerprint of all pictures in training and samples. A run resumes only with the same pictures."""
    notes: tuple[str, ...] = ()
    """Notes for the user before training, one sentence each."""

    @abstractmethod
    def __init__(self, options: Any, batch_type: type) -> None:
        """Find the pictures and read every header. Raises DataError for pictures that cannot be used."""

    @abstractmethod
    def stream(self, batch_size: int, seed: int, start: int = 0, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        """Yield batches without end from position `start`, counted in images. Each device gets its share."""

    def prompt(self, kind: type[AnyPrompt], count: int) -> AnyPrompt:
        """Return a prompt of at most `count` parts for a painter that takes this kind of prompt; always the same.

        Raises RecipeError if the data has nothing of this kind.
        """
        made: Prompt
        if issubclass(kind, ClassPrompt):
            made = ClassPrompt(self._example_classes(count))
        elif issubclass(kind, StylePrompt):
            photos, styles = self.example_photos(count), self.example_styles(count)
            made = StylePrompt(photos, styles[torch.arange(len(photos)) % len(styles)])
        else:
            made = PhotoPrompt(self.example_photos(count))
        return cast("AnyPrompt", made)

    def example_photos(self, count: int) -> Tensor:  # noqa: ARG002
        """Return at most `count` photos [n, 3, side, side] in [-1, 1], held-out ones where there are any."""
        raise self._without("photos")

    def example_styles(self, count: int) -> Tensor:  # noqa: ARG002
        """Return at most `count` pictures [n, 3, side, side] in [-1, 1] whose style is learned."""
        raise self._without("style pictures")

    def _example_classes(self, count: int) -> Tensor:
        """Return one-hot class weights [count, K] that take turns; of several attributes, side by side."""
        numbers = torch.arange(count)
        turns = [torch.eye(classes)[numbers % max(1, classes)] for classes in self.spec.attributes if classes]
        return torch.cat(turns, 1) if turns else torch.zeros(count, 0)

    def _without(self, what: str) -> RecipeError:
        kind = self.Options.model_fields["kind"].default
        return RecipeError("recipe", [f"data.kind: {kind} has no {what} for this method to paint; use another kind"])

    @property
    def held_out_size(self) -> int:
        """Number of images that `held_out` yields."""
        return 0

    def held_out(self, batch_size: int, every: int = 1) -> Iterator[Any]:  # noqa: ARG002
        """Yield the centre crop [3, image_size, image_size] of each held-out image once, in batches, in a fixed order.

        With `every`, read and yield only every n-th image. Only labelled data has held-out images of this kind.
        """
        return iter(())

    def learned(self, batch_size: int, every: int = 1) -> Iterator[Any]:  # noqa: ARG002
        """Yield training images in the same way as `held_out` yields held-out ones, to compare the two."""
        return iter(())

    def evaluation_pictures(self) -> EvaluationPictures:
        """Return the pictures for evaluating a painter. Empty if the data is not for painters."""
        return EvaluationPictures()

    @abstractmethod
    def summary(self) -> str:
        """Return one line with the number of pictures."""

    def histogram(self) -> Mapping[str, int]:
        """Return the number of training pictures of each class. Empty if there are no classes."""
        return {}

    @property
    @abstractmethod
    def size(self) -> int:
        """Number of images in an epoch."""

    @property
    def different_crops(self) -> int:
        """Number of different crops in an epoch. A batch must not be larger."""
        return self.size
