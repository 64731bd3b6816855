"""What a painter is given: photos, class weights, or content and style pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Self, TypeVar

import torch
from torch import Tensor

AnyPrompt = TypeVar("AnyPrompt", bound="Prompt")


@dataclass(frozen=True)
class Prompt:
    """A batch of things to paint. Each kind of prompt holds tensors whose first axis is the batch."""

    @property
    def count(self) -> int:
        """How many paintings the prompt asks for."""
        first: Tensor = getattr(self, fields(self)[0].name)
        return len(first)

    def to(self, device: torch.device, layout: torch.memory_format = torch.channels_last) -> Self:
        """Return the prompt on a device, with images in this memory format."""
        return replace(self, **{name: _moved(part, device, layout) for name, part in self._tensors().items()})

    def rows(self) -> Mapping[str, Tensor]:
        """Return the images of the prompt [N, C, H, W] by name. A sample sheet shows them above the paintings."""
        return {}

    def _tensors(self) -> dict[str, Tensor]:
        return {part.name: value for part in fields(self) if (value := getattr(self, part.name)) is not None}


@dataclass(frozen=True)
class PhotoPrompt(Prompt):
    """Photos to paint. A colour map is a photo, too."""

    photos: Tensor
    """[N, C, H, W] in [-1, 1], any height and width"""

    def rows(self) -> Mapping[str, Tensor]:
        """Return the photos."""
        return {"photo": self.photos}


@dataclass(frozen=True)
class ClassPrompt(Prompt):
    """How much of each class each painting should have."""

    weights: Tensor
    """[N, K] float32, K = len(ImageSpec.classes). One-hot for each attribute, zeros for any class, or a mixture. K is 0
    for painters that know no classes."""
    latents: Tensor | None = None
    """[N, ...]: the noise to paint from. Default: drawn from the random numbers of the paintings."""


@dataclass(frozen=True)
class StylePrompt(Prompt):
    """Photos to paint, each in the style of one picture."""

    photos: Tensor
    """[N, C, H, W] in [-1, 1], any height and width"""
    styles: Tensor
    """[N, C, h, w] in [-1, 1], any height and width"""

    def rows(self) -> Mapping[str, Tensor]:
        """Return the photos and the styles."""
        return {"photo": self.photos, "style": self.styles}


def _moved(part: Tensor, device: torch.device, layout: torch.memory_format) -> Tensor:
    return part.to(device).contiguous(memory_format=layout) if part.dim() == 4 else part.to(device)
