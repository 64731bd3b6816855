"""4x4 convolutions of stride 2, and their transposes, in fewer multiplications or with fewer detours.

Of a 4x4 kernel at every second pixel, the taps in even and odd rows and columns see different pixels: four kernels of
2x2 taps with a stride of 1, each over a quarter of the pixels, its phase. Phases may be taken for channels of one 2x2
convolution. oneDNN makes an image of few channels twice as fast so; and between many channels `minimal_filtering` has
9/16 of the multiplications, which pays on a CPU in bfloat16 where maps are small.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from impasto.networks import minimal_filtering

SMALL = 8
"""Height and width of the smaller map, pixels; from 16 on, the sums cost what the multiplications save."""
MANY_CHANNELS = 64
"""Of either map; between fewer, likewise."""
FEW_CHANNELS = 4
"""Of an image."""


class HalvingConv(nn.Conv2d):
    """Conv 4x4, stride 2, padding 1: [N, i, 2h, 2w] -> [N, o, h, w]."""

    def __init__(self, channels: int, out_channels: int, *, bias: bool = True) -> None:
        super().__init__(channels, out_channels, 4, 2, 1, bias=bias)

    def forward(self, images: Tensor) -> Tensor:
        """Convolve and halve."""
        if self.bias is None and _filtering_pays(images, self.weight, images.shape[2] // 2):
            return minimal_filtering.halved(images.bfloat16(), self.weight.bfloat16())
        if self.in_channels <= FEW_CHANNELS and images.requires_grad and not self.weight.requires_grad:
            padded = functional.pad(images, (1, 1, 1, 1))
            return functional.conv2d(_phases_to_channels(padded), _phases_to_channels(self.weight), self.bias)
        return super().forward(images)


class DoublingConv(nn.ConvTranspose2d):
    """Transposed conv 4x4, stride 2, padding 1: [N, i, h, w] -> [N, o, 2h, 2w]."""

    def __init__(self, channels: int, out_channels: int, *, bias: bool = True) -> None:
        super().__init__(channels, out_channels, 4, 2, 1, bias=bias)

    def forward(self, images: Tensor) -> Tensor:  # type: ignore[override]  # it always doubles
        """Double and convolve."""
        if self.bias is None and _filtering_pays(images, self.weight, images.shape[2]):
            return minimal_filtering.doubled(images.bfloat16(), self.weight.bfloat16())
        if self.out_channels <= FEW_CHANNELS:
            kernel = _phases_to_channels(self.weight).transpose(0, 1).flip(2, 3)
            bias = None if self.bias is None else self.bias.repeat(4)
            return _channels_to_phases(functional.conv2d(images, kernel, bias, padding=1))[:, :, 1:-1, 1:-1]
        return super().forward(images)


def _filtering_pays(images: Tensor, weight: Tensor, side: int) -> bool:
    """Whether weights may learn here, between maps of this smaller side, on a CPU under bfloat16 autocast."""
    if images.device.type != "cpu" or not torch.is_grad_enabled() or torch.compiler.is_compiling():
        return False
    if not torch.is_autocast_enabled("cpu") or torch.get_autocast_dtype("cpu") != torch.bfloat16:
        return False
    if torch.cpu._is_amx_tile_supported():  # multiplies faster than memory delivers
        return False
    return side % 2 == 0 and side <= SMALL and min(weight.shape[:2]) >= MANY_CHANNELS


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
