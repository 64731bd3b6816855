"""Conditional WGAN-GP: paints a chosen class from noise, with a residual critic that has to tell it.

Seed 001 (Gilles & Perrin), III-B, after Gulrajani et al. 2017 (arXiv:1704.00028), Algorithm 1, with the corrected
losses of spec 01 (A4): the critic lowers its score of fakes less that of reals plus the penalty, and learns the classes
of real images.

Departures: a step of training is one of the critic's, on images of its own; the generator learns at every fifth. The
penalty has a pass through the critic of its own, because only there is it differentiated twice. A critic's scores have
no zero: adaptive augmentation and the accuracy compare them with the middle between the means of real and fake ones. On
several devices each normalises its own share of a batch, takes the mean of the label losses over it and finds that
middle in it; the first one's running statistics are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.optim import Adam

from impasto.clock import Clock
from impasto.data.batches import ImageSpec, LabelledImages, Labels
from impasto.losses.adversarial import gradient_penalty, share_judged_right
from impasto.losses.labels import label_accuracy, label_loss, one_hot
from impasto.method import Adversarial, LatentPainter, Method, MethodOptions, TrainingState, require_gradients
from impasto.networks.augmentation import Augmentation, AugmentOptions
from impasto.networks.growth import growth
from impasto.networks.residual import ResidualCritic, ResidualGenerator, initialise_residual

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class CWGANGPOptions(MethodOptions):
    """The seed's settings are the defaults."""

    name: Literal["cwgan-gp"] = "cwgan-gp"
    latent_size: int = Field(128, ge=1, le=4096)
    width: int = Field(64, ge=4, le=512)
    """Channels of the generator's last map from 64 pixels on; below, all maps have twice as many."""
    critic_width: int = Field(64, ge=4, le=512)
    """Channels after the critic's first convolution from 64 pixels on; below, all maps have twice as many."""
    critic_steps: int = Field(5, ge=1, le=100)
    """Updates of the critic for each of the generator."""
    penalty_weight: float = Field(10.0, ge=0)
    """lambda in Algorithm 1."""
    critic_label_weight: float = Field(1.0, ge=0)
    """Factor on the critic's class loss."""
    generator_label_weight: float = Field(1.0, ge=0)
    """Factor on the generator's class loss; published code of others has 0.1 (spec 01, A5)."""
    label_loss_on: Literal["both", "real"] = "real"
    """The images whose classes the critic learns to tell."""
    augment: AugmentOptions = AugmentOptions()
    learning_rate: float = Field(2.0e-4, gt=0, le=1)
    beta1: float = Field(0.0, ge=0, lt=1)
    """Adam's first decay rate."""
    beta2: float = Field(0.9, ge=0, lt=1)
    """Adam's second decay rate."""


class CWGANGP(LatentPainter, Method[LabelledImages, Labels], Adversarial):
    """A residual generator that is told the class, and a critic that scores images and tells their classes."""

    Options = CWGANGPOptions
    batch_type = LabelledImages
    compiles = False

    def __init__(self, options: CWGANGPOptions, spec: ImageSpec) -> None:
        self.options, self.spec, self.latent_size = options, spec, options.latent_size
        self.turns = options.critic_steps
        way, classes = growth(spec.size, options.name), len(spec.classes)
        self.generator = ResidualGenerator(options.latent_size, classes, spec.channels, way, options.width)
        self.critic = ResidualCritic(classes, spec.channels, way, options.critic_width)
        for network in (self.generator, self.critic):
            initialise_residual(network)

    def networks(self) -> Mapping[str, nn.Module]:
        """Return the generator."""
        return {"generator": self.generator}

    def prepare(self, fabric: Fabric) -> TrainingState:
        """Make an Adam for each network."""
        self.fabric = fabric
        self.generator.to(fabric.device)
        self.critic.to(fabric.device)
        self.generator_optimizer = self.adopted(self._adam(self.generator))
        self.critic_optimizer = self.adopted(self._adam(self.critic))
        self.augment = Augmentation(self.options.augment)
        return TrainingState(
            optimizers={"generator": self.generator_optimizer, "critic": self.critic_optimizer},
            networks={"critic": self.critic},
            memory={"augment": self.augment},
        )

    def training_step(self, batch: LabelledImages, clock: Clock) -> Mapping[str, Tensor]:
        """Update the critic; at every `critic_steps`-th step the generator too, which wants the labels of the batch."""
        scalars = self._update_critic(*batch)
        steps_before = clock.images_seen // self.count_over_devices(batch.images)
        if (steps_before + 1) % self.options.critic_steps == 0:
            scalars |= self._update_generator(batch.labels)
        return scalars

    def _update_critic(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        options, attributes, count = self.options, self.spec.attributes, len(images)
        with torch.no_grad():
            fakes = self._paint(labels)
        torch.clear_autocast_cache()  # of casts without gradients, which older torch would use in the generator's turn
        real, fake = self.augment(images), self.augment(fakes)
        scores, classes = self.critic(torch.cat([real.to(fake.dtype), fake]))
        real_scores, fake_scores = torch.split(scores.float(), count)
        distance = real_scores.mean() - fake_scores.mean()
        label = label_loss(classes[:count], labels, attributes)
        if options.label_loss_on == "both":
            label = (label + label_loss(classes[count:], labels, attributes)) / 2
        penalty = gradient_penalty(lambda points: self.critic(points)[0], real, fake)
        loss = -distance + options.penalty_weight * penalty + options.critic_label_weight * label
        norm = self.descend(loss, self.critic_optimizer)
        middle = (real_scores.mean() + fake_scores.mean()) / 2
        self.tell_augmentation(self.augment, real_scores - middle, images)
        return {
            "critic/distance": distance.detach(),
            "critic/penalty": penalty.detach(),
            "critic/label": label.detach(),
            "critic/accuracy": share_judged_right(real_scores, fake_scores, middle),
            "critic/label_accuracy": label_accuracy(classes[:count], labels, attributes),
            "critic/gradient_norm": norm,
            **self.augment.scalars("critic"),
        }

    def _update_generator(self, labels: Tensor) -> dict[str, Tensor]:
        require_gradients([self.critic], needed=False)
        scores, classes = self.critic(self.augment(self._paint(labels)))
        adversarial, label = -scores.float().mean(), label_loss(classes, labels, self.spec.attributes)
        norm = self.descend(adversarial + self.options.generator_label_weight * label, self.generator_optimizer)
        require_gradients([self.critic], needed=True)
        return {
            "generator/adversarial": adversarial.detach(),
            "generator/label": label.detach(),
            "generator/gradient_norm": norm,
        }

    def _paint(self, labels: Tensor) -> Tensor:
        """Return fakes of the classes [N, A] from new latents."""
        latents = torch.randn(len(labels), self.latent_size, device=labels.device)
        images: Tensor = self.generator(latents, one_hot(labels, self.spec.attributes))
        return images

    def draw(self, weights: Tensor, latents: Tensor) -> Tensor:
        """Paint latents [N, latent_size] as class weights [N, K] say."""
        images: Tensor = self.generator(latents, weights)
        return images.float()

    def realness(self, images: Tensor) -> Tensor:
        """Return the critic's scores."""
        scores: Tensor = self.critic(images)[0]
        return scores.float()

    def _adam(self, network: nn.Module) -> Adam:
        options = self.options
        betas = (options.beta1, options.beta2)
        return Adam(network.parameters(), options.learning_rate, betas=betas, fused=True)
