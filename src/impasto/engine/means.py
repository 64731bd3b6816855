"""Means of what a method logs, taken on the device: asking for a number after every step would make a GPU wait."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from lightning_fabric import Fabric
from torch import Tensor


class Means:
    """Adds up scalars until they are asked for."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._count = 0

    def add(self, scalars: Mapping[str, Tensor]) -> None:
        """Take in one step's scalars."""
        for name, value in scalars.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value.detach().double()
        self._count += 1

    def take(self, fabric: Fabric) -> dict[str, float]:
        """Return the means over steps and devices since the last call; empty where there was no step."""
        if self._count == 0:
            return {}
        stacked = torch.stack(list(self._sums.values())) / self._count
        if fabric.world_size > 1:
            reduced = fabric.all_reduce(stacked, reduce_op="mean")
            assert isinstance(reduced, Tensor)
            stacked = reduced
        means = dict(zip(self._sums, stacked.tolist(), strict=True))
        self._sums, self._count = {}, 0
        return means


def not_finite(means: Mapping[str, float]) -> str | None:
    """Return the name of a mean that is NaN or infinite; one bad step is enough to make its mean so."""
    return next((name for name, value in means.items() if not math.isfinite(value)), None)
