"""Several devices that decide and fail together: where one never reaches a collective, the others wait for ever."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import torch
import torch.distributed
from lightning_fabric import Fabric
from torch import Tensor

from impasto.errors import ImpastoError


def most(fabric: Fabric, number: int) -> int:
    """Return on every device the largest number that any device holds."""
    if fabric.world_size == 1:
        return number
    largest = fabric.all_reduce(torch.tensor(number, device=fabric.device), reduce_op="max")
    assert isinstance(largest, Tensor)
    return int(largest)


def raise_together(fabric: Fabric, failure: ImpastoError | None) -> None:
    """Raise on every device what this or any other device failed with; return where none did."""
    if fabric.world_size > 1:
        told: list[str | None] = [None] * fabric.world_size
        torch.distributed.all_gather_object(told, None if failure is None else str(failure))
        if failure is None:
            failure = next((ImpastoError(text) for text in told if text is not None), None)
        if failure is not None:
            part_ways(fabric)
    if failure is not None:
        raise failure


def part_ways(fabric: Fabric) -> None:
    """Let every device know that all stop here, before one of them leaves with an exit code that is not 0.

    From here on the launcher takes no such code for a crash: it would kill the first process in its last words.
    """
    if fabric.world_size == 1:
        return
    launcher = fabric.strategy.launcher
    started = getattr(launcher, "procs", [])  # the list that Fabric's observer of its child processes looks at
    _LEFT_ALONE.extend(started)
    started.clear()
    with suppress(RuntimeError):  # the last to leave may find the others gone
        fabric.barrier()


_LEFT_ALONE: list[Any] = []
"""Processes that end by themselves; kept so that nothing warns of their being dropped while they still do."""
