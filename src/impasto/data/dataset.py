"""What a dataset is: the images learned from."""

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
from impasto.data.transforms import AS_IT_IS, Look
from impasto.errors import RecipeError


class DataOptions(BaseModel):
    """What the `data:` block of every kind of dataset may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    image_size: int = Field(256, ge=16, le=4096)
    """Height and width of a training crop, pixels."""
    resize: int | None = Field(None, ge=16, le=8192)
    """Short side to which pictures are resized before cropping; 286/256 of image_size unless said."""
    crop: Literal["square", "centre", "resized"] = "square"
    """square: a square of image_size, anywhere in the resized picture. centre: the one in its middle. resized: a part
    of any size from 8 to 100 % of the picture, of proportions from 3:4 to 4:3, brought to image_size (Szegedy et al.
    2015, arXiv:1409.4842)."""
    flip: bool = True
    """Mirror half of the crops."""
    max_megapixels: float = Field(MAX_MEGAPIXELS, gt=0)
    """Pictures with more pixels are refused."""
    workers: int = Field(2, ge=1, le=64)
    """Threads that decode."""
    cache: Literal["none", "memory", "disk"] = "none"
    """Keep resized pictures: in memory where they fit, on a fast disk where reading or decoding them is slow."""

    @model_validator(mode="after")
    def _crop_fits(self) -> DataOptions:
        if self.resize is not None and self.resize < self.image_size:
            raise ValueError(f"resize ({self.resize}) is smaller than image_size ({self.image_size}); make it as large")
        return self

    @property
    def look(self) -> Look:
        """What becomes of proportions and colours when a picture is read."""
        return AS_IT_IS

    @property
    def short_side(self) -> int:
        """Short side of a picture before cropping, pixels."""
        return self.resize if self.resize is not None else round(self.image_size * 286 / 256)

    @property
    def held_out_side(self) -> int:
        """Short side of a held-out picture before its middle is cut out, pixels: crops of any size show it whole."""
        return self.image_size if self.crop == "resized" else self.short_side


class Exhibits(NamedTuple):
    """What a painter is judged by while it learns."""

    photos: tuple[Item, ...] = ()
    """What a painter of photos paints, held out where there are any; nothing for a painter of noise."""
    real: tuple[Item, ...] = ()
    """What its paintings should look like, held out where there are any; for a painter of noise all that is learned."""
    attribute: str | None = None
    """The label of `real` that is the class."""
    learned: tuple[Item, ...] = ()
    """What may be learned by heart."""


class Dataset(ABC):
    """The images learned from, as endless batches in an order that depends only on the seed."""

    Options: ClassVar[type[DataOptions]]
    batch_types: ClassVar[frozenset[type]]
    """The batches it can yield."""
    spec: ImageSpec
    fingerprint: Fingerprint
    """Of all pictures that it may learn from or show; a run resumes on the same ones only."""
    notes: tuple[str, ...] = ()
    """What its owner should know before training, one sentence each."""

    @abstractmethod
    def __init__(self, options: Any, batch_type: type) -> None:
        """Find the pictures and read every header; raise DataError for what cannot be learned from."""

    @abstractmethod
    def stream(self, batch_size: int, seed: int, start: int = 0, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        """Yield batches for ever from position `start`, counted in images; each device gets its share."""

    def prompt(self, kind: type[AnyPrompt], count: int) -> AnyPrompt:
        """Return a prompt of at most `count` parts for a painter that takes this kind of prompt; always the same.

        Raises RecipeError where the data has nothing of this kind.
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
        """How many images `held_out` yields."""
        return 0

    def held_out(self, batch_size: int, every: int = 1) -> Iterator[Any]:  # noqa: ARG002
        """Yield each held-out image once, its middle [3, image_size, image_size], in batches; always the same.

        Or only each `every`-th, and only these are read: few of many, evenly spread. Only labelled data has any so far.
        """
        return iter(())

    def learned(self, batch_size: int, every: int = 1) -> Iterator[Any]:  # noqa: ARG002
        """Yield images that are learned from just as `held_out` yields the others, to compare the two."""
        return iter(())

    def exhibits(self) -> Exhibits:
        """Return the pictures a painter is judged by; none where the data is not for painters."""
        return Exhibits()

    @abstractmethod
    def summary(self) -> str:
        """Say in one line what was found."""

    def histogram(self) -> Mapping[str, int]:
        """Return how many pictures each class has to learn from; nothing where there are no classes."""
        return {}

    @property
    @abstractmethod
    def size(self) -> int:
        """How many images one epoch has."""

    @property
    def different_crops(self) -> int:
        """How many crops one epoch could show of which none shows the same; a batch must not have more."""
        return self.size
