"""Learning rates as functions of images seen."""

from __future__ import annotations

from collections.abc import Mapping

from torch.optim import Optimizer

from impasto.clock import Clock
from impasto.recipe import Constant, Halving, Schedule


def learning_rate_factor(schedule: Schedule, images_seen: int, images: int, batch_size: int) -> float:
    """Return the factor on every learning rate for the batch that starts at `images_seen` of `images`.

    Linear decay changes once per stair: an epoch or a batch. With n_const constant and n_decay decaying stairs, the
    factor of stair e is 1 - max(0, e + 1 - n_const) / (n_decay + 1). The last stair is above zero; the next would be
    zero (Zhu et al. 2017, arXiv:1703.10593, the authors' code; docs/methods/unpaired-translation.md).
    """
    if isinstance(schedule, Constant):
        return 1.0
    if isinstance(schedule, Halving):
        return float(0.5 ** (images_seen // schedule.every_images))
    stair = schedule.stair_images or batch_size
    constant = schedule.constant_images / stair
    decaying = (images - schedule.constant_images) / stair
    return 1.0 - max(0.0, images_seen // stair + 1 - constant) / (decaying + 1)


def set_learning_rates(optimizers: Mapping[str, Optimizer], schedule: Schedule, clock: Clock, batch_size: int) -> None:
    """Set the current learning rate of every optimizer: its initial learning rate times the schedule's factor."""
    factor = learning_rate_factor(schedule, clock.images_seen, clock.images, batch_size)
    for optimizer in optimizers.values():
        for group in optimizer.param_groups:
            group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor
