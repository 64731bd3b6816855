"""What a painter is: it turns prompts into pictures, with networks or without.

A painter declares what the code around it must know: which prompt it takes, which options of its own it has, whether it
can paint in tiles, be exported, or needs gradients. See `docs/architecture.md`, "Adding a method".
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, NamedTuple, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, field_validator
from torch import Tensor, nn

from impasto.chance import Draws
from impasto.data.batches import ImageSpec
from impasto.data.prompts import AnyPrompt, ClassPrompt, Prompt
from impasto.networks.latents import truncated

SHEET_ROWS = 12
"""Classes on a sheet of samples."""


class MethodOptions(BaseModel):
    """The `method:` block of a recipe. Each method derives its own. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str


class PaintOptions(BaseModel):
    """How a method paints: the `paint:` block of a recipe, and `impasto paint --set NAME=VALUE`.

    A method with options of its own derives a class and names it in `Painter.paint_options`. Each field needs a
    docstring: `impasto about PAINTER` prints it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Frozen(NamedTuple):
    """A network that painting needs but that is stored elsewhere, such as a perceptual network or the base of a LoRA.

    A checkpoint holds its hash alone: it is neither averaged nor saved again.
    """

    network: nn.Module
    sha256: str
    """Of the file its weights come from, as 64 hexadecimal digits."""


class Networked(ABC):
    """Networks built from a recipe's options. There are three sets.

    `networks` are averaged while training and saved as the weights of a checkpoint. `frozen` ones are recorded by their
    hash. Networks that only training needs, such as discriminators, are made when training is prepared; see
    `TrainingState`.
    """

    Options: ClassVar[type[MethodOptions]]
    device: torch.device = torch.device("cpu")
    """Where the networks are. `to` moves them."""

    @abstractmethod
    def __init__(self, options: Any, spec: ImageSpec) -> None:
        """Build the networks of `networks` and `frozen` on the CPU, untrained.

        All random numbers come from torch's global generator.
        """

    def networks(self) -> Mapping[str, nn.Module]:
        """Return the networks that paint or classify. They are averaged and saved. Default: none."""
        return {}

    def frozen(self) -> Mapping[str, Frozen]:
        """Return the networks that are stored elsewhere. Default: none."""
        return {}

    def to(self, device: torch.device | str) -> Self:
        """Move all networks to a device; return the object itself."""
        self.device = torch.device(device)
        for network in (*self.networks().values(), *(each.network for each in self.frozen().values())):
            network.to(self.device)
        return self


class Tiling(NamedTuple):
    """What a painter that can paint a large photo in tiles tells about itself."""

    reach: int
    """How far a pixel of a photo influences its painting, in pixels. The statistics of instance norms do not count: all
    tiles share those of a thumbnail."""
    step: int
    """Tiles begin at multiples of this many pixels: the factor by which the network reduces the picture. It must not be
    larger than a tile."""


def ignore_progress(share: float) -> None:
    """Do nothing with the share that is done."""


@dataclass(frozen=True)
class PaintContext:
    """What one call of `Painter.paint` has besides the prompt and the options."""

    draws: Draws
    """The random numbers of each painting of the batch. Painting must use no others."""
    report: Callable[[float], None] = ignore_progress
    """Told the share that is done, 0 to 1. Slow painters call it; an exception from it stops the painting."""
    memory: dict[str, Any] = field(default_factory=dict)
    """What a stateful painter keeps between the frames of one film. Empty at its first frame."""


class Painter(Networked, Generic[AnyPrompt]):
    """Turns a prompt into pictures."""

    prompt_type: ClassVar[type[Prompt]]
    """PhotoPrompt, ClassPrompt or StylePrompt."""
    paint_options: ClassVar[type[PaintOptions]] = PaintOptions
    """The class of its options."""
    needs_gradients: ClassVar[bool] = False
    """True for painters that optimise the picture. Others paint without recording gradients."""
    exportable: ClassVar[bool] = True
    """False where painting is no single program of networks, so that `impasto export` refuses."""
    stateful: ClassVar[bool] = False
    """True where a frame of a film depends on the frames before it, through `PaintContext.memory`."""

    @abstractmethod
    def paint(self, prompt: AnyPrompt, options: Any, context: PaintContext) -> Tensor:
        """Return one painting for each part of the prompt: [N, C, H, W] in [-1, 1].

        `options` is an object of the class `paint_options`. Call `impasto.painting.paint.paint_prompt` instead of this:
        it sets the device, the precision and the gradient mode.
        """

    @property
    def tiling(self) -> Tiling | None:
        """Return how large photos can be painted in tiles. Default: None, a photo is painted in one piece."""
        return None

    def sheet(self, prompt: AnyPrompt, options: Any, context: PaintContext) -> Mapping[str, Tensor]:
        """Return named rows of images [N, C, H, W] for a sheet of samples. Default: the paintings."""
        return {"painting": self.paint(prompt, options, context)}


class LatentPaintOptions(PaintOptions):
    """How painters from labels and latents paint."""

    truncation: float | None = Field(None, gt=0)
    """Keep latents within this distance of 0, such as 0.7, for less variety. Default: latents as drawn."""

    @field_validator("truncation")
    @classmethod
    def _finite(cls, value: float | None) -> float | None:
        if value is not None and not math.isfinite(value):
            raise ValueError(f"must be a finite number above 0, such as 0.7, not {value:g}")
        return value


class LatentPainter(Painter[ClassPrompt]):
    """Paints from class weights and a latent. The same latent gives the same composition for every class."""

    prompt_type = ClassPrompt
    paint_options = LatentPaintOptions
    spec: ImageSpec
    latent_size: int
    """How many numbers a latent has. Each is drawn from N(0, 1)."""

    @abstractmethod
    def draw(self, weights: Tensor, latents: Tensor) -> Tensor:
        """Return [N, C, H, W] in [-1, 1] for class weights [N, K], one-hot or mixed, and latents [N, latent_size]."""

    def paint(self, prompt: ClassPrompt, options: LatentPaintOptions, context: PaintContext) -> Tensor:
        """Paint the prompt's latents, or drawn and truncated ones where it has none."""
        return self.draw(prompt.weights, self._latents(prompt, options, context))

    def sheet(self, prompt: ClassPrompt, options: LatentPaintOptions, context: PaintContext) -> Mapping[str, Tensor]:
        """Return a row for each of the first twelve classes. All rows have the same latents.

        With several attributes, the rows show the first. The others stay as the prompt has them, column by column.
        """
        weights, names = prompt.weights, self.spec.classes_of_first()
        latents = self._latents(prompt, options, context)
        others = weights[:, len(names) :]
        one_hot = torch.eye(len(names), device=weights.device)[:SHEET_ROWS]
        return {
            name: self.draw(torch.cat([row.expand(len(latents), -1), others], 1), latents)
            for name, row in zip(names, one_hot, strict=False)
        }

    def _latents(self, prompt: ClassPrompt, options: LatentPaintOptions, context: PaintContext) -> Tensor:
        if prompt.latents is not None:
            return prompt.latents
        latents = context.draws.normal(self.latent_size)
        if options.truncation is not None:
            latents = truncated(latents, options.truncation)
        return latents.to(prompt.weights.device)


class Classifier(Networked):
    """Tells which class an image belongs to. Its networks are in eval mode when it is asked."""

    @abstractmethod
    def features_and_probabilities(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return pooled features [N, d] and class probabilities [N, K] of images [N, 3, H, W] in [-1, 1]."""

    def classify(self, images: Tensor) -> Tensor:
        """Return the probability of each class, float32 [N, K], for images [N, 3, H, W] in [-1, 1] of any size."""
        return self.features_and_probabilities(images)[1]
