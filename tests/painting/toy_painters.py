"""Painters without weights or training, each with one property that the code around painters must respect."""

from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from pydantic import Field
from torch import Tensor

from impasto.data.batches import ImageSpec
from impasto.data.prompts import ClassPrompt, PhotoPrompt, StylePrompt
from impasto.methods import METHODS
from impasto.painter import MethodOptions, PaintContext, Painter, PaintOptions, Tiling


class ToyOptions(MethodOptions):
    name: Literal["toy"] = "toy"
    shade: float = Field(0.5, ge=0, le=1)
    """How dark the canvas ends, 0 to 1."""


class ToyPaintOptions(PaintOptions):
    steps: int = Field(3, ge=1, le=1000)
    """Steps of the
    optimiser."""
    sampler: Literal["plain", "fancy"] = "plain"
    """How a step is made."""
    mask: str | None = None
    """What stays white."""


class Optimised(Painter[PhotoPrompt]):
    """Optimises a canvas towards the photo's negative, times `shade`: half of the way is left after each step."""

    Options = ToyOptions
    prompt_type = PhotoPrompt
    paint_options = ToyPaintOptions
    needs_gradients = True
    exportable = False

    def __init__(self, options: ToyOptions, spec: ImageSpec) -> None:
        self.shade = options.shade

    def paint(self, prompt: PhotoPrompt, options: ToyPaintOptions, context: PaintContext) -> Tensor:
        target = -self.shade * prompt.photos
        canvas = torch.zeros_like(prompt.photos, requires_grad=True)
        optimizer = torch.optim.SGD([canvas], lr=0.5)
        for step in range(options.steps):
            optimizer.zero_grad()
            (canvas - target).square().sum().div(2).backward()
            optimizer.step()
            context.report((step + 1) / options.steps)
        return canvas


class Restyled(Painter[StylePrompt]):
    """Gives each photo the mean colour of its style picture."""

    Options = ToyOptions
    prompt_type = StylePrompt

    def __init__(self, options: ToyOptions, spec: ImageSpec) -> None:
        pass

    def paint(self, prompt: StylePrompt, options: PaintOptions, context: PaintContext) -> Tensor:
        means = [pictures.mean((2, 3), keepdim=True) for pictures in (prompt.photos, prompt.styles)]
        return (prompt.photos - means[0] + means[1]).clamp(-1, 1)


class RestyledInTiles(Restyled):
    """Changes each pixel alone, so tiles need no surroundings."""

    def paint(self, prompt: StylePrompt, options: PaintOptions, context: PaintContext) -> Tensor:
        context.report(0.5)
        return (prompt.photos + prompt.styles.mean((2, 3), keepdim=True)).clamp(-1, 1)

    @property
    def tiling(self) -> Tiling:
        return Tiling(reach=0, step=16)


class Darkening(Painter[ClassPrompt]):
    """Paints each frame darker than the one before; keeps the number of frames in its memory."""

    Options = ToyOptions
    prompt_type = ClassPrompt
    paint_options = ToyPaintOptions
    stateful = True

    def __init__(self, options: ToyOptions, spec: ImageSpec) -> None:
        self.spec = spec

    def paint(self, prompt: ClassPrompt, options: PaintOptions, context: PaintContext) -> Tensor:
        frames = context.memory["frames"] = context.memory.get("frames", 0) + 1
        return torch.full((prompt.count, 3, 8, 8), 1 - frames / 10)


def toy_recipe(monkeypatch: pytest.MonkeyPatch, method: type[Painter[Any]], text: str = "method: {name: toy}") -> Path:
    """Make the class the method `toy`; return a recipe file of it, `toy.yaml` in the working folder."""
    monkeypatch.setitem(METHODS._found, "toy", method)
    recipe = Path("toy.yaml")
    recipe.write_text(f"{text}\n")
    return recipe
