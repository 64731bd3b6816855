"""The discriminator of GANtor-v1: says whether an image is real and of the class it is told.

Reed et al. 2016 (arXiv:1605.05396) and Zhang et al. 2017 (StackGAN, arXiv:1612.03242), with a class vector in place of
a sentence's embedding (docs/methods/stacked-gans.md, "Networks").
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from impasto.networks.batch_norm import SLOPE, normed
from impasto.networks.stacked_generators import BASE, Stage, doublings, with_classes


class PairDiscriminator(nn.Module):
    """Halves images to 4 pixels; the first head judges image and class, in stage II a second one the image alone."""

    def __init__(self, classes: int, channels: int, width: int, size: int, stage: Stage) -> None:
        super().__init__()
        widths = [width << steps for steps in range(doublings(size))]
        layers = [nn.Conv2d(channels, width, 4, 2, 1, bias=False), nn.LeakyReLU(SLOPE, inplace=True)]
        for before, after in itertools.pairwise(widths):
            layers += normed(nn.Conv2d(before, after, 4, 2, 1, bias=False))
        last = widths[-1]
        if stage == 2:  # back to the width that stage I ends with
            for _ in range(2):
                layers += normed(nn.Conv2d(last, last // 2, 3, padding=1, bias=False))
                last //= 2
        self.features = nn.Sequential(*layers)
        self.pair = nn.Sequential(
            *normed(nn.Conv2d(last + classes, last, 3, padding=1, bias=False)), nn.Conv2d(last, 1, BASE)
        )
        self.alone = nn.Conv2d(last, 1, BASE) if stage == 2 else None

    def forward(self, images: Tensor) -> Tensor:
        """Return features [N, F, 4, 4] of images [N, channels, S, S], for both heads."""
        features: Tensor = self.features(images)
        return features

    def pair_logits(self, features: Tensor, weights: Tensor) -> Tensor:
        """Return the logits [N] of being real and of the classes that the weights [N, K] say."""
        logits: Tensor = self.pair(with_classes(features, weights))
        return logits.flatten()

    def alone_logits(self, features: Tensor) -> Tensor:
        """Return the logits [N] of being real, whatever the class; in stage II only."""
        assert self.alone is not None
        logits: Tensor = self.alone(features)
        return logits.flatten()

    def best_pair_logits(self, features: Tensor, attributes: Sequence[int]) -> Tensor:
        """Return the logits [N] with the likeliest class of each attribute, all together.

        `attributes` are their numbers of classes; the likeliest class is that whose logit is largest when it stands
        alone.
        """
        each = torch.eye(sum(attributes), device=features.device)
        alone = torch.stack([self.pair_logits(features, row.expand(len(features), -1)) for row in each], 1)
        parts = torch.split(alone, list(attributes), 1)
        best = torch.cat([functional.one_hot(part.argmax(1), part.shape[1]) for part in parts], 1)
        return self.pair_logits(features, best)
