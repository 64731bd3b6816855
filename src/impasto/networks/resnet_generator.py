"""The residual generator of CycleGAN.

Johnson et al. 2016 (arXiv:1603.08155) in the form of Zhu et al. 2017 (arXiv:1703.10593), section 7.2: instance norm,
reflected borders, 9 blocks for pictures of 256 pixels, 6 for 128.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from impasto.networks.convolutions import conv3x3, conv7x7_to_few
from impasto.networks.instance_norm import instance_norm
from impasto.networks.resizing_convolutions import DoubleThenConv
from impasto.networks.underpainting import Underpainting

Upsampling = Literal["transposed", "resized"]
"""How the generator doubles: by transposed convolutions, as published, or by resized pixels and a convolution, which
leave no checkerboard (Odena et al. 2016, doi:10.23915/distill.00003)."""


class ResNetGenerator(nn.Module):
    """Halves pictures twice, changes them in residual blocks and doubles them twice.

    Not published: with `underpainting`, a radius in pixels, it paints on a version of the picture in dabs of colour,
    which `noise` of this deviation breaks up. Instance norm hides from all layers how bright or how even a picture is.
    Without the underpainting, a generator paints dark crops like bright ones, and traces of JPEG in a flat sky as
    strongly as a forest.
    """

    step = 4
    """Pixels of a picture for each innermost feature, along each axis."""

    def __init__(
        self,
        channels: int = 3,
        width: int = 64,
        blocks: int = 9,
        *,
        upsampling: Upsampling = "transposed",
        underpainting: int = 0,
        noise: float = 0,
    ) -> None:
        super().__init__()
        self.underpaint = Underpainting(underpainting, noise) if underpainting else nn.Identity()
        self.stem = nn.Conv2d(channels, width, 7)
        self.down = nn.ModuleList(
            [
                nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
                nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1),
            ]
        )
        self.blocks = nn.Sequential(*(ResidualBlock(4 * width) for _ in range(blocks)))
        doubling = DoubleThenConv if upsampling == "resized" else _transposed
        self.up = nn.ModuleList([doubling(4 * width, 2 * width), doubling(2 * width, width)])
        self.head = nn.Conv2d(width, channels, 7)

    def forward(self, pictures: Tensor) -> Tensor:
        """Translate pictures [N, channels, H, W] in [-1, 1]; the result has their shape, range and memory format.

        Height and width are multiples of 4. Without an underpainting, others are rounded up to one.
        """
        return self.decode(self.encode(self.underpaint(pictures)))

    def encode(self, pictures: Tensor) -> list[Tensor]:
        """Return the features of underpainted pictures at the depths of Park et al. 2020 (arXiv:2007.15651).

        They are the pixels; the outputs of the halving convolutions before normalization, [N, 2 width, H/2, W/2] and
        [N, 4 width, H/4, W/4]; and those of the first and the middle residual block, [N, 4 width, H/4, W/4]. The middle
        one is number B // 2 + 1 of B. A single block is both and appears once.
        """
        depths = [pictures]
        features = instance_norm(self.stem(reflect(pictures, 3)), activation="relu")
        for convolution in self.down:
            depths.append(convolution(features))
            features = instance_norm(depths[-1], activation="relu")
        for number, block in enumerate(self.blocks[: self.middle], 1):
            features = block(features)
            if number in (1, self.middle):
                depths.append(features)
        return depths

    def decode(self, depths: Sequence[Tensor]) -> Tensor:
        """Return the translation [N, channels, H, W] of pictures from the features that `encode` returned."""
        pictures, features = depths[0], depths[-1]
        features = self.blocks[self.middle :](features)  # [N, 4 width, H/4, W/4]
        for convolution in self.up:
            features = instance_norm(convolution(features), activation="relu")
        painted = conv7x7_to_few(reflect(features, 3), self.head.weight, self.head.bias)
        if isinstance(self.underpaint, Underpainting):
            painted = _cut(painted.float(), *pictures.shape[-2:]) + pictures.float().clamp(-0.98, 0.98).atanh()
        return painted.tanh()

    @property
    def reach(self) -> int:
        """How far a pixel influences the translation, in pixels, apart from the statistics of norms.

        3 by the stem, 1 and 2 by the halving convolutions, 8 by a block, 4 and 2 by the doubling ones, 3 by the head,
        and the radius of an underpainting.
        """
        before = self.underpaint.radius if isinstance(self.underpaint, Underpainting) else 0
        return before + 15 + 8 * len(self.blocks)

    @property
    def middle(self) -> int:
        """Number of residual blocks that encode. The others decode."""
        return len(self.blocks) // 2 + 1

    @property
    def depth_widths(self) -> list[int]:
        """Channels of the features that `encode` returns."""
        width = self.stem.out_channels
        return [self.stem.in_channels, 2 * width] + [4 * width] * (1 + len({1, self.middle}))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions whose result is added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3)
        self.second = nn.Conv2d(channels, channels, 3)

    def forward(self, features: Tensor) -> Tensor:
        """Return changed features [N, C, H, W]."""
        hidden = conv3x3(reflect(features, 1), self.first.weight, self.first.bias)
        hidden = instance_norm(hidden, activation="relu")
        hidden = conv3x3(reflect(hidden, 1), self.second.weight, self.second.bias)
        return features + instance_norm(hidden)


def translate(network: nn.Module, images: Tensor) -> Tensor:
    """Pass images [N, C, H, W] of any size through a network that halves them twice; the size stays the same.

    The border is repeated until the height and width are multiples of 4 and at least 16, then cut off again.
    """
    height, width = images.shape[-2:]
    below, right = max(16 - height, -height % 4), max(16 - width, -width % 4)
    if torch.compiler.is_compiling() or below or right:  # a compiled program for all sizes has no branch
        images = functional.pad(images, (0, right, 0, below), mode="replicate")
    return _cut(network(images).float(), height, width)


def _cut(images: Tensor, height: int, width: int) -> Tensor:
    """Return the upper left part of images [N, C, H, W]."""
    if not torch.compiler.is_compiling():
        return images[..., :height, :width]
    rows, columns = (torch.arange(side, device=images.device) for side in (height, width))
    return images.index_select(-2, rows).index_select(-1, columns)  # not a view, whose strides would depend on the size


def _transposed(channels: int, out_channels: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(channels, out_channels, 3, stride=2, padding=1, output_padding=1)


def reflect(features: Tensor, pixels: int) -> Tensor:
    """Pad features by this many pixels on every side, mirrored at the border."""
    with torch.autocast(features.device.type, enabled=False):  # autocast would pad in float32, slowly
        return functional.pad(features, (pixels,) * 4, mode="reflect")
