"""An underpainting: a picture in dabs of colour, without the detail inside them.

The generalized Kuwahara filter of Papari, Petkov and Campisi 2007, "Artistic edge and corner enhancing smoothing"
(doi:10.1109/TIP.2007.903912): around each pixel, the mean colours of eight sectors, each counting by the inverse fourth
power of its variance. Flat areas lose their grain; edges stay, because a sector on one side of an edge is more even
than one across it.

Noise that is added to the picture before makes broken colour: dabs with edges where the picture has none, each of a
slightly different colour, as in painted skies.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from impasto.networks.noise import Noise

SECTORS = 8
GRAIN = 4 / 255
"""Deviation of pixels in [-1, 1], two of 255 levels, below which sectors count as equally even: noise and JPEG's blocks
are not edges."""


class Underpainting(nn.Module):
    """Simplifies pictures into dabs of a radius in pixels, with noise into broken colour. It does not learn.

    `noise` is its deviation, in the range [-1, 1] of pictures; it is blurred over a third of the radius.
    """

    sectors: Tensor

    def __init__(self, radius: int, noise: float = 0) -> None:
        super().__init__()
        self.radius = radius
        self.noise = Noise(noise, radius / 3) if noise else None
        self.register_buffer("sectors", _sectors(radius)[:, None], persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return pictures [N, C, H, W] in dabs, float32; H and W are larger than the radius."""
        with torch.autocast(pictures.device.type, enabled=False):
            pictures = pictures.float()
            if self.noise is not None:
                pictures = pictures + self.noise(pictures)
            square = pictures.square().mean(1, keepdim=True)
            grown = functional.pad(torch.cat([pictures, square], 1), (self.radius,) * 4, mode="reflect")
            grown = grown.contiguous(memory_format=torch.channels_last)  # half the time
            weighted, weights = torch.zeros_like(pictures), torch.zeros_like(square)
            for sector in self.sectors:  # one by one: all at once would take gigabytes
                kernel = sector.expand(grown.shape[1], 1, -1, -1)
                means = functional.conv2d(grown, kernel, groups=grown.shape[1])
                colour, of_square = means[:, :-1], means[:, -1:]
                variance = (of_square - colour.square().mean(1, keepdim=True)).clamp(min=0)
                weight = (1 + variance / GRAIN**2).square().square().reciprocal()
                weighted, weights = weighted + weight * colour, weights + weight
            return weighted / weights


def _sectors(radius: int) -> Tensor:
    """Return the weights of the pixels in each sector, with sum 1: [SECTORS, 2 radius + 1, 2 radius + 1]."""
    y, x = torch.meshgrid(*2 * [torch.arange(-radius, radius + 1.0)], indexing="ij")
    near = torch.exp(-(x.square() + y.square()) / (2 * (radius / 2) ** 2))
    angles = torch.atan2(y, x)
    turns = [2 * math.pi * sector / SECTORS for sector in range(SECTORS)]
    counts = torch.stack([near * torch.cos(angles - turn).clamp(min=0) ** 8 for turn in turns])
    counts[:, radius, radius] = 1
    return counts / counts.sum((1, 2), keepdim=True)
