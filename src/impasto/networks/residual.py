"""The residual networks of the conditional WGAN-GP (docs/methods/conditional-gans.md, "Networks").

Gulrajani et al. 2017 (arXiv:1704.00028), appendices C and F: pre-activated blocks, batch norm in the generator, layer
norm in the critic, whose score of one image must not depend on others. Doubling and halving are exchanged with
convolutions where the result is the same and the cost lower: in the shortcuts and in `resizing_convolutions`.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional

from impasto.networks.convolutions import SameConv
from impasto.networks.growth import Growth, first_map
from impasto.networks.image_norm import ImageNorm
from impasto.networks.resizing_convolutions import ConvThenHalve, DoubleThenConv

WIDEST = 8
"""Channels of the widest layer of a network for 64 pixels and more, as a multiple of the width."""
FEW_DOUBLINGS = 3
"""Up to this many doublings (28 and 32 pixels), all layers have the same channels."""


class ResidualGenerator(nn.Module):
    """Latents and conditions to images in [-1, 1]."""

    def __init__(self, latent_size: int, classes: int, channels: int, way: Growth, width: int = 64) -> None:
        super().__init__()
        widths = generator_widths(way.doublings, width)
        self.base = way.base
        self.linear = nn.Linear(latent_size + classes, widths[0] * way.base**2)
        self.blocks = nn.Sequential(*(UpBlock(before, after) for before, after in itertools.pairwise(widths)))
        self.norm = nn.BatchNorm2d(widths[-1])
        self.last = nn.Conv2d(widths[-1], channels, 3, padding=1)

    def forward(self, latents: Tensor, conditions: Tensor) -> Tensor:
        """Turn latents [N, Z] and conditions [N, K] into images [N, C, S, S]."""
        features = self.linear(torch.cat([latents, conditions], 1))
        features = self.blocks(first_map(features, self.base, self.last.weight))
        return torch.tanh(self.last(functional.relu(self.norm(features))))


class ResidualCritic(nn.Module):
    """Images to a score and class logits."""

    def __init__(self, classes: int, channels: int, way: Growth, width: int = 64) -> None:
        super().__init__()
        if way.doublings <= FEW_DOUBLINGS:
            wide = 2 * width
            inner = (DownBlock(wide, wide), PlainBlock(wide), PlainBlock(wide))
            self.blocks = nn.Sequential(FirstBlock(channels, wide), *inner, nn.ReLU(), GlobalMean())
            features = wide
        else:
            widths = [min(width << steps, WIDEST * width) for steps in range(way.doublings + 1)]
            pairs = itertools.pairwise(widths)
            first = SameConv(channels, width, 3)
            self.blocks = nn.Sequential(first, *(DownBlock(before, after) for before, after in pairs), nn.Flatten())
            features = widths[-1] * way.base**2
        self.score = nn.Linear(features, 1)
        self.label = nn.Linear(features, classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return scores [N] and class logits [N, K] of images [N, C, S, S]."""
        features = self.blocks(images)
        return self.score(features)[:, 0], self.label(features)


class UpBlock(nn.Module):
    """BN, ReLU, double, Conv3x3, BN, ReLU, Conv3x3; the shortcut doubles after a Conv1x1."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = DoubleThenConv(channels, out_channels)
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.conv2 = SameConv(out_channels, out_channels, 3)
        self.shortcut = nn.Conv2d(channels, out_channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return [N, o, 2H, 2W] for [N, i, H, W]."""
        inner: Tensor = self.conv1(functional.relu(self.norm1(features)))
        inner = self.conv2(functional.relu(self.norm2(inner)))
        doubled: Tensor = functional.interpolate(self.shortcut(features), scale_factor=2)
        return doubled + inner


class DownBlock(nn.Module):
    """LN, ReLU, Conv3x3, LN, ReLU, Conv3x3, halve; the shortcut halves before a Conv1x1."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.norm1 = ImageNorm(channels)
        self.conv1 = SameConv(channels, channels, 3)
        self.norm2 = ImageNorm(channels)
        self.conv2 = ConvThenHalve(channels, out_channels)
        self.shortcut = SameConv(channels, out_channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return [N, o, H/2, W/2] for [N, i, H, W]."""
        inner: Tensor = self.conv1(functional.relu(self.norm1(features)))
        inner = self.conv2(functional.relu(self.norm2(inner)))
        halved: Tensor = self.shortcut(functional.avg_pool2d(features, 2))
        return halved + inner


class FirstBlock(nn.Module):
    """Conv3x3, ReLU, Conv3x3, halve; without norms, because its input is pixels."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = SameConv(channels, out_channels, 3)
        self.conv2 = ConvThenHalve(out_channels, out_channels)
        self.shortcut = SameConv(channels, out_channels, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return [N, o, H/2, W/2] for images [N, C, H, W]."""
        inner: Tensor = self.conv2(functional.relu(self.conv1(images)))
        halved: Tensor = self.shortcut(functional.avg_pool2d(images, 2))
        return halved + inner


class PlainBlock(nn.Module):
    """LN, ReLU, Conv3x3, LN, ReLU, Conv3x3, added to the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1 = ImageNorm(channels)
        self.conv1 = SameConv(channels, channels, 3)
        self.norm2 = ImageNorm(channels)
        self.conv2 = SameConv(channels, channels, 3)

    def forward(self, features: Tensor) -> Tensor:
        """Return [N, C, H, W] for [N, C, H, W]."""
        inner: Tensor = self.conv1(functional.relu(self.norm1(features)))
        inner = self.conv2(functional.relu(self.norm2(inner)))
        return features + inner


class GlobalMean(nn.Module):
    """The mean of each channel."""

    def forward(self, features: Tensor) -> Tensor:
        """Return [N, C] for [N, C, H, W]."""
        return features.mean((2, 3))


def generator_widths(doublings: int, width: int) -> list[int]:
    """Return the channels of the first map and after each block."""
    if doublings <= FEW_DOUBLINGS:
        return [2 * width] * (doublings + 1)
    return [min(width << steps, WIDEST * width) for steps in reversed(range(doublings + 1))]


def initialise_residual(network: nn.Module) -> None:
    """Draw the 3x3 convolutions of blocks as He et al. 2015 (arXiv:1502.01852), all other weights as Glorot.

    The others are shortcuts, linear layers, the generator's last convolution and, where it stands before the blocks,
    the critic's first, as in the code of Gulrajani et al. Biases are zero.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.xavier_normal_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for block in network.modules():
        if isinstance(block, UpBlock | DownBlock | FirstBlock | PlainBlock):
            for convolution in (block.conv1, block.conv2):
                nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
