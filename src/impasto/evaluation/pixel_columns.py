"""Columns that need no network: the colours of each image, and its similarity to its photo or target."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from impasto.data.pictures import read_picture
from impasto.data.transforms import to_pixels
from impasto.errors import EvaluationError
from impasto.evaluation.colour import central_tendency
from impasto.evaluation.extraction import Column
from impasto.evaluation.images import Pictures, Seen
from impasto.evaluation.similarity import ssim


class Colours(Column):
    """For each image: mean and variance of red, green and blue, mean norm, saturation (see `Tendency`)."""

    identity = "colours"
    width = 8

    def prepare(self, seen: Seen) -> Tensor:
        """See Column."""
        found = central_tendency(_pixels(seen.image))
        return torch.tensor([*found.mean, *found.variance, found.mean_norm, found.saturation])

    def values(self, prepared: Sequence[Tensor]) -> Tensor:
        """See Column."""
        return torch.stack(list(prepared)).float()


class LikenessToPhoto(Column):
    """For each painting: its structural similarity (SSIM) to the photo it was painted from."""

    identity = "ssim-to-photo"
    width = 1

    def prepare(self, seen: Seen) -> Tensor:
        """See Column."""
        assert seen.photo is not None
        return torch.tensor([ssim(_pixels(seen.image), _pixels(seen.photo))])

    def values(self, prepared: Sequence[Tensor]) -> Tensor:
        """See Column."""
        return torch.stack(list(prepared)).float()


class LikenessToTarget(Column):
    """For each image: its structural similarity (SSIM) to the target of the same name in another set."""

    width = 1

    def __init__(self, targets: Pictures) -> None:
        self.targets = targets
        self.identity = f"ssim-to-{targets.digest}"
        self._places = {_without_suffix(name): place for place, name in enumerate(targets.names)}
        self._by_stem: dict[str, list[int]] = {}
        for place, name in enumerate(targets.names):
            self._by_stem.setdefault(_stem(name), []).append(place)

    def prepare(self, seen: Seen) -> Tensor:
        """See Column. Raises EvaluationError if there is no target, or if it has another size."""
        target = to_pixels(read_picture(self.targets.items[self._place(seen.name)].picture))
        if target.shape != seen.image.shape:
            sizes = [f"{image.shape[2]} x {image.shape[1]}" for image in (seen.image, target)]
            raise EvaluationError(f"{seen.name} is {sizes[0]} and its target {sizes[1]} pixels; use one size for both")
        return torch.tensor([ssim(_pixels(seen.image), _pixels(target))])

    def values(self, prepared: Sequence[Tensor]) -> Tensor:
        """See Column."""
        return torch.stack(list(prepared)).float()

    def _place(self, name: str) -> int:
        """Return the place of the target: the one with the same path, else the only one with the same name."""
        place = self._places.get(_without_suffix(name))
        if place is not None:
            return place
        found = self._by_stem.get(_stem(name), [])
        if len(found) == 1:
            return found[0]
        have = f"has {len(found)} pictures" if found else "has no picture"
        raise EvaluationError(
            f"{self.targets.name} {have} called {_stem(name)}, so ssim cannot find the target of {name}; "
            "use the same names and folders in both, or leave ssim out"
        )


def _without_suffix(name: str) -> str:
    return name.rsplit(".", 1)[0]


def _pixels(image: Tensor) -> NDArray[np.uint8]:
    """Return an image uint8 [3, H, W] as [H, W, 3]."""
    return image.permute(1, 2, 0).numpy()


def _stem(name: str) -> str:
    return _without_suffix(name.rsplit("/", 1)[-1])
