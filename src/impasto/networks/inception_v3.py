"""Inception-v3 with torchvision's blocks, in the parts a classifier needs: body, top, and two layers for classes.

Szegedy et al. 2016, "Rethinking the Inception architecture for computer vision" (arXiv:1512.00567), table 1 and
figure 8. Importing torchvision's models takes two seconds, so only classifiers import this module.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from torch import Tensor, nn
from torchvision.models import inception as published

from impasto.networks.initialise import initialise

PUBLISHED_WIDTH = 32
"""Channels after the first convolution."""
SMALLEST_IMAGE = 75
"""Smallest image, in pixels. For smaller ones nothing is left of the last map."""
SMALLEST_FOR_AUXILIARY = 299
"""Smallest image, in pixels, whose middle map has the 17 x 17 that the auxiliary layers need."""
BODY = (
    *("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "maxpool1", "Conv2d_3b_1x1", "Conv2d_4a_3x3", "maxpool2"),
    *("Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"),
)
TOP = ("Mixed_7a", "Mixed_7b", "Mixed_7c", "avgpool")


class Insight(NamedTuple):
    """The outputs of the network for N images."""

    features: Tensor
    """[N, 2048] at the published width: the last map, pooled."""
    logits: Tensor
    """[N, K]"""
    auxiliary: Tensor | None
    """[N, K], from the middle map; only while training, and if the images are large enough."""


class InceptionV3(nn.Module):
    """The published network, or one with all its channels in proportion to a smaller width."""

    def __init__(self, classes: int, width: int = PUBLISHED_WIDTH, *, auxiliary: bool = True) -> None:
        super().__init__()
        whole = _whole(width, auxiliary=auxiliary)
        self.body = nn.Sequential(OrderedDict((name, getattr(whole, name)) for name in BODY))
        self.top = nn.Sequential(OrderedDict((name, getattr(whole, name)) for name in TOP))
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(_scaled(2048, width), classes)
        self.auxiliary = whole.AuxLogits
        if auxiliary:
            self.auxiliary.fc = nn.Linear(_scaled(768, width), classes)
        initialise(self, std=0.1)  # as torchvision, which cuts the normal distribution at 20 standard deviations

    def forward(self, images: Tensor) -> Insight:
        """Return the outputs for images [N, 3, S, S] in [-1, 1], S at least 75.

        ImageNet's mean and standard deviation do not appear: torchvision takes images normalised by them back to
        [-1, 1] (`transform_input`) before the network, whose weights were learned on this range.
        """
        middle = self.body(images)
        features = self.top(middle).flatten(1)
        wanted = self.training and self.auxiliary is not None
        return Insight(features, self.fc(self.dropout(features)), self.auxiliary(middle) if wanted else None)

    def adopt(self, weights: Mapping[str, Tensor]) -> None:
        """Load the weights of torchvision's Inception3, except those of the layers for classes.

        Raises KeyError where one is missing, RuntimeError where one has another shape.
        """
        own = self.state_dict()
        taken = {name: weights[_published_name(name)] for name in own if not name.startswith(("fc.", "auxiliary.fc."))}
        self.load_state_dict({**own, **taken})

    def heads(self) -> Iterable[nn.Linear]:
        """Yield the layers for classes."""
        yield self.fc
        if self.auxiliary is not None:
            yield self.auxiliary.fc

    def train_heads_only(self) -> None:
        """Freeze all other layers, including the running statistics of batch norm."""
        self.requires_grad_(requires_grad=False)
        self.eval()
        self.training = self.dropout.training = True
        for head in self.heads():
            head.requires_grad_(requires_grad=True)


def _whole(width: int, *, auxiliary: bool) -> Any:
    """Return torchvision's network with its channels scaled."""

    def convolution(inputs: int, outputs: int, **settings: Any) -> nn.Module:
        inputs = inputs if inputs == 3 else _scaled(inputs, width)
        return published.BasicConv2d(inputs, _scaled(outputs, width), **settings)  # type: ignore[no-any-return]

    kinds = ("InceptionA", "InceptionB", "InceptionC", "InceptionD", "InceptionE", "InceptionAux")
    blocks = [convolution, *(partial(getattr(published, kind), conv_block=convolution) for kind in kinds)]
    return published.Inception3(aux_logits=auxiliary, inception_blocks=blocks, init_weights=False)


def _scaled(channels: int, width: int) -> int:
    return channels * width // PUBLISHED_WIDTH


def _published_name(name: str) -> str:
    part, _, rest = name.partition(".")
    return f"AuxLogits.{rest}" if part == "auxiliary" else rest
