"""Learning rates as functions of images seen."""

from __future__ import annotations

from collections.abc import Mapping

from torch.optim import Optimizer

from impasto.clock import Clock
from impasto.recipe import Constant, Halving, Schedule


def learning_rate_factor(schedule: Schedule, images_seen: int, images: int, batch_size: int) -> float:
    """Return the factor on every learning rate for the batch that starts at `images_seen` of `images`.

    Linear decay counts in stairs (epochs, or batches): with n_const stairs held and n_decay falling, stair e has
    1 - max(0, e + 1 - n_const) / (n_decay + 1). The last is above zero, and one more would be zero (spec 03).
    """
    if isinstance(schedule, Constant):
        return 1.0
    if isinstance(schedule, Halving):
        return float(0.5 ** (images_seen // schedule.every_images))
    stair = schedule.stair_images or batch_size
    held = schedule.constant_images / stair
    falling = (images - schedule.constant_images) / stair
    return 1.0 - max(0.0, images_seen // stair + 1 - held) / (falling + 1)


def set_learning_rates(optimizers: Mapping[str, Optimizer], schedule: Schedule, clock: Clock, batch_size: int) -> None:
    """Give every optimizer the learning rate of this moment, as a share of the one it was made with."""
    factor = learning_rate_factor(schedule, clock.images_seen, clock.images, batch_size)
    for optimizer in optimizers.values():
        for group in optimizer.param_groups:
            group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor
