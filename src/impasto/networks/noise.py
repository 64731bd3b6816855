"""Noise of which a generator makes what its photo does not tell: strokes in an even sky.

A network of convolutions paints an even area everywhere as it paints it anywhere, at best in a pattern that returns
every few pixels: a weave. Where there is noise, strokes can differ. Where one paints, noise is a matter of the place: a
picture in tiles has that of the whole, and a photo is painted the same twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor, nn

CHANNELS = 3
PERIOD = 512
"""Cells after which noise that is a matter of the place returns."""

_CORNER: ContextVar[tuple[int, int] | None] = ContextVar("row and column at which pictures begin", default=None)


@contextmanager
def noise_from(row: int, column: int) -> Iterator[None]:
    """Let pictures begin at this row and column, pixels, of one field of noise; inside another, so much further on."""
    around = _CORNER.get() or (0, 0)
    token = _CORNER.set((around[0] + row, around[1] + column))
    try:
        yield
    finally:
        _CORNER.reset(token)


@contextmanager
def noise_of(chance: torch.Generator) -> Iterator[None]:
    """Let pictures have the noise of a generator's seed."""
    seed = chance.initial_seed()
    with noise_from(seed % PERIOD, seed // PERIOD % PERIOD):
        yield


class Noise(nn.Module):
    """Draws normal noise in square cells of some pixels: afresh for each picture, or alike for all by the place."""

    field: Tensor

    def __init__(self, deviation: float, cell: int) -> None:
        super().__init__()
        self.deviation, self.cell = deviation, cell
        field = torch.randn(CHANNELS, PERIOD, PERIOD, generator=torch.Generator().manual_seed(0))
        self.register_buffer("field", field, persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return noise for pictures [N, C, H, W] of at most 3 channels: [N, C, H, W], or [1, C, H, W] by the place."""
        count, channels, *size = pictures.shape
        corner = _CORNER.get()
        rows, columns = (
            (torch.arange(side, device=pictures.device) + start) // self.cell
            for side, start in zip(size, corner or (0, 0), strict=True)
        )
        if corner is None:
            cells = torch.randn(count, channels, *(side // self.cell + 1 for side in size), device=pictures.device)
        else:
            cells, rows, columns = self.field[None, :channels], rows % PERIOD, columns % PERIOD
        return self.deviation * cells.index_select(2, rows).index_select(3, columns)
