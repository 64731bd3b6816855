"""Timing things that train against one another: they take turns in one process, a step each in every round.

A machine that is busy for a while then slows all of them, and the ratio within a round stays what it is.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, Protocol

import torch
from torch import Tensor

from impasto.hardware import keep_large_blocks

Device = Literal["cpu", "cuda"]

WARM_UP = 3
"""Steps before timing: in the first ones malloc still asks the system for pages, a fifth of their time."""
LONG = 10.0
"""Seconds of a step that needs no more warming up than the first, in which losses were compared."""


class Trainee(Protocol):
    """Something that trains."""

    def step(self, images: Tensor, others: Tensor, /) -> tuple[Tensor, Tensor]:
        """Learn once from images and what comes with them; return the generators' and the discriminators' loss."""


class Measurement(NamedTuple):
    """What one variant did."""

    losses: tuple[float, float]  # of the first step
    seconds: list[float]  # of every round

    def differs(self, base: Measurement) -> tuple[float, float]:
        """How far the losses are from those of another, relatively."""
        generators, discriminators = (abs(a / b - 1) for a, b in zip(self.losses, base.losses, strict=True))
        return generators, discriminators

    def gains(self, base: Measurement) -> list[float]:
        """How many times as fast as another this was, in every round."""
        return [a / b for a, b in zip(base.seconds, self.seconds, strict=True)]


def make_equal(device: Device) -> str:
    """Give all that is measured the same malloc and kernels; return what machine this is."""
    keep_large_blocks()
    torch.backends.cudnn.benchmark = True
    where = torch.cuda.get_device_name() if device == "cuda" else f"{torch.get_num_threads()} CPU threads"
    return f"torch {torch.__version__}, {where}"


def first_steps(
    makers: Mapping[str, Callable[[], Trainee]], images: Tensor, others: Tensor
) -> tuple[dict[str, Trainee], dict[str, Measurement]]:
    """Make all variants from the same chance and let each make a step with the same chance, for its losses."""
    variants, measured = {}, {}
    for name, make in makers.items():
        torch.manual_seed(0)
        variants[name] = make()
        torch.manual_seed(1)
        generators, discriminators = variants[name].step(images, others)
        measured[name] = Measurement((float(generators), float(discriminators)), [])
    return variants, measured


def take_turns(
    variants: Mapping[str, Trainee],
    measured: Mapping[str, Measurement],
    images: Tensor,
    others: Tensor,
    device: Device,
    rounds: int,
) -> None:
    """Add the seconds of each round to what was measured, once WARM_UP steps are made, first ones included."""
    warm_up, measured_rounds = WARM_UP, 0
    for number in itertools.count(1):
        seconds = {name: _timed(variant, images, others, device) for name, variant in variants.items()}
        if max(seconds.values()) > LONG:
            warm_up = 1
        if number >= warm_up:
            measured_rounds += 1
            for name, taken in seconds.items():
                measured[name].seconds.append(taken)
        if measured_rounds == rounds:
            return


def _timed(variant: Trainee, images: Tensor, others: Tensor, device: Device) -> float:
    start = now(device)
    variant.step(images, others)
    return now(device) - start


def pictures(device: Device, size: int, count: int, seed: int = 0) -> Tensor:
    """Noise [N, 3, H, W] in [-1, 1]: speed does not depend on what is seen."""
    noise = torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(seed))
    return (2 * noise - 1).to(device)


def now(device: Device) -> float:
    """Seconds, once the device has done what it was told."""
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()
