"""Joint decisions and failures of several devices. If one device misses a collective call, the others wait forever."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import torch
import torch.distributed
from lightning_fabric import Fabric
from torch import Tensor

from impasto.errors import ImpastoError


def most(fabric: Fabric, number: int) -> int:
    """Return the largest number of all devices, on every device."""
    if fabric.world_size == 1:
        return number
    largest = fabric.all_reduce(torch.tensor(number, device=fabric.device), reduce_op="max")
    assert isinstance(largest, Tensor)
    return int(largest)


def raise_together(fabric: Fabric, failure: ImpastoError | None) -> None:
    """Raise the failure of this or any other device, on every device. Return if no device failed."""
    if fabric.world_size > 1:
        messages: list[str | None] = [None] * fabric.world_size
        torch.distributed.all_gather_object(messages, None if failure is None else str(failure))
        if failure is None:
            failure = next((ImpastoError(message) for message in messages if message is not None), None)
        if failure is not None:
            part_ways(fabric)
    if failure is not None:
        raise failure


def part_ways(fabric: Fabric) -> None:
    """Synchronise all devices before they stop with an exit code other than 0.

    Also stop Fabric's launcher from treating that code as a crash. It would kill the first process before it finishes.
    """
    if fabric.world_size == 1:
        return
    launcher = fabric.strategy.launcher
    started = getattr(launcher, "procs", [])  # Fabric's observer of child processes reads this list
    _LEFT_ALONE.extend(started)
    started.clear()
    with suppress(RuntimeError):  # the other processes may have ended already
        fabric.barrier()


_LEFT_ALONE: list[Any] = []
"""Processes that end by themselves. This reference avoids Python's warning about a running child process."""
