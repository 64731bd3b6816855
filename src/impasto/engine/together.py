"""Several devices that decide and fail together: where one never reaches a collective, the others wait for ever."""

from __future__ import annotations

from contextlib import suppress

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
            with suppress(
                RuntimeError
            ):  # nobody leaves before all have heard; the last to leave may find the others gone
                fabric.barrier()
    if failure is not None:
        raise failure
