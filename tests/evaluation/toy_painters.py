"""Painters with a known result, to be evaluated."""

from collections.abc import Callable

from torch import Tensor

from impasto.data.prompts import ClassPrompt, PhotoPrompt
from impasto.painter import PaintContext, Painter, PaintOptions


class Recoloured(Painter[PhotoPrompt]):
    """Changes the pixels of a photo by a function."""

    prompt_type = PhotoPrompt

    def __init__(self, change: Callable[[Tensor], Tensor]) -> None:
        self.change = change

    def paint(self, prompt: PhotoPrompt, options: PaintOptions, context: PaintContext) -> Tensor:
        return self.change(prompt.photos)


class Noise(Painter[ClassPrompt]):
    """Paints noise, brighter for the second class; keeps the class weights that it was asked for."""

    prompt_type = ClassPrompt

    def __init__(self, side: int = 8) -> None:
        self.side = side
        self.asked: list[Tensor] = []

    def paint(self, prompt: ClassPrompt, options: PaintOptions, context: PaintContext) -> Tensor:
        self.asked.append(prompt.weights)
        level = prompt.weights[:, 1] - 0.5 if prompt.weights.shape[1] > 1 else prompt.weights.new_zeros(prompt.count)
        return level[:, None, None, None] + 0.1 * context.draws.normal(3, self.side, self.side)
