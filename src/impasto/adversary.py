"""What adversarial methods share: a discriminator or critic that learns, and the options of its training.

A method composes these parts; see `methods/cut.py` for one discriminator and `methods/cyclegan.py` for two.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.optim import Adam

from impasto.losses.adversarial import AdversarialLoss, discriminator_accuracy
from impasto.method import Learner, Stateful, TrainingState, weights_frozen
from impasto.networks.augmentation import Augmentation, AugmentOptions
from impasto.networks.image_pool import ImagePool
from impasto.painter import MethodOptions

if TYPE_CHECKING:
    from torch.optim import Optimizer


class AdversarialOptions(MethodOptions):
    """Options of every adversarial method."""

    augment: AugmentOptions = AugmentOptions()
    """Augmentation of what the discriminators see."""
    learning_rate: float = Field(2.0e-4, gt=0, le=1)
    beta1: float = Field(0.5, ge=0, lt=1)
    """Adam's first decay rate."""
    beta2: float = Field(0.999, ge=0, lt=1)
    """Adam's second decay rate."""


def adam(learner: Learner[Any], options: AdversarialOptions, *networks: nn.Module) -> Optimizer:
    """Return one Adam for the weights of all networks, as Fabric drives it."""
    weights = itertools.chain.from_iterable(network.parameters() for network in networks)
    betas = (options.beta1, options.beta2)
    return learner.adopted(Adam(weights, options.learning_rate, betas=betas, fused=True))


class Adversary:
    """A discriminator or critic with its optimizer, augmentation, pool of earlier fakes and kind of loss."""

    def __init__(
        self,
        learner: Learner[Any],
        network: nn.Module,
        options: AdversarialOptions,
        *,
        name: str = "discriminator",
        loss: AdversarialLoss | None = None,
        weight: float = 1.0,
        pool_size: int = 0,
    ) -> None:
        """Move the network to the learner's device and make its Adam.

        `name` begins the names of what is logged and saved. `loss` is needed by `learn` and `loss_on`; `weight` is the
        factor on it while the discriminator learns.
        """
        self.learner, self.name, self.loss, self.weight = learner, name, loss, weight
        self.network = network.to(learner.fabric.device)
        self.optimizer = adam(learner, options, network)
        self.augment = Augmentation(options.augment)
        self.pool = ImagePool(pool_size, name) if pool_size else None

    def __call__(self, images: Tensor) -> Any:
        """Return what the network gives for images [N, C, H, W] after augmentation."""
        return self.network(self.augment(images))

    def learn(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Update the discriminator on real images and on fakes, both [N, C, H, W]; return scalars to log.

        Both go through the network in one pass, which is right for networks without batch norm. Fakes pass the pool.
        """
        assert self.loss is not None
        fake = self._from_pool(fake)
        shown = self.augment(torch.cat([real.to(fake.dtype), fake]))
        of_real, of_fake = torch.split(self.network(shown), len(real))
        loss = self.loss.on_real(of_real) + self.loss.on_fake(of_fake)
        return self.update(self.weight * loss, {"loss": loss}, of_real, of_fake, self.loss.boundary)

    def loss_on(self, fakes: Tensor) -> Tensor:
        """Return the generator's loss: what the frozen discriminator says of augmented fakes [N, C, H, W]."""
        assert self.loss is not None
        with weights_frozen(self.network):
            return self.loss.on_real(self(fakes))

    def update(
        self,
        total: Tensor,
        losses: Mapping[str, Tensor],
        of_real: Tensor,
        of_fake: Tensor,
        boundary: Tensor | float = 0.0,
    ) -> dict[str, Tensor]:
        """Make one update that lowers `total`; return scalars to log: `losses`, accuracy and gradient norm.

        `of_real` and `of_fake` are the scores, of any shape, of as many real images and fakes as this device has.
        Scores above the boundary mean real. An adaptive augmentation learns from those of the real images.
        """
        norm = self.learner.descend(total, self.optimizer)
        self._tell_augmentation((of_real - boundary).detach())
        logged = {
            **losses,
            "accuracy": discriminator_accuracy(of_real, of_fake, boundary),
            "gradient_norm": norm,
        }
        return {**prefixed(self.name, logged), **self.augment.scalars(self.name)}

    def _from_pool(self, fakes: Tensor) -> Tensor:
        """Exchange the fakes of all devices with the pool, so that pools are the same on every device."""
        if self.pool is None:
            return fakes.detach()
        return self.learner.own_share(self.pool.exchange(self.learner.gathered(fakes)))

    def _tell_augmentation(self, verdicts: Tensor) -> None:
        """Let an adaptive augmentation take in the signs of the scores of real images, over all devices."""
        if self.augment.options.kind == "ada":
            sign = verdicts.float().sign().mean()
            self.augment.observe(self.learner.mean_over_devices(sign), self.learner.count_over_devices(verdicts))


def adversarial_state(
    generator: Optimizer, *adversaries: Adversary, networks: Mapping[str, nn.Module] | None = None
) -> TrainingState:
    """Return what an adversarial method saves: the optimizers, discriminators, pools and augmentations by name.

    `networks` are further networks that only training needs.
    """
    memory: dict[str, Stateful] = {}
    for each in adversaries:
        memory[f"{each.name}_augment"] = each.augment
        if each.pool is not None:
            memory[f"{each.name}_pool"] = each.pool
    return TrainingState(
        optimizers={"generator": generator, **{each.name: each.optimizer for each in adversaries}},
        networks={**{each.name: each.network for each in adversaries}, **(networks or {})},
        memory=memory,
    )


def prefixed(name: str, losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return losses to log, detached, each under `name/`."""
    return {f"{name}/{key}": value.detach() for key, value in losses.items()}
