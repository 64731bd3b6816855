"""The residual generator that CycleGAN translates pictures with.

Johnson et al. 2016 (arXiv:1603.08155) in the form of Zhu et al. 2017 (arXiv:1703.10593), section 7.2: instance norm,
reflected borders, 9 blocks for pictures of 256 pixels, 6 for 128.
"""

from torch import Tensor, nn
from torch.nn import functional

from impasto.networks.instance_norm import instance_norm
from impasto.networks.winograd import conv3x3


class ResNetGenerator(nn.Module):
    """Pictures [N, channels, H, W] in [-1, 1] to pictures of the same shape, range and memory format.

    Height and width are multiples of 4; others come back rounded up to one.
    """

    def __init__(self, channels: int = 3, width: int = 64, blocks: int = 9) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, width, 7)
        self.down = nn.ModuleList(
            [
                nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
                nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1),
            ]
        )
        self.blocks = nn.Sequential(*(ResidualBlock(4 * width) for _ in range(blocks)))
        self.up = nn.ModuleList(
            [
                nn.ConvTranspose2d(4 * width, 2 * width, 3, stride=2, padding=1, output_padding=1),
                nn.ConvTranspose2d(2 * width, width, 3, stride=2, padding=1, output_padding=1),
            ]
        )
        self.head = nn.Conv2d(width, channels, 7)

    def forward(self, pictures: Tensor) -> Tensor:
        features = instance_norm(self.stem(reflect(pictures, 3)), activation="relu")
        for convolution in self.down:
            features = instance_norm(convolution(features), activation="relu")
        features = self.blocks(features)  # [N, 4 width, H/4, W/4]
        for convolution in self.up:
            features = instance_norm(convolution(features), activation="relu")
        result: Tensor = self.head(reflect(features, 3))
        return result.tanh()


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions whose result is added to the features [N, C, H, W]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3)
        self.second = nn.Conv2d(channels, channels, 3)

    def forward(self, features: Tensor) -> Tensor:
        hidden = conv3x3(reflect(features, 1), self.first.weight, self.first.bias)
        hidden = instance_norm(hidden, activation="relu")
        hidden = conv3x3(reflect(hidden, 1), self.second.weight, self.second.bias)
        return features + instance_norm(hidden)


def reflect(features: Tensor, pixels: int) -> Tensor:
    """Grow features by so many pixels on every side, mirrored at the border."""
    return functional.pad(features, (pixels,) * 4, mode="reflect")
