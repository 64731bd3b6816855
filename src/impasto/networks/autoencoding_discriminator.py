"""The discriminator of GANtor-v2: recognises the class of an image, or a fake, and reconstructs the image.

Tan et al. 2017 (improved ArtGAN, arXiv:1708.09533), as used in GANtor by Datta and Cai (docs/methods/stacked-gans.md,
"Networks").
"""

from __future__ import annotations

import itertools
from typing import Literal

import torch
from torch import Tensor, nn

from impasto.networks.batch_norm import SLOPE, normed
from impasto.networks.resizing_convolutions import DoubleThenConv
from impasto.networks.stacked_generators import BASE, doublings

NOISE = 0.05
"""Standard deviation of the noise that is added to every pixel while training."""
NARROWEST = 4
"""Fewest channels, for large images with a small width."""

Preset = Literal["repository", "figure-12"]


class AutoencodingDiscriminator(nn.Module):
    """An encoder to 4 pixels, a linear classifier and a decoder."""

    def __init__(self, outputs: int, channels: int, width: int, size: int, preset: Preset) -> None:
        """`width` is a quarter of the channels at 8 pixels: at 64 pixels that after the first convolution."""
        super().__init__()
        self.size = size
        self.encoder = nn.Sequential(*_encoder(channels, width, size, preset))
        self.classifier = nn.Linear(BASE * BASE * 8 * width, outputs)
        self.decoder = nn.Sequential(*_decoder(channels, width, size))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits [N, outputs] and features [N, 8 width, 4, 4], for `decoder`, of images [N, channels, S, S].

        While training, the images get noise and the features dropout.
        """
        if images.shape[-1] != self.size:
            raise ValueError(f"made for images of {self.size} pixels, got {images.shape[-1]}")
        if self.training:
            images = images + NOISE * torch.randn_like(images)
        features = self.encoder(images)
        return self.classifier(features.flatten(1)), features


def _encoder(channels: int, width: int, size: int, preset: Preset) -> list[nn.Module]:
    """Halve to 8 pixels; then come two convolutions to 4, unpadded ones in the authors' code."""
    repository = preset == "repository"
    dropout = 0.5 if repository else 0.2
    widths = [max(4 * width >> steps, NARROWEST) for steps in reversed(range(doublings(size) - 1))]
    layers = [nn.Conv2d(channels, widths[0], 3, 2, 1), nn.LeakyReLU(SLOPE, inplace=True)]
    for before, after in itertools.pairwise(widths):
        layers += [nn.Dropout(dropout), *normed(nn.Conv2d(before, after, 3, 2, 1))]
    same, wider = widths[-1], 8 * width
    layers += normed(nn.Conv2d(same, same, 3, 1, 0 if repository else 1))
    last = nn.Conv2d(same, wider, 3) if repository else nn.Conv2d(same, wider, 3, 2, 1)
    return [*layers, nn.Dropout(dropout), *normed(last)]


def _decoder(channels: int, width: int, size: int) -> list[nn.Module]:
    """Double from 4 pixels, with a convolution before the first doubling and after each."""
    widths = [max(4 * width >> steps, NARROWEST) for steps in range(doublings(size) + 1)]
    layers = normed(nn.Conv2d(8 * width, widths[0], 3, padding=1))
    for before, after in itertools.pairwise(widths):
        layers += normed(DoubleThenConv(before, after))
    return [*layers, nn.Conv2d(widths[-1], channels, 3, padding=1), nn.Tanh()]
