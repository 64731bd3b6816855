"""Noise from which a generator makes what the photo does not show, such as strokes in an even sky.

A network of convolutions paints all even areas alike, at best with a pattern that repeats every few pixels. With noise,
strokes can differ. While painting, noise depends only on pixel coordinates, so tiles match the whole picture, and a
photo is painted the same twice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor, nn

PERIODS = 512, 448
"""Sides of the two fields that are added, in pixels. Their sum repeats after 3,584 pixels."""
OWN = 0.5
"""Share of the deviation that each colour has on its own. The rest is light and dark. Paintings vary in both."""

_CORNER: ContextVar[tuple[int, int] | None] = ContextVar("row and column at which pictures begin", default=None)


@contextmanager
def noise_from(row: int, column: int) -> Iterator[None]:
    """Let pictures begin at this row and column, in pixels, of one field of noise. Nested offsets add up."""
    around = _CORNER.get() or (0, 0)
    token = _CORNER.set((around[0] + row, around[1] + column))
    try:
        yield
    finally:
        _CORNER.reset(token)


@contextmanager
def noise_of(chance: torch.Generator) -> Iterator[None]:
    """Let pictures have the noise of this generator's seed."""
    seed = chance.initial_seed()
    with noise_from(seed % PERIODS[0], seed // PERIODS[0] % PERIODS[1]):
        yield


class Noise(nn.Module):
    """Gives pictures normal noise, blurred over some pixels: at random, or by pixel coordinates."""

    def __init__(self, deviation: float, blur: float) -> None:
        super().__init__()
        chance = torch.Generator().manual_seed(0)
        for number, side in enumerate(PERIODS):
            colours, light = _blurred(3, side, blur, chance), _blurred(1, side, blur, chance)
            field = OWN * colours + math.sqrt(1 - OWN**2) * light
            self.register_buffer(f"field{number}", deviation / math.sqrt(len(PERIODS)) * field, persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return noise for pictures [N, C, H, W], C at most 3: [N, C, H, W], or [1, C, H, W] by coordinates."""
        count, channels, height, width = pictures.shape
        corner = _CORNER.get()
        corners = [corner] if corner else torch.randint(math.lcm(*PERIODS), (count, 2))
        return torch.stack([self._at(row, column, height, width)[:channels] for row, column in corners])

    def _at(self, row: int | Tensor, column: int | Tensor, height: int, width: int) -> Tensor:
        """Return the noise of a part, [3, H, W]."""
        rows, columns = torch.arange(height) + row, torch.arange(width) + column
        first, second = (
            field.index_select(1, rows.to(field.device) % period).index_select(2, columns.to(field.device) % period)
            for field, period in zip(self.buffers(), PERIODS, strict=True)
        )
        return first + second


def _blurred(count: int, side: int, blur: float, chance: torch.Generator) -> Tensor:
    """Draw normal noise [count, side, side], blurred by a Gaussian of this deviation, that repeats after a side."""
    frequencies = torch.fft.fftfreq(side)
    kept = torch.exp(-2 * (math.pi * blur * frequencies) ** 2)
    waves = torch.fft.fft2(torch.randn(count, side, side, generator=chance)) * kept * kept[:, None]
    noise: Tensor = torch.fft.ifft2(waves).real
    return noise / noise.std()
