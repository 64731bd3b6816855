"""The networks of the conditional DCGAN (docs/methods/conditional-gans.md, "Networks").

Radford et al. 2016 (arXiv:1511.06434), section 3: transposed convolutions up, strided convolutions down, with a second
head for the class.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional

from impasto.networks.convolutions import DoublingConv, HalvingConv
from impasto.networks.growth import Growth

WIDEST = 16
"""Channels of the widest layer, as a multiple of the width."""


class DCGANGenerator(nn.Module):
    """Latents and conditions to images in [-1, 1]."""

    def __init__(self, latent_size: int, classes: int, channels: int, way: Growth, width: int = 64) -> None:
        super().__init__()
        widths = generator_widths(way.doublings, width)
        layers: list[nn.Module] = [PointToMap(latent_size + classes, widths[0], way.base)]
        for before, after in itertools.pairwise(widths):
            layers += [nn.BatchNorm2d(before), nn.ReLU(inplace=True)]
            layers += [DoublingConv(before, after, bias=False)]
        layers += [nn.BatchNorm2d(widths[-1]), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers, DoublingConv(widths[-1], channels), nn.Tanh())

    def forward(self, latents: Tensor, conditions: Tensor) -> Tensor:
        """Turn latents [N, Z] and conditions [N, K] into images [N, C, S, S]."""
        images: Tensor = self.layers(torch.cat([latents, conditions], 1))
        return images


class PointToMap(nn.ConvTranspose2d):
    """A transposed convolution without bias over a single pixel: one multiplication, far faster than a convolution."""

    def __init__(self, channels: int, out_channels: int, size: int) -> None:
        super().__init__(channels, out_channels, size, bias=False)

    def forward(self, pixels: Tensor) -> Tensor:  # type: ignore[override]  # the output's size is the kernel's
        """Turn pixels [N, i] into maps [N, o, size, size], channels last."""
        kernels = self.weight.permute(0, 2, 3, 1)
        maps = (pixels @ kernels.flatten(1)).view(-1, *kernels.shape[1:])
        return maps.permute(0, 3, 1, 2)


class DCGANDiscriminator(nn.Module):
    """Images to a validity logit and class logits; it is not given the class (docs/methods/conditional-gans.md#a7)."""

    def __init__(self, classes: int, channels: int, way: Growth, width: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = [HalvingConv(channels, width), nn.LeakyReLU(0.2, inplace=True)]
        before = width
        for _ in range(way.doublings - 1):
            after = min(2 * before, WIDEST * width)
            layers += [HalvingConv(before, after, bias=False), nn.BatchNorm2d(after), nn.LeakyReLU(0.2, inplace=True)]
            before = after
        self.layers = nn.Sequential(*layers)
        self.validity = nn.Conv2d(before, 1, way.base)
        self.label = nn.Conv2d(before, classes, way.base)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return validity logits [N] and class logits [N, K] of images [N, C, S, S]."""
        features = self.layers(images)
        # Both heads read the whole map, so that one multiplication does for both convolutions.
        kernels = torch.cat([self.validity.weight, self.label.weight]).permute(0, 2, 3, 1)
        biases = torch.cat([_bias(self.validity), _bias(self.label)])
        heads = functional.linear(features.permute(0, 2, 3, 1).flatten(1), kernels.flatten(1), biases)
        return heads[:, 0], heads[:, 1:]


def generator_widths(doublings: int, width: int) -> list[int]:
    """Return the channels after each layer but the last: halved at each doubling, down to one or two widths."""
    last = width if doublings > 3 else 2 * width
    return [min(last << steps, WIDEST * width) for steps in reversed(range(doublings))]


def initialise_dcgan(network: nn.Module) -> None:
    """Draw weights from N(0, 0.02), those of batch norms from N(1, 0.02); biases are zero (Radford et al., 3)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d | nn.BatchNorm1d | nn.Linear):
            mean = 1.0 if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d) else 0.0
            nn.init.normal_(module.weight, mean, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _bias(convolution: nn.Conv2d) -> Tensor:
    assert convolution.bias is not None
    return convolution.bias
