"""A pool of earlier fakes that discriminators learn from. It damps oscillation.

Shrivastava et al. 2017 (arXiv:1612.07828), section 2.3; size 50 and probability 1/2 as Zhu et al. 2017, section 4.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from impasto.chance import generator


class ImagePool:
    """Until full, stores and returns each new image. Then, half the time, returns a stored one and keeps the new one.

    With size 0 it returns its input. It has its own random numbers, which are saved with its images: a resumed run goes
    on exactly, and pools on several devices that get the same images stay equal.
    """

    def __init__(self, size: int, name: str) -> None:
        """`name` gives two pools of one run different random numbers."""
        self.size = size
        self.images: list[Tensor] = []
        self.generator = generator(torch.initial_seed(), name)

    def exchange(self, images: Tensor) -> Tensor:
        """Return as many images [N, ...] as given, some of them from the past, detached."""
        if self.size == 0:
            return images.detach()
        return torch.stack([self._exchange_one(image) for image in images.detach()])

    def _exchange_one(self, image: Tensor) -> Tensor:
        if len(self.images) < self.size:
            self.images.append(image.clone())
            return image
        if torch.rand((), generator=self.generator) < 0.5:
            place = int(torch.randint(self.size, (), generator=self.generator))
            stored = self.images[place].to(image.device)  # a resumed run loads them to the CPU
            self.images[place] = image.clone()
            return stored
        return image

    def state_dict(self) -> dict[str, Any]:
        """Return the images and the state of the random numbers."""
        return {"images": list(self.images), "generator": self.generator.get_state()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.images = list(state_dict["images"])
        self.generator.set_state(state_dict["generator"])
