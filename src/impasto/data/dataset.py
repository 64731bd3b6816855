"""What a dataset is: the images learned from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from impasto.data.batches import ImageSpec
from impasto.data.fingerprint import Fingerprint
from impasto.data.pictures import MAX_MEGAPIXELS


class DataOptions(BaseModel):
    """What the `data:` block of every kind of dataset may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    image_size: int = Field(256, ge=16, le=4096, multiple_of=4)
    """Height and width of a training crop, pixels."""
    resize: int | None = Field(None, ge=16, le=8192)
    """Short side to which pictures are resized before cropping; 286/256 of image_size unless said."""
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
    def short_side(self) -> int:
        """Short side of a picture before cropping, pixels."""
        return self.resize if self.resize is not None else round(self.image_size * 286 / 256)


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

    @abstractmethod
    def prompts(self, count: int) -> Any:
        """Return a prompt of at most `count` parts, from held-out pictures where there are any; always the same."""

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
