"""Several devices that fail together: a collective that one device never reaches would make the others wait."""

from __future__ import annotations

import torch.distributed
from lightning_fabric import Fabric

from impasto.errors import ImpastoError


def raise_together(fabric: Fabric, failure: ImpastoError | None) -> None:
    """Raise on every device what this or any other device failed with; return where none did."""
    if fabric.world_size > 1:
        told: list[str | None] = [None] * fabric.world_size
        torch.distributed.all_gather_object(told, None if failure is None else str(failure))
        if failure is None:
            failure = next((ImpastoError(text) for text in told if text is not None), None)
    if failure is not None:
        raise failure
