"""Inception-v3 as a feature extractor: pooled features and class logits, from weights alone.

Szegedy et al. 2015 (arXiv:1512.00567). Two graphs share its layers and their names: that of 2015, which published FIDs
use, as ported by torch-fidelity, and torchvision's. Nothing is learned here, so each batch normalization is folded into
its convolution, features are channels-last, and a 1x1 convolution comes before an average pool instead of after it:
both are linear, and fewer channels are pooled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Graph = Literal["2015", "torchvision"]
"""2015: average pools leave the border out of the mean, and the last block pools maxima."""

HAS_ONEDNN = bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]
FEATURES = 2048
IMAGE_SIZE = 299
EPSILON = 1e-3
"""Epsilon of the batch normalizations."""

UNPADDED: Mapping[str, int] = {
    "Conv2d_1a_3x3": 2,
    "Conv2d_2a_3x3": 1,
    "Conv2d_4a_3x3": 1,
    "Mixed_6a.branch3x3": 2,
    "Mixed_6a.branch3x3dbl_3": 2,
    "Mixed_7a.branch3x3_2": 2,
    "Mixed_7a.branch7x7x3_4": 2,
}
"""Strides of the convolutions without padding; all others keep height and width."""


class Seen(NamedTuple):
    """The outputs of a network for images."""

    features: Tensor
    """[N, d] float32, averaged over the last map."""
    logits: Tensor
    """[N, K] float32"""


class InceptionFeatures(nn.Module):
    """Inception-v3 without its batch normalizations; it cannot be trained."""

    def __init__(self, weights: Mapping[str, Tensor], graph: Graph, dtype: torch.dtype = torch.float32) -> None:
        """Fold weights, a state dict of torch-fidelity's or torchvision's Inception-v3.

        Raises KeyError for a weight that is missing and ValueError for one of a shape that does not fit.
        """
        super().__init__()
        self.graph, self.dtype = graph, dtype
        names = [name.removesuffix(".conv.weight") for name in weights if name.endswith(".conv.weight")]
        used = [name for name in names if not name.startswith("AuxLogits")]
        self.convolutions = nn.ModuleDict({name.replace(".", "/"): _folded(weights, name, dtype) for name in used})
        self.classes = nn.Linear(FEATURES, len(weights["fc.bias"]))
        self.classes.weight.data, self.classes.bias.data = weights["fc.weight"].float(), weights["fc.bias"].float()
        self.requires_grad_(requires_grad=False)

    def forward(self, images: Tensor) -> Seen:
        """Return the outputs for float images [N, 3, H, W] in [-1, 1] or in their range of training."""
        maps = images.to(self.dtype).contiguous(memory_format=torch.channels_last)
        for name in ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3"):
            maps = self._conv(name, maps)
        maps = F.max_pool2d(maps, 3, 2)
        maps = F.max_pool2d(self._conv("Conv2d_4a_3x3", self._conv("Conv2d_3b_1x1", maps)), 3, 2)
        for name in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
            maps = self._block_a(name, maps)
        maps = self._block_b("Mixed_6a", maps)
        for name in ("Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"):
            maps = self._block_c(name, maps)
        maps = self._block_d("Mixed_7a", maps)
        maps = self._block_e("Mixed_7b", maps)
        maps = self._block_e("Mixed_7c", maps)
        features = maps.float().mean((2, 3))
        return Seen(features, self.classes(features))

    def _conv(self, name: str, maps: Tensor) -> Tensor:
        found: Tensor = self.convolutions[name.replace(".", "/")](maps)
        return found

    def _chain(self, block: str, branches: str, maps: Tensor) -> Tensor:
        for branch in branches.split():
            maps = self._conv(f"{block}.{branch}", maps)
        return maps

    def _pool_branch(self, block: str, maps: Tensor) -> Tensor:
        convolution = self.convolutions[f"{block}/branch_pool"]
        assert isinstance(convolution, _Convolution)
        if self.graph == "2015" and block == "Mixed_7c":
            return self._conv(f"{block}.branch_pool", F.max_pool2d(maps, 3, 1, 1))
        linear = F.conv2d(maps, convolution.weight)
        pooled = F.avg_pool2d(linear, 3, 1, 1, count_include_pad=self.graph != "2015")
        return pooled.add_(convolution.bias[:, None, None]).relu_()

    def _block_a(self, block: str, maps: Tensor) -> Tensor:
        five = self._chain(block, "branch5x5_1 branch5x5_2", maps)
        three = self._chain(block, "branch3x3dbl_1 branch3x3dbl_2 branch3x3dbl_3", maps)
        return torch.cat([self._chain(block, "branch1x1", maps), five, three, self._pool_branch(block, maps)], 1)

    def _block_b(self, block: str, maps: Tensor) -> Tensor:
        three = self._chain(block, "branch3x3", maps)
        double = self._chain(block, "branch3x3dbl_1 branch3x3dbl_2 branch3x3dbl_3", maps)
        return torch.cat([three, double, F.max_pool2d(maps, 3, 2)], 1)

    def _block_c(self, block: str, maps: Tensor) -> Tensor:
        seven = self._chain(block, "branch7x7_1 branch7x7_2 branch7x7_3", maps)
        double = "branch7x7dbl_1 branch7x7dbl_2 branch7x7dbl_3 branch7x7dbl_4 branch7x7dbl_5"
        parts = [self._chain(block, "branch1x1", maps), seven, self._chain(block, double, maps)]
        return torch.cat([*parts, self._pool_branch(block, maps)], 1)

    def _block_d(self, block: str, maps: Tensor) -> Tensor:
        three = self._chain(block, "branch3x3_1 branch3x3_2", maps)
        seven = self._chain(block, "branch7x7x3_1 branch7x7x3_2 branch7x7x3_3 branch7x7x3_4", maps)
        return torch.cat([three, seven, F.max_pool2d(maps, 3, 2)], 1)

    def _block_e(self, block: str, maps: Tensor) -> Tensor:
        three = self._chain(block, "branch3x3_1", maps)
        double = self._chain(block, "branch3x3dbl_1 branch3x3dbl_2", maps)
        parts = [
            self._chain(block, "branch1x1", maps),
            self._chain(block, "branch3x3_2a", three),
            self._chain(block, "branch3x3_2b", three),
            self._chain(block, "branch3x3dbl_3a", double),
            self._chain(block, "branch3x3dbl_3b", double),
        ]
        return torch.cat([*parts, self._pool_branch(block, maps)], 1)


class _Convolution(nn.Module):
    """A convolution with bias, then ReLU; on a CPU by oneDNN in one pass, with its weight laid out beforehand."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor, stride: int, padding: tuple[int, int]) -> None:
        super().__init__()
        self.stride, self.padding = (stride, stride), padding
        self.register_buffer("weight", weight.contiguous(memory_format=torch.channels_last))
        self.register_buffer("bias", bias)
        self._packed: tuple[torch.Size, Tensor] | None = None

    def forward(self, maps: Tensor) -> Tensor:
        if maps.device.type != "cpu" or not HAS_ONEDNN:
            return F.conv2d(maps, self.weight, self.bias, self.stride, self.padding).relu_()
        if self._packed is None or self._packed[0] != maps.shape:
            ordered = torch.ops.mkldnn._reorder_convolution_weight(
                self.weight, self.padding, self.stride, (1, 1), 1, maps.shape
            )
            self._packed = (maps.shape, ordered)
        result: Tensor = torch.ops.mkldnn._convolution_pointwise(
            maps, self._packed[1], self.bias, self.padding, self.stride, (1, 1), 1, "relu", [], ""
        )
        return result


