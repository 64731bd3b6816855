"""The networks of the conditional DCGAN (spec 01, tables): transposed convolutions up, strided convolutions down.

Radford et al. 2016 (arXiv:1511.06434), section 3, with a second head that tells the class.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from impasto.networks.growth import Growth

WIDEST = 16
"""Channels of the widest layer, as a multiple of the width."""


class DCGANGenerator(nn.Module):
    """Latents and conditions to images in [-1, 1]."""

    def __init__(self, latent_size: int, classes: int, channels: int, way: Growth, width: int = 64) -> None:
        super().__init__()
        widths = generator_widths(way.doublings, width)
        layers: list[nn.Module] = []
        before = latent_size + classes
        for place, after in enumerate(widths):
            kernel, stride, padding = (way.base, 1, 0) if place == 0 else (4, 2, 1)
            transposed = nn.ConvTranspose2d(before, after, kernel, stride, padding, bias=False)
            layers += [transposed, nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
            before = after
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(before, channels, 4, 2, 1), nn.Tanh())

    def forward(self, latents: Tensor, conditions: Tensor) -> Tensor:
        """Turn latents [N, Z] and conditions [N, K] into images [N, C, S, S]."""
        images: Tensor = self.layers(torch.cat([latents, conditions], 1)[:, :, None, None])
        return images


class DCGANDiscriminator(nn.Module):
    """Images to a validity logit and class logits; it is not told the class (spec 01, A7)."""

    def __init__(self, classes: int, channels: int, way: Growth, width: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        before = width
        for _ in range(way.doublings - 1):
            after = min(2 * before, WIDEST * width)
            convolution = nn.Conv2d(before, after, 4, 2, 1, bias=False)
            layers += [convolution, nn.BatchNorm2d(after), nn.LeakyReLU(0.2, inplace=True)]
            before = after
        self.layers = nn.Sequential(*layers)
        self.validity = nn.Conv2d(before, 1, way.base)
        self.label = nn.Conv2d(before, classes, way.base)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return validity logits [N] and class logits [N, K] of images [N, C, S, S]."""
        features = self.layers(images)
        # Both heads read the whole map, so that one multiplication does for both convolutions.
        kernels = torch.cat([self.validity.weight, self.label.weight])
        biases = torch.cat([_bias(self.validity), _bias(self.label)])
        heads = functional.conv2d(features, kernels, biases).flatten(1)
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
