"""Timing of training variants that alternate in one process, one step each per round.

A temporarily busy machine slows all variants, so their ratio within a round stays about the same.
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
"""Steps before timing. In the first steps, requests of memory from the system take a fifth of the time."""
LONG = 10.0
"""A step of at least this many seconds needs no more warm-up than the first step."""


class Trainee(Protocol):
    """A variant that trains."""

    def step(self, images: Tensor, others: Tensor, /) -> tuple[Tensor, Tensor]:
        """Make one training step on images and their labels; return the generators' and the discriminators' loss."""


class Measurement(NamedTuple):
    """The results of one variant."""

    losses: tuple[float, float]  # of the first step
    seconds: list[float]  # of every round

    def differs(self, base: Measurement) -> tuple[float, float]:
        """Relative difference of the losses from those of another."""
        generators, discriminators = (abs(a / b - 1) for a, b in zip(self.losses, base.losses, strict=True))
        return generators, discriminators

    def gains(self, base: Measurement) -> list[float]:
        """Speed relative to another variant, for each round."""
        return [a / b for a, b in zip(base.seconds, self.seconds, strict=True)]


def make_equal(device: Device) -> str:
    """Set the same malloc and kernels for all variants; return a description of the machine."""
    keep_large_blocks()
    torch.backends.cudnn.benchmark = True
    where = torch.cuda.get_device_name() if device == "cuda" else f"{torch.get_num_threads()} CPU threads"
    return f"torch {torch.__version__}, {where}"


def first_steps(
    makers: Mapping[str, Callable[[], Trainee]], images: Tensor, others: Tensor
) -> tuple[dict[str, Trainee], dict[str, Measurement]]:
    """Make all variants with the same random seed. Run one step of each with the same seed, for its losses."""
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
    """Add the seconds of each round to the results, after WARM_UP steps, including the first step."""
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
    """Noise [N, 3, H, W] in [-1, 1]. Speed does not depend on the content of pictures."""
    noise = torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(seed))
    return (2 * noise - 1).to(device)


def now(device: Device) -> float:
    """Return the time in seconds after the device has finished its work."""
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()
