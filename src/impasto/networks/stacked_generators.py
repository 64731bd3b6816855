"""Two generators, one on top of the other: a small image from a latent and a class, then one four times as large.

Zhang et al. 2017 (StackGAN, arXiv:1612.03242), with a class vector instead of a sentence's embedding, as in GANtor by
Datta and Cai. docs/methods/stacked-gans.md has the layers and parameter counts.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from impasto.networks.batch_norm import normed
from impasto.networks.growth import first_map, out_of_reach
from impasto.networks.resizing_convolutions import DoubleThenConv

Stage = Literal[1, 2]

LATENT_SIZE = 100
BASE = 4
"""Height and width of the first features, pixels."""
ENLARGEMENT = 4
"""How many times as high and wide the second stage's image is."""
STAGE_ONE_SIZES = (16, 32, 64, 128)
"""Height and width of the first stage's images, pixels; the published ones have 64."""


class StageOneGenerator(nn.Module):
    """Latents and classes to a small image."""

    def __init__(self, classes: int, channels: int, widths: Sequence[int], slope: float) -> None:
        """`widths` are the channels at 4 pixels and after each doubling; `slope` is the activations', 0 for a ReLU."""
        super().__init__()
        first = BASE * BASE * widths[0]
        self.project = nn.Sequential(
            nn.Linear(LATENT_SIZE + classes, first, bias=False),
            nn.BatchNorm1d(first),
            nn.LeakyReLU(slope, inplace=True),
        )
        self.up = nn.Sequential(*_doublings(widths, slope))
        self.head = nn.Conv2d(widths[-1], channels, 3, padding=1, bias=False)
        self.frozen = False

    def forward(self, latents: Tensor, weights: Tensor) -> Tensor:
        """Return images [N, channels, S, S] in [-1, 1] for latents [N, 100] and class weights [N, K]."""
        features = self.project(torch.cat([latents, weights], 1))
        images: Tensor = self.head(self.up(first_map(features, BASE, self.head.weight))).tanh()
        return images

    def freeze(self) -> None:
        """Stop learning: no gradients, and running statistics in batch norm, also after `train()`."""
        self.frozen = True
        self.requires_grad_(requires_grad=False)
        self.train(mode=False)

    def train(self, mode: bool = True) -> StageOneGenerator:  # noqa: FBT001, FBT002 - torch's signature
        """Change the mode, unless frozen."""
        return super().train(mode and not self.frozen)


class StageTwoGenerator(nn.Module):
    """A small image and its class to a large image: halved twice, given the class, changed, doubled four times."""

    def __init__(self, classes: int, channels: int, width: int, blocks: int, slope: float) -> None:
        """`width` is the number of channels after the first convolution, `slope` the activations', 0 for a ReLU."""
        super().__init__()
        self.down = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1, bias=False),
            nn.LeakyReLU(slope, inplace=True),
            *normed(nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False), slope),
            *normed(nn.Conv2d(2 * width, 4 * width, 4, 2, 1, bias=False), slope),
        )
        self.join = nn.Sequential(*normed(nn.Conv2d(4 * width + classes, 4 * width, 3, padding=1, bias=False), slope))
        self.blocks = nn.Sequential(*(_Residual(4 * width) for _ in range(blocks)))
        widths = [4 * width, 2 * width, width, width // 2, width // 4]
        self.up = nn.Sequential(*_doublings(widths, slope))
        self.head = nn.Conv2d(widths[-1], channels, 3, padding=1, bias=False)

    def forward(self, images: Tensor, weights: Tensor) -> Tensor:
        """Return images [N, channels, 4 S, 4 S] in [-1, 1] for images [N, channels, S, S] and class weights [N, K]."""
        features = self.join(with_classes(self.down(images), weights))
        large: Tensor = self.head(self.up(self.blocks(features))).tanh()
        return large


class GeneratorStack:
    """One generator that learns, or two of which the first is frozen."""

    def __init__(self, stage_one: StageOneGenerator, stage_two: StageTwoGenerator | None = None) -> None:
        self.stage_one, self.stage_two = stage_one, stage_two
        if stage_two is not None:
            stage_one.freeze()

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The generators by name."""
        second = {"stage_two": self.stage_two} if self.stage_two is not None else {}
        return {"stage_one": self.stage_one, **second}

    @property
    def borrowed(self) -> tuple[str, ...]:
        """The names of those that do not learn."""
        return () if self.stage_two is None else ("stage_one",)

    @property
    def learning(self) -> nn.Module:
        """The generator that learns."""
        return self.stage_two or self.stage_one

    def __call__(self, latents: Tensor, weights: Tensor) -> Tensor:
        """Return the last stage's images [N, C, S, S] in [-1, 1] for latents [N, 100] and class weights [N, K]."""
        images: Tensor = self.stage_one(latents, weights)
        return images if self.stage_two is None else self.stage_two(images, weights)


class _Residual(nn.Module):
    """Two 3x3 convolutions whose result is added to their input, with a ReLU between them in both versions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *normed(nn.Conv2d(channels, channels, 3, padding=1, bias=False), 0.0),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        changed: Tensor = torch.relu(features + self.layers(features))
        return changed


def _doublings(widths: Sequence[int], slope: float) -> Iterator[nn.Module]:
    for before, after in itertools.pairwise(widths):
        yield from normed(DoubleThenConv(before, after, bias=False), slope)


def with_classes(features: Tensor, weights: Tensor) -> Tensor:
    """Append class weights [N, K], repeated at every pixel, to features [N, C, H, W]: [N, C + K, H, W]."""
    maps = weights.to(features.dtype)[:, :, None, None].expand(-1, -1, *features.shape[-2:])
    return torch.cat([features, maps], 1)


def repository_widths(width: int, size: int) -> list[int]:
    """Return stage I's channels in the authors' code: half of `width` last, twice as many before each doubling."""
    return [width // 2 << steps for steps in reversed(range(doublings(size) + 1))]


def figure_12_widths(width: int, size: int) -> list[int]:
    """Return stage I's channels in figure 12: a third of `width` last, and none lost in the first doubling."""
    widths = [width // 3 << steps for steps in reversed(range(doublings(size)))]
    return [widths[0], *widths]


def doublings(size: int) -> int:
    """Return how often 4 pixels are doubled to reach a power of two."""
    return (size // BASE).bit_length() - 1


def stage_one_size(size: int, stage: Stage, method: str) -> int:
    """Return the height and width of stage I's images, in pixels, for images of this stage of `size` pixels.

    Raises RecipeError that names near sizes, for sizes that cannot be reached.
    """
    enlargement = 1 if stage == 1 else ENLARGEMENT
    sizes = {first * enlargement: first for first in STAGE_ONE_SIZES}
    if size not in sizes:
        raise out_of_reach(size, f"stage {stage} of {method}", sizes)
    return sizes[size]
