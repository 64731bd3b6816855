"""What methods learn from: batches. `prompts.py` has what they paint from.

Images are float32 tensors [N, C, H, W] in [-1, 1], RGB where C = 3.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

UNKNOWN = -1
"""The label of an image of unknown class. The losses treat every negative label as unknown."""


class ImageSpec(NamedTuple):
    """The shape of a collection's images."""

    channels: int
    size: int
    """Height and width of a training crop, pixels."""
    classes: tuple[str, ...] = ()
    """Names of the classes; empty where there are none. With several attributes, each name is `attribute=value`."""
    groups: tuple[int, ...] = ()
    """How many of the classes, in order, belong to each attribute. Empty where there is one attribute."""

    @property
    def attributes(self) -> tuple[int, ...]:
        """How many classes each attribute has: one number for each column of LabelledImages.labels."""
        return self.groups or (len(self.classes),)

    def classes_of_first(self) -> tuple[str, ...]:
        """Return the names of the first attribute's classes, without the attribute's name."""
        own = self.classes[: self.attributes[0]]
        return tuple(name.partition("=")[2] for name in own) if self.groups else own


class UnpairedImages(NamedTuple):
    """Two unrelated images at a time: a photo (domain A) and a painting (domain B)."""

    photos: Tensor
    """[N, C, H, W]"""
    paintings: Tensor
    """[N, C, H, W]"""


class PairedImages(NamedTuple):
    """Two pictures of the same scene, cropped at the same place."""

    sources: Tensor
    """[N, C, H, W]"""
    targets: Tensor
    """[N, C, H, W]"""


class LabelledImages(NamedTuple):
    """Images with one class for each attribute."""

    images: Tensor
    """[N, C, H, W]"""
    labels: Tensor
    """[N, A] int64: the class of each of A attributes, counted within the attribute; UNKNOWN where it is not known"""
