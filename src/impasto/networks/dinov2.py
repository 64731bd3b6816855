"""DINOv2's vision transformer as a feature extractor, from weights alone: the class token describes a whole image.

Oquab et al. 2023 (arXiv:2304.07193); the layers' names are those of the authors' weights (facebookresearch/dinov2).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

PATCH = 14
"""Pixels along the side of a patch."""
HEAD_WIDTH = 64
POSITION_OFFSET = 0.1
"""The authors add it to the number of patches before taking the ratio, so that rounding loses no patch."""
EPSILON = 1e-6
"""Of the layer normalizations."""


class DINOv2(nn.Module):
    """ViT-S, B or L with patches of 14 pixels; its size is read off the weights. It cannot be trained."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        """Load a state dict; raise KeyError for a missing weight."""
        super().__init__()
        self.width = weights["cls_token"].shape[-1]
        self.depth = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("blocks."))
        kept = [name for name in weights if name.startswith(("blocks.", "patch_embed.", "norm.", "cls_token", "pos_"))]
        for name in kept:
            self.register_buffer(name.replace(".", "/"), weights[name].float())
        for name in ("patch_embed.proj.weight", "norm.bias", f"blocks.{self.depth - 1}.ls2.gamma", "pos_embed"):
            self._weight(name)

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of normalized images [N, 3, H, W], H and W multiples of 14: [N, width]."""
        patches = F.conv2d(
            images, self._weight("patch_embed.proj.weight"), self._weight("patch_embed.proj.bias"), PATCH
        )
        tokens = patches.flatten(2).transpose(1, 2)
        tokens = torch.cat([self._weight("cls_token").expand(len(images), -1, -1), tokens], 1)
        tokens = tokens + self._positions(*patches.shape[2:])
        for number in range(self.depth):
            tokens = self._block(f"blocks.{number}", tokens)
        return self._normalized("norm", tokens[:, 0])

    def _weight(self, name: str) -> Tensor:
        try:
            return self.get_buffer(name.replace(".", "/"))
        except AttributeError:
            raise KeyError(name) from None

    def _positions(self, down: int, across: int) -> Tensor:
        """Resize the learned positions to the patches of these images."""
        learned = self._weight("pos_embed")
        side = round((learned.shape[1] - 1) ** 0.5)
        if (down, across) == (side, side):
            return learned
        grid = learned[:, 1:].view(1, side, side, self.width).permute(0, 3, 1, 2)
        scale = ((down + POSITION_OFFSET) / side, (across + POSITION_OFFSET) / side)
        resized = F.interpolate(grid, scale_factor=scale, mode="bicubic")
        return torch.cat([learned[:, :1], resized.flatten(2).transpose(1, 2)], 1)

    def _block(self, block: str, tokens: Tensor) -> Tensor:
        attended = self._attention(f"{block}.attn", self._normalized(f"{block}.norm1", tokens))
        tokens = tokens + attended * self._weight(f"{block}.ls1.gamma")
        hidden = F.gelu(self._linear(f"{block}.mlp.fc1", self._normalized(f"{block}.norm2", tokens)))
        return tokens + self._linear(f"{block}.mlp.fc2", hidden) * self._weight(f"{block}.ls2.gamma")

    def _attention(self, name: str, tokens: Tensor) -> Tensor:
        count, length, _ = tokens.shape
        heads = self.width // HEAD_WIDTH
        asked = self._linear(f"{name}.qkv", tokens).view(count, length, 3, heads, HEAD_WIDTH).permute(2, 0, 3, 1, 4)
        query, key, value = asked.unbind(0)
        found = F.scaled_dot_product_attention(query, key, value)
        return self._linear(f"{name}.proj", found.transpose(1, 2).reshape(count, length, self.width))

    def _linear(self, name: str, tokens: Tensor) -> Tensor:
        return F.linear(tokens, self._weight(f"{name}.weight"), self._weight(f"{name}.bias"))

    def _normalized(self, name: str, tokens: Tensor) -> Tensor:
        return F.layer_norm(
            tokens, (self.width,), self._weight(f"{name}.weight"), self._weight(f"{name}.bias"), EPSILON
        )
