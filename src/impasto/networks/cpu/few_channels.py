"""Convolutions from and to images of few channels. The CPU computes 16 output channels even where there are three.

Of a 4x4 kernel with stride 2, the taps in even and odd rows and columns see different pixels: four kernels of 2x2 taps
with stride 1, each over a quarter of the pixels, its phase. The phases are channels of one 2x2 convolution, which
oneDNN computes two to three times as fast.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def halve(images: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Convolve with stride 2 and padding 1: images [N, i, 2h, 2w], weight [o, i, 4, 4] to [N, o, h, w]."""
    padded = functional.pad(images, (1, 1, 1, 1))
    return functional.conv2d(_phases_to_channels(padded), _phases_to_channels(weight), bias)


def double(images: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Do the transpose: images [N, i, h, w], weight [i, o, 4, 4] to [N, o, 2h, 2w]."""
    kernel = _phases_to_channels(weight).transpose(0, 1).flip(2, 3)
    bias = None if bias is None else bias.repeat(4)
    return _channels_to_phases(functional.conv2d(images, kernel, bias, padding=1))[:, :, 1:-1, 1:-1]


def conv7x7(features: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Convolve without padding: features [N, C, H, W], weight [O, C, 7, 7] to [N, O, H - 6, W - 6].

    The seven columns of the filter become channels of a 7x1 convolution, which a 1x7 convolution shifts into place and
    adds: the same sum in a third of the time.
    """
    few, many = weight.shape[:2]
    columns = weight.permute(3, 0, 1, 2).reshape(7 * few, many, 7, 1)
    shifts = torch.eye(7 * few, dtype=weight.dtype).view(7, few, 7 * few, 1).permute(1, 2, 3, 0)  # [O, 7 O, 1, 7]
    return functional.conv2d(functional.conv2d(features, columns), shifts, bias)


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
