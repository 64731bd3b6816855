"""What a learner is: it learns from batches. A method is a painter that learns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar, cast

import torch
from torch import Tensor, nn

from impasto.clock import Clock
from impasto.data.prompts import AnyPrompt
from impasto.painter import Networked, Painter

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from torch.optim import Optimizer

    from impasto.adversary import Adversary

Batch = TypeVar("Batch")


class Stateful(Protocol):
    """Something that can be saved and restored: tensors, numbers and plain containers of them."""

    def state_dict(self) -> dict[str, Any]:
        """Return what to save."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any:
        """Restore what was saved."""


@dataclass(frozen=True)
class TrainingState:
    """What training needs besides the networks that paint. The engine saves it and never looks inside."""

    optimizers: Mapping[str, Optimizer]
    networks: Mapping[str, nn.Module] = field(default_factory=dict)
    """Networks that only training needs, such as discriminators. They are trained, not averaged."""
    memory: Mapping[str, Stateful] = field(default_factory=dict)
    """Image pools, adaptive augmentations and the like."""


class Learner(Networked, Generic[Batch]):
    """Something that learns from batches: one published algorithm, whole in one file."""

    batch_type: ClassVar[type]
    validates: ClassVar[tuple[str, ...]] = ()
    """Names of the metrics that `validate` returns."""
    notes: tuple[str, ...] = ()
    """What its user should know before training, one sentence each."""
    borrowed: tuple[str, ...] = ()
    """Networks that do not learn here. Their weights come from the run that `training.start_from` names."""
    compiles: ClassVar[bool] = True
    """False where a critic is differentiated twice, which compiled networks cannot be."""
    turns: int = 1
    """Training steps in which each network learns at least once. The last of them logs every scalar there is."""
    fabric: Fabric

    def prepare(self, fabric: Fabric) -> TrainingState:
        """Move the networks to the device of `fabric`, freeze the frozen ones, then make what only training needs."""
        self.fabric = fabric
        self.to(fabric.device)
        for each in self.frozen().values():
            each.network.eval().requires_grad_(requires_grad=False)
        return self.training_state()

    @abstractmethod
    def training_state(self) -> TrainingState:
        """Make the discriminators, optimizers and pools. The networks that paint are on their device already."""

    @abstractmethod
    def training_step(self, batch: Batch, clock: Clock) -> Mapping[str, Tensor]:
        """Learn from one batch; return scalars to log, detached."""

    def validate(self, batches: Iterable[Batch]) -> Mapping[str, float]:  # noqa: ARG002
        """Return metrics of held-out batches by the names in `validates`. The networks are in eval mode."""
        return {}

    def adopted(self, optimizer: Optimizer) -> Optimizer:
        """Return the optimizer as Fabric drives it in this precision and on these devices."""
        return cast("Optimizer", self.fabric.setup_optimizers(optimizer))

    def descend(self, loss: Tensor, optimizer: Optimizer) -> Tensor:
        """Make one update: zero, backward, average the gradients over devices, step; return the gradient's L2 norm.

        Networks stay plain modules, because a wrapped one refuses second derivatives under mixed precision. The
        gradients are therefore averaged here, flattened into one message.
        """
        optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        if self.fabric.world_size > 1:
            self._average(gradients)
        norm = nn.utils.get_total_norm(gradients)
        optimizer.step()
        return norm

    def mean_over_devices(self, value: Tensor) -> Tensor:
        """Return the mean of a scalar over all devices."""
        if self.fabric.world_size == 1:
            return value
        mean = self.fabric.all_reduce(value, reduce_op="mean")
        assert isinstance(mean, Tensor)
        return mean

    def count_over_devices(self, images: Tensor) -> int:
        """Return how many images all devices have where this one has `images`."""
        return len(images) * self.fabric.world_size

    def gathered(self, images: Tensor) -> Tensor:
        """Return the images [N, ...] of all devices in rank order, [N * world_size, ...], without gradient."""
        if self.fabric.world_size == 1:
            return images.detach()
        everywhere = self.fabric.all_gather(images.detach().float().contiguous())  # gloo does not support bfloat16
        assert isinstance(everywhere, Tensor)
        return everywhere.flatten(0, 1).to(images.dtype)

    def own_share(self, images: Tensor) -> Tensor:
        """Return this device's part of what `gathered` returned."""
        if self.fabric.world_size == 1:
            return images
        return images.chunk(self.fabric.world_size)[self.fabric.global_rank]

    def _average(self, gradients: list[Tensor]) -> None:
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        averaged = self.fabric.all_reduce(flat, reduce_op="mean")
        assert isinstance(averaged, Tensor)
        for gradient, part in zip(gradients, torch.split(averaged, [g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))


class Method(Painter[AnyPrompt], Learner[Batch], Generic[Batch, AnyPrompt]):
    """A painter that learns."""


class Adversarial(ABC):
    """A learner with a discriminator or critic that the collapse watch can ask about images."""

    adversary: Adversary
    """Made by `training_state`."""

    @abstractmethod
    def realness(self, images: Tensor) -> Tensor:
        """Return how real images [N, C, H, W] in [-1, 1] look, float32 [N]. Higher is more real, on any scale.

        The discriminator is in eval mode when it is asked, and images are not augmented.
        """


@contextmanager
def weights_frozen(*networks: nn.Module) -> Iterator[None]:
    """Freeze networks while a loss is computed through them, so that their weights get no gradients.

    Weights that were frozen before stay frozen afterwards.
    """
    learning = [weight for network in networks for weight in network.parameters() if weight.requires_grad]
    for weight in learning:
        weight.requires_grad = False
    try:
        yield
    finally:
        for weight in learning:
            weight.requires_grad = True
