"""Contrastive losses between places of an image."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def patch_contrast(queries: Tensor, keys: Tensor, temperature: float) -> Tensor:
    """Return the PatchNCE loss at one depth: each query must find the key of its own place among all keys of its image.

    Park et al. 2020 (arXiv:2007.15651), equations 3 and 4: the cross-entropy of similarities (dot products divided by
    the temperature), averaged over places and images. Queries and keys are [N, P, D] for P places, of unit length.
    Computed in float32. Keys get no gradient, as in the authors' code, so the features of the photo do not move towards
    those of its painting.
    """
    with torch.autocast(queries.device.type, enabled=False):
        similarities = queries.float() @ keys.detach().float().transpose(1, 2) / temperature  # [N, P, P]
    own = torch.arange(keys.shape[1], device=keys.device).expand(keys.shape[:2])
    return functional.cross_entropy(similarities.flatten(0, 1), own.flatten())
