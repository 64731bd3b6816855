"""4x4 convolutions of stride 2, and their transposes, by the fastest way there is on a CPU.

Of a 4x4 kernel at every second pixel, the taps in even and odd rows and columns see different pixels: four kernels of
2x2 taps with a stride of 1, each over a quarter of the pixels, its phase. Phases may be taken for channels of one 2x2
convolution. oneDNN makes an image of few channels, or the gradient of one, two to three times as fast so; and between
many channels `minimal_filtering` has 9/16 of the multiplications, which pays in bfloat16 where maps are small.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from impasto.networks import minimal_filtering

SMALL = 16
"""Height and width of the larger map, at most, pixels; beyond, the sums cost what the multiplications save."""
MANY_CHANNELS = 64
"""Channels of either map, at least; with fewer, likewise."""
FEW_CHANNELS = 4
"""Channels of an image, at most."""


class HalvingConv(nn.Conv2d):
    """Conv 4x4, stride 2, padding 1: [N, i, 2h, 2w] -> [N, o, h, w]."""

    def __init__(self, channels: int, out_channels: int, *, bias: bool = True) -> None:
        super().__init__(channels, out_channels, 4, 2, 1, bias=bias)

    def forward(self, images: Tensor) -> Tensor:
        """Convolve and halve."""
        height, width = images.shape[2:]
        if self.bias is None and _filtering_pays(images, self.weight, height, width):
            return minimal_filtering.halved(images.bfloat16(), self.weight.bfloat16())
        learns = images.requires_grad and not self.weight.requires_grad  # the other two gradients are fast as they are
        if learns and self.in_channels <= FEW_CHANNELS and _phases_pay(images, height, width):
            padded = functional.pad(images, (1, 1, 1, 1))
            return functional.conv2d(_phases_to_channels(padded), _phases_to_channels(self.weight), self.bias)
        return super().forward(images)


class DoublingConv(nn.ConvTranspose2d):
    """Transposed conv 4x4, stride 2, padding 1: [N, i, h, w] -> [N, o, 2h, 2w]."""

    def __init__(self, channels: int, out_channels: int, *, bias: bool = True) -> None:
        super().__init__(channels, out_channels, 4, 2, 1, bias=bias)

    def forward(self, images: Tensor) -> Tensor:  # type: ignore[override]  # it always doubles
        """Double and convolve."""
        height, width = 2 * images.shape[2], 2 * images.shape[3]
        if self.bias is None and _filtering_pays(images, self.weight, height, width):
            return minimal_filtering.doubled(images.bfloat16(), self.weight.bfloat16())
        if self.out_channels <= FEW_CHANNELS and _phases_pay(images, height, width):
            kernel = _phases_to_channels(self.weight).transpose(0, 1).flip(2, 3)
            bias = None if self.bias is None else self.bias.repeat(4)
            return _channels_to_phases(functional.conv2d(images, kernel, bias, padding=1))[:, :, 1:-1, 1:-1]
        return super().forward(images)


def _filtering_pays(images: Tensor, weight: Tensor, height: int, width: int) -> bool:
    """Whether minimal filtering is possible and faster: in bfloat16 on a CPU, learning, where maps are small.

    Height and width are the larger map's.
    """
    if not _in_eager_cpu_code(images) or not torch.is_grad_enabled():
        return False
    if not torch.is_autocast_enabled("cpu") or torch.get_autocast_dtype("cpu") != torch.bfloat16:
        return False
    if torch.cpu._is_amx_tile_supported():  # multiplies faster than memory delivers
        return False
    return height % 4 == width % 4 == 0 and max(height, width) <= SMALL and min(weight.shape[:2]) >= MANY_CHANNELS


def _phases_pay(images: Tensor, height: int, width: int) -> bool:
    """Whether phases as channels are possible and faster; height and width are the larger map's."""
    return _in_eager_cpu_code(images) and height % 2 == width % 2 == 0


def _in_eager_cpu_code(images: Tensor) -> bool:
    """Neither on a GPU nor on the way into a compiled or exported program, which has ways of its own."""
    return images.device.type == "cpu" and not torch.compiler.is_compiling()


def _phases_to_channels(images: Tensor) -> Tensor:
    """[N, C, 2h, 2w] -> [N, 4 C, h, w], channels last: pixels of even and odd rows and columns, a quarter each."""
    batch, channels, height, width = images.shape
    pairs = images.permute(0, 2, 3, 1).reshape(batch, height // 2, 2, width // 2, 2, channels)
    return pairs.transpose(2, 3).flatten(3).permute(0, 3, 1, 2)


def _channels_to_phases(phases: Tensor) -> Tensor:
    """[N, 4 C, h, w] -> [N, C, 2h, 2w], channels last."""
    batch, channels, height, width = phases.shape
    pairs = phases.permute(0, 2, 3, 1).reshape(batch, height, width, 2, 2, channels // 4)
    return pairs.transpose(2, 3).reshape(batch, 2 * height, 2 * width, channels // 4).permute(0, 3, 1, 2)
