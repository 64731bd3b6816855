"""A running average of the painting networks' weights. It paints better than the weights of any single step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

RAMP = 0.05
"""Upper limit of the half-life, as a share of the images seen so far. It removes the untrained weights from the average
early (Karras et al. 2022, arXiv:2206.00364, the authors' code)."""


class Average:
    """An exponential average with a half-life in images. Without a half-life it is the weights themselves."""

    def __init__(self, networks: Mapping[str, nn.Module], halflife_images: int | None) -> None:
        self.halflife_images = halflife_images
        self._live = {
            f"{name}.{key}": tensor
            for name, network in networks.items()
            for key, tensor in network.state_dict().items()
        }
        self._averaged = (
            {name: tensor.clone() for name, tensor in self._live.items()} if halflife_images else self._live
        )

    def update(self, images: int, images_seen: int) -> None:
        """Add the weights after a batch of `images`. `images_seen` counts all images so far."""
        if self.halflife_images is None:
            return
        decay = 0.5 ** (images / min(self.halflife_images, max(images_seen * RAMP, 1e-8)))
        for name, live in self._live.items():
            averaged = self._averaged[name]
            if averaged.is_floating_point():
                averaged.lerp_(live, 1.0 - decay)
            else:
                averaged.copy_(live)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Give the networks the averaged weights inside the context; restore their own weights afterwards."""
        if self.halflife_images is None:
            yield
            return
        kept = {name: live.clone() for name, live in self._live.items()}
        self._copy(self._averaged)
        try:
            yield
        finally:
            self._copy(kept)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the averaged weights, named `network.parameter`."""
        return dict(self._averaged)

    def load_state_dict(self, state_dict: Mapping[str, Tensor]) -> None:
        """Restore averaged weights."""
        for name, tensor in state_dict.items():
            self._averaged[name].copy_(tensor)

    @torch.no_grad()
    def _copy(self, source: Mapping[str, Tensor]) -> None:
        for name, live in self._live.items():
            live.copy_(source[name])
