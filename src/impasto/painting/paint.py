"""The one way to paint: device, precision, gradient mode, random numbers and progress, for every painter.

Files, sheets of samples, evaluation, submissions, figures, films and exports all paint through `paint_prompt`,
`paint_sheet` or `paint_classes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor

from impasto.chance import Draws
from impasto.data.prompts import ClassPrompt, Prompt
from impasto.hardware import has_bf16
from impasto.painter import PaintContext, Painter, PaintOptions, ignore_progress

Autocast = Callable[[], AbstractContextManager[Any]]
"""Enters the precision to paint in."""
Report = Callable[[float], None]
"""Told the share that is done, 0 to 1."""

MOST_TOGETHER = 16
PIXELS_TOGETHER = 2**17
"""Pixels of a batch: a few hundred megabytes of activations at any size."""


def paint_prompt(
    painter: Painter[Any],
    prompt: Prompt,
    draws: Draws,
    options: PaintOptions | None = None,
    *,
    autocast: Autocast | None = None,
    report: Report = ignore_progress,
    memory: dict[str, Any] | None = None,
) -> Tensor:
    """Return the paintings of a prompt, float32 [N, C, H, W] in [-1, 1] on the painter's device.

    `options` default to those of the method. `autocast` defaults to bfloat16 where the device has it. `memory` is what
    a stateful painter keeps between the frames of a film.
    """
    context = PaintContext(draws, report, {} if memory is None else memory)
    with _painting(painter, autocast):
        painted = painter.paint(prompt.to(painter.device), options or painter.paint_options(), context)
    return painted.detach().float()


def paint_sheet(
    painter: Painter[Any],
    prompt: Prompt,
    draws: Draws,
    options: PaintOptions | None = None,
    *,
    autocast: Autocast | None = None,
) -> Mapping[str, Tensor]:
    """Return the rows of a sheet of samples, each [N, C, H, W] in [-1, 1]: the prompt's images, then the paintings."""
    prompt, context = prompt.to(painter.device), PaintContext(draws)
    with _painting(painter, autocast):
        rows = painter.sheet(prompt, options or painter.paint_options(), context)
    return {name: images.detach() for name, images in {**prompt.rows(), **rows}.items()}


def paint_classes(
    painter: Painter[Any],
    prompt: ClassPrompt,
    size: int,
    *,
    seed: int,
    numbers: Sequence[int] | None = None,
    options: PaintOptions | None = None,
    report: Report = ignore_progress,
    film: bool = False,
) -> Iterator[Tensor]:
    """Yield the painting of each row of a class prompt, float32 [C, H, W] in [-1, 1]; `size` is its height, pixels.

    A painting depends on the seed and on its number alone, which is its place in the prompt by default. Batches are
    filled up to the same size, because the size of a batch changes the last bits of its sums. The rows of a `film` are
    its frames: a stateful painter paints them one by one and remembers those before.
    """
    numbers = numbers if numbers is not None else range(prompt.count)
    in_order = film and painter.stateful
    together = 1 if in_order else _batch_size(size)
    memory: dict[str, Any] | None = {} if in_order else None
    for first in range(0, prompt.count, together):
        places = range(first, min(first + together, prompt.count))
        filled = [*places, *[places[-1]] * (together - len(places))]
        part = ClassPrompt(prompt.weights[filled], None if prompt.latents is None else prompt.latents[filled])
        draws = Draws.numbered(seed, [numbers[place] for place in filled])

        def told(share: float, places: range = places) -> None:
            report((places.start + share * len(places)) / prompt.count)

        images = paint_prompt(painter, part, draws, options, report=told, memory=memory)[: len(places)]
        told(1)
        yield from images


def _batch_size(side: int) -> int:
    return max(1, min(MOST_TOGETHER, PIXELS_TOGETHER // side**2))


@contextmanager
def _painting(painter: Painter[Any], autocast: Autocast | None) -> Iterator[None]:
    """Enter the precision and gradient mode of a painter."""
    with ExitStack() as entered:
        entered.enter_context(torch.enable_grad() if painter.needs_gradients else torch.inference_mode())
        entered.enter_context(autocast() if autocast is not None else _best_precision(painter.device))
        yield


def _best_precision(device: torch.device) -> AbstractContextManager[Any]:
    return torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device.type))
