"""What methods learn from (batches) and paint from (prompts).

Images are float32 tensors [N, C, H, W] in [-1, 1], RGB where C = 3.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

UNKNOWN = -1
"""The label of an image whose class is not known; the losses take all below 0 for that."""


class ImageSpec(NamedTuple):
    """The shape of a collection's images."""

    channels: int
    size: int
    """Height and width of a training crop, pixels."""
    classes: tuple[str, ...] = ()
    """Names of the classes; empty where there are none. With several attributes each is called `attribute=value`."""
    groups: tuple[int, ...] = ()
    """How many of the classes, in order, belong to each attribute; nothing where all are of one."""

    @property
    def attributes(self) -> tuple[int, ...]:
        """How many classes each attribute has: one number for each column of LabelledImages.labels."""
        return self.groups or (len(self.classes),)

    def classes_of_first(self) -> tuple[str, ...]:
        """Return the names of the first attribute's classes, without the attribute's own."""
        own = self.classes[: self.attributes[0]]
        return tuple(name.partition("=")[2] for name in own) if self.groups else own


class UnpairedImages(NamedTuple):
    """Two unrelated images at a time: domains A and B of spec 03."""

    photos: Tensor
    """[N, C, H, W]"""
    paintings: Tensor
    """[N, C, H, W]"""


class PairedImages(NamedTuple):
    """Two pictures of the same thing, cut from the same place."""

    sources: Tensor
    """[N, C, H, W]"""
    targets: Tensor
    """[N, C, H, W]"""


class LabelledImages(NamedTuple):
    """Images with a class of each attribute, mostly of one."""

    images: Tensor
    """[N, C, H, W]"""
    labels: Tensor
    """[N, A] int64: the class of each of A attributes, counted within the attribute; UNKNOWN where it is not known"""


class Images(NamedTuple):
    """A prompt: pictures to be painted over."""

    images: Tensor
    """[N, C, H, W], any height and width"""


class Labels(NamedTuple):
    """A prompt: how much of each class each painting should have."""

    weights: Tensor
    """[N, K] float32, K = len(ImageSpec.classes): one-hot for each attribute, zeros where any will do, or a mixture"""
