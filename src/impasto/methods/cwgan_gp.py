"""Conditional WGAN-GP: paints a chosen class from noise, with a residual critic that must recognise it.

Gilles and Perrin, "ArtGan - Generating Art", section III-B, after Gulrajani et al. 2017 (arXiv:1704.00028), Algorithm
1, with the corrected losses of docs/methods/conditional-gans.md#a4: the critic lowers its score of fakes minus that of
real images, plus the penalty, and learns the classes of real images.

Departures: a training step is one step of the critic, on its own images. The generator learns at every fifth step. The
penalty has its own pass through the critic, because only this pass is differentiated twice. A critic's scores have no
zero: adaptive augmentation and the accuracy use the middle between the mean scores of real and fake images. On several
devices each normalises its own share of a batch, averages the label losses over it and finds that middle in it. The
running statistics of the first device are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from impasto.adversary import AdversarialOptions, Adversary, adam, adversarial_state, prefixed
from impasto.clock import Clock
from impasto.data.batches import ImageSpec, LabelledImages
from impasto.data.prompts import ClassPrompt
from impasto.losses.adversarial import gradient_penalty
from impasto.losses.labels import label_accuracy, label_loss, one_hot
from impasto.method import Adversarial, Method, TrainingState, weights_frozen
from impasto.networks.cpu.switch import image_gradients_only
from impasto.networks.growth import growth
from impasto.networks.residual import ResidualCritic, ResidualGenerator, initialise_residual
from impasto.painter import LatentPainter


class CWGANGPOptions(AdversarialOptions):
    """The paper's settings are the defaults."""

    name: Literal["cwgan-gp"] = "cwgan-gp"
    latent_size: int = Field(128, ge=1, le=4096)
    width: int = Field(64, ge=4, le=512)
    """Channels of the generator's last map for 64 pixels and more. For smaller images all maps have twice as many."""
    critic_width: int = Field(64, ge=4, le=512)
    """Channels after the critic's first convolution for 64 pixels and more, twice as many below."""
    critic_steps: int = Field(5, ge=1, le=100)
    """Updates of the critic for each update of the generator."""
    penalty_weight: float = Field(10.0, ge=0)
    """lambda in Algorithm 1."""
    critic_label_weight: float = Field(1.0, ge=0)
    """Factor on the critic's class loss."""
    generator_label_weight: float = Field(1.0, ge=0)
    """Factor on the generator's class loss. Other published code has 0.1 (docs/methods/conditional-gans.md#a5)."""
    label_loss_on: Literal["both", "real"] = "real"
    """The images whose classes the critic learns."""
    beta1: float = Field(0.0, ge=0, lt=1)
    """Adam's first decay rate."""
    beta2: float = Field(0.9, ge=0, lt=1)
    """Adam's second decay rate."""


class CWGANGP(LatentPainter, Method[LabelledImages, ClassPrompt], Adversarial):
    """A residual generator that is given the class, and a critic that scores images and recognises their classes."""

    Options = CWGANGPOptions
    batch_type = LabelledImages
    compiles = False

    def __init__(self, options: CWGANGPOptions, spec: ImageSpec) -> None:
        self.options, self.spec, self.latent_size = options, spec, options.latent_size
        self.turns = options.critic_steps
        self.growth = growth(spec.size, options.name)
        self.generator = ResidualGenerator(
            options.latent_size, len(spec.classes), spec.channels, self.growth, options.width
        )
        initialise_residual(self.generator)

    def networks(self) -> Mapping[str, nn.Module]:
        """Return the generator."""
        return {"generator": self.generator}

    def training_state(self) -> TrainingState:
        """Make the critic, and an Adam for the generator."""
        spec = self.spec
        critic = ResidualCritic(len(spec.classes), spec.channels, self.growth, self.options.critic_width)
        initialise_residual(critic)
        self.adversary = Adversary(self, critic, self.options, name="critic")
        self.generator_optimizer = adam(self, self.options, self.generator)
        return adversarial_state(self.generator_optimizer, self.adversary)

    def training_step(self, batch: LabelledImages, clock: Clock) -> Mapping[str, Tensor]:
        """Update the critic. At every `critic_steps`-th step update the generator too, with the labels of the batch."""
        scalars = self._update_critic(*batch)
        steps_before = clock.images_seen // self.count_over_devices(batch.images)
        if (steps_before + 1) % self.options.critic_steps == 0:
            scalars |= self._update_generator(batch.labels)
        return scalars

    def _update_critic(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        options, attributes, count, critic = self.options, self.spec.attributes, len(images), self.adversary.network
        with torch.no_grad():
            fakes = self._fakes(labels)
        torch.clear_autocast_cache()  # casts without gradients, which older torch would reuse for the generator
        real, fake = self.adversary.augment(images), self.adversary.augment(fakes)
        scores, classes = critic(torch.cat([real.to(fake.dtype), fake]))
        real_scores, fake_scores = torch.split(scores.float(), count)
        distance = real_scores.mean() - fake_scores.mean()
        label = label_loss(classes[:count], labels, attributes)
        if options.label_loss_on == "both":
            label = (label + label_loss(classes[count:], labels, attributes)) / 2
        with image_gradients_only():  # the slope by the images alone is differentiated again
            penalty = gradient_penalty(lambda points: critic(points)[0], real, fake)
        loss = -distance + options.penalty_weight * penalty + options.critic_label_weight * label
        accuracy = label_accuracy(classes[:count], labels, attributes)
        losses = {"distance": distance, "penalty": penalty, "label": label, "label_accuracy": accuracy}
        middle = (real_scores.mean() + fake_scores.mean()) / 2
        return self.adversary.update(loss, losses, real_scores, fake_scores, middle)

    def _update_generator(self, labels: Tensor) -> dict[str, Tensor]:
        with weights_frozen(self.adversary.network):
            scores, classes = self.adversary(self._fakes(labels))
        adversarial, label = -scores.float().mean(), label_loss(classes, labels, self.spec.attributes)
        norm = self.descend(adversarial + self.options.generator_label_weight * label, self.generator_optimizer)
        return prefixed("generator", {"adversarial": adversarial, "label": label, "gradient_norm": norm})

    def _fakes(self, labels: Tensor) -> Tensor:
        """Return fakes of the classes [N, A] from new latents."""
        latents = torch.randn(len(labels), self.latent_size, device=labels.device)
        images: Tensor = self.generator(latents, one_hot(labels, self.spec.attributes))
        return images

    def draw(self, weights: Tensor, latents: Tensor) -> Tensor:
        """See LatentPainter."""
        images: Tensor = self.generator(latents, weights)
        return images.float()

    def realness(self, images: Tensor) -> Tensor:
        """Return the critic's scores."""
        scores: Tensor = self.adversary.network(images)[0]
        return scores.float()