def _folded(weights: Mapping[str, Tensor], name: str, dtype: torch.dtype) -> _Convolution:
    """Fold a batch normalization into its convolution, in float64: y = (w x - mean) * scale + shift."""
    kernel, *normal = (
        weights[f"{name}.{part}"].double()
        for part in ("conv.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var")
    )
    gain, shift, mean, variance = normal
    scale = gain / torch.sqrt(variance + EPSILON)
    height, width = kernel.shape[2:]
    padding = (0, 0) if name in UNPADDED else (height // 2, width // 2)
    folded = (kernel * scale[:, None, None, None]).to(dtype)
    return _Convolution(folded, (shift - mean * scale).to(dtype), UNPADDED.get(name, 1), padding)


def resize_as_tensorflow(images: Tensor, size: int = IMAGE_SIZE) -> Tensor:
    """Resize float images [N, C, H, W] to [N, C, size, size], bilinearly as the graph of 2015 does by itself.

    TensorFlow 1 reads pixel i of the result at i * H / size, without the half-pixel shift of later libraries and
    without antialiasing. Repeating the last row and column and aligning the corners of H + 1 and size + 1 pixels does
    the same in PyTorch.
    """
    if images.shape[2:] == (size, size):
        return images
    framed = torch.cat([images, images[:, :, -1:]], dim=2)  # as F.pad does, which forgets channels_last
    framed = torch.cat([framed, framed[:, :, :, -1:]], dim=3)
    return F.interpolate(framed, (size + 1, size + 1), mode="bilinear", align_corners=True)[:, :, :size, :size]
