"""An underpainting: what a picture is in dabs of colour, without the detail inside them.

The generalized Kuwahara filter of Papari, Petkov and Campisi 2007, "Artistic edge and corner enhancing smoothing"
(doi:10.1109/TIP.2007.903912): around each pixel, the mean colours of eight sectors, those of little variance counting
most. Flat areas lose their grain, edges stay, because a sector on one side of an edge is more even than one across it.
"""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor
from torch.nn import functional

SECTORS = 8
SHARPNESS = 4
"""The power of the inverse variance by which a sector counts."""
GRAIN = 4 / 255
"""Half of the deviation, in [-1, 1] some 4 of 255 levels, below which sectors count as equally even: noise and JPEG's
blocks are not edges."""


def underpainted(pictures: Tensor, radius: int) -> Tensor:
    """Return pictures [N, C, H, W] in dabs of a radius in pixels, float32; H and W are larger than the radius."""
    with torch.autocast(pictures.device.type, enabled=False):
        pictures = pictures.float()
        square = pictures.square().mean(1, keepdim=True)
        grown = functional.pad(torch.cat([pictures, square], 1), (radius,) * 4, mode="reflect")
        weighted, weights = torch.zeros_like(pictures), torch.zeros_like(square)
        for sector in _sectors(radius).to(pictures.device):  # one by one: all at once take gigabytes
            kernel = sector.expand(grown.shape[1], 1, -1, -1)
            means = functional.conv2d(grown, kernel, groups=grown.shape[1])
            colour, of_square = means[:, :-1], means[:, -1:]
            variance = (of_square - colour.square().mean(1, keepdim=True)).clamp(min=0)
            weight = (1 + variance / GRAIN**2) ** -SHARPNESS
            weighted, weights = weighted + weight * colour, weights + weight
        return weighted / weights


@functools.cache
def _sectors(radius: int) -> Tensor:
    """Return what each sector counts of the pixels around one, 1 in all: [SECTORS, 2 radius + 1, 2 radius + 1]."""
    y, x = torch.meshgrid(*2 * [torch.arange(-radius, radius + 1.0)], indexing="ij")
    near = torch.exp(-(x.square() + y.square()) / (2 * (radius / 2) ** 2))
    angles = torch.atan2(y, x)
    turns = [2 * math.pi * sector / SECTORS for sector in range(SECTORS)]
    counts = torch.stack([near * torch.cos(angles - turn).clamp(min=0) ** 8 for turn in turns])
    counts[:, radius, radius] = 1
    return counts / counts.sum((1, 2), keepdim=True)
