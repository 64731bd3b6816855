"""Small networks that make patches comparable: features at some pixels of an image become vectors of unit length.

Park et al. 2020 (arXiv:2007.15651), section 3.2: one two-layer network H_l for each depth l of the features. Places are
drawn first and only they are projected.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

GAIN = 0.02
"""Factor on the initial weights, in the authors' code."""


class PatchProjections(nn.Module):
    """A linear layer, a ReLU and a linear layer for each depth."""

    def __init__(self, depth_widths: Sequence[int], width: int = 256) -> None:
        """`depth_widths` are the features' channels; `width` is that of both layers, and the vectors' length."""
        super().__init__()
        self.depths = nn.ModuleList(
            nn.Sequential(nn.Linear(channels, width), nn.ReLU(inplace=True), nn.Linear(width, width))
            for channels in depth_widths
        )

    def forward(self, features: Sequence[Tensor], places: Sequence[Tensor]) -> list[Tensor]:
        """Return float32 [N, P, width] of unit length for features [N, C, H, W] at the places [N, P] of each depth."""
        return [
            functional.normalize(project(rows_at(maps, where)).float(), dim=2)
            for project, maps, where in zip(self.depths, features, places, strict=True)
        ]


def initialise_projections(network: PatchProjections) -> None:
    """Draw the weights from Glorot's normal distribution times 0.02 and set biases to zero, as the authors' code."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_normal_(module.weight, GAIN)
            nn.init.zeros_(module.bias)


def draw_places(features: Sequence[Tensor], count: int) -> list[Tensor]:
    """Draw `count` different pixels of each image at each depth, or all where there are fewer: [N, P] int64 each.

    The pixels of all N images are counted through, row by row; features are [N, C, H, W].
    """
    return [torch.stack([_pixels_of(maps, image, count) for image in range(len(maps))]) for maps in features]


def _pixels_of(maps: Tensor, image: int, count: int) -> Tensor:
    pixels = maps.shape[2] * maps.shape[3]
    return image * pixels + torch.randperm(pixels, device=maps.device)[:count]


def rows_at(maps: Tensor, places: Tensor) -> Tensor:
    """Return the features at places [N, P] of maps [N, C, H, W]: [N, P, C]. Channels-last maps are not copied."""
    return maps.permute(0, 2, 3, 1).flatten(0, 2)[places]
