"""Losses that tell one place of an image from its others by their features."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def patch_contrast(queries: Tensor, keys: Tensor, temperature: float) -> Tensor:
    """Return how badly each query finds the key of its own place among all keys of its image: PatchNCE at one depth.

    Park et al. 2020 (arXiv:2007.15651), equations 3 and 4: the cross-entropy of the likenesses, which are dot products
    divided by the temperature, meaned over places and images. Queries and keys are of unit length, [N, P, D] for P
    places. Computed in float32. Keys get no gradient, as in the authors' code: the photo does not learn to look like
    its painting.
    """
    with torch.autocast(queries.device.type, enabled=False):
        likenesses = queries.float() @ keys.detach().float().transpose(1, 2) / temperature  # [N, P, P]
    own = torch.arange(keys.shape[1], device=keys.device).expand(keys.shape[:2])
    return functional.cross_entropy(likenesses.flatten(0, 1), own.flatten())
