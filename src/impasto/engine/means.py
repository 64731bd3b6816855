"""Means of logged scalars, kept on the device. Reading a value after every step would make the GPU wait."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor


class Means:
    """Sums scalars until they are read. Each mean is over the steps that logged the scalar."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, scalars: Mapping[str, Tensor]) -> None:
        """Add the scalars of one step."""
        for name, value in scalars.items():
            earlier = self._sums.get(name)
            self._sums[name] = value.detach().double() if earlier is None else earlier.to(value.device) + value
            self._counts[name] = self._counts.get(name, 0) + 1

    def state_dict(self) -> dict[str, Any]:
        """Return the sums so far. With them, the next mean of a resumed run covers its whole interval."""
        return {"sums": dict(self._sums), "counts": dict(self._counts)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self._sums, self._counts = dict(state_dict["sums"]), dict(state_dict["counts"])

    def peek(self, fabric: Fabric) -> dict[str, float]:
        """Return the means over steps and devices since the last `take`; empty if there was no step."""
        if not self._sums:
            return {}
        means = [total / self._counts[name] for name, total in self._sums.items()]
        stacked = torch.stack([mean.to(fabric.device) for mean in means])  # sums from a checkpoint are on the CPU
        if fabric.world_size > 1:
            reduced = fabric.all_reduce(stacked, reduce_op="mean")
            assert isinstance(reduced, Tensor)
            stacked = reduced
        return dict(zip(self._sums, stacked.tolist(), strict=True))

    def take(self, fabric: Fabric) -> dict[str, float]:
        """Return the means and reset the sums."""
        means = self.peek(fabric)
        self._sums, self._counts = {}, {}
        return means


def not_finite(means: Mapping[str, float]) -> str | None:
    """Return the name of a mean that is NaN or infinite, or None. One such step makes its mean NaN or infinite."""
    return next((name for name, value in means.items() if not math.isfinite(value)), None)
