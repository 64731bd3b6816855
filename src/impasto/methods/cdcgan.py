"""Conditional DCGAN with a double loss: paints a chosen class from noise.

Seed 001 (Gilles & Perrin), III: the networks of Radford et al. 2016 (arXiv:1511.06434), a discriminator with a validity
and a class output, and the sum of both losses (spec 01). The generator's loss is the non-saturating one.

Departures: none in what is computed on one device. The generator's turn takes the fakes that the discriminator has just
seen. On several devices each normalises its own share of a batch and takes the mean of the label losses over it; the
first one's running statistics are kept.
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
from impasto.losses.adversarial import cross_entropy, share_judged_right
from impasto.losses.labels import label_accuracy, label_loss, one_hot
from impasto.method import Adversarial, LatentPainter, Method, MethodOptions, TrainingState, require_gradients
from impasto.networks.augmentation import Augmentation, AugmentOptions
from impasto.networks.dcgan import DCGANDiscriminator, DCGANGenerator, initialise_dcgan
from impasto.networks.growth import growth

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class CDCGANOptions(MethodOptions):
    """The seed's settings are the defaults."""

    name: Literal["cdcgan"] = "cdcgan"
    latent_size: int = Field(100, ge=1, le=4096)
    width: int = Field(64, ge=4, le=512)
    """Channels of the generator's last map from 64 pixels on, twice as many below; the others are multiples."""
    discriminator_width: int = Field(64, ge=4, le=512)
    """Channels after the discriminator's first convolution."""
    label_weight: float = Field(1.0, ge=0)
    """Factor on the class losses."""
    label_loss_on: Literal["both", "real"] = "both"
    """The images whose classes the discriminator learns to tell: real and fake, or real ones only."""
    augment: AugmentOptions = AugmentOptions()
    learning_rate: float = Field(2.0e-4, gt=0, le=1)
    beta1: float = Field(0.5, ge=0, lt=1)
    """Adam's first decay rate; the second is 0.999."""


class CDCGAN(LatentPainter, Method[LabelledImages, Labels], Adversarial):
    """A generator that is told the class, and a discriminator that has to tell it."""

    Options = CDCGANOptions
    batch_type = LabelledImages

    def __init__(self, options: CDCGANOptions, spec: ImageSpec) -> None:
        self.options, self.spec, self.latent_size = options, spec, options.latent_size
        way, classes = growth(spec.size, options.name), len(spec.classes)
        self.generator = DCGANGenerator(options.latent_size, classes, spec.channels, way, options.width)
        self.discriminator = DCGANDiscriminator(classes, spec.channels, way, options.discriminator_width)
        for network in (self.generator, self.discriminator):
            initialise_dcgan(network)

    def networks(self) -> Mapping[str, nn.Module]:
        """Return the generator."""
        return {"generator": self.generator}

    def prepare(self, fabric: Fabric) -> TrainingState:
        """Make an Adam for each network."""
        self.fabric = fabric
        self.generator.to(fabric.device)
        self.discriminator.to(fabric.device)
        self.generator_optimizer = self.adopted(self._adam(self.generator))
        self.discriminator_optimizer = self.adopted(self._adam(self.discriminator))
        self.augment = Augmentation(self.options.augment)
        return TrainingState(
            optimizers={"generator": self.generator_optimizer, "discriminator": self.discriminator_optimizer},
            networks={"discriminator": self.discriminator},
            memory={"augment": self.augment},
        )

    def training_step(self, batch: LabelledImages, clock: Clock) -> Mapping[str, Tensor]:  # noqa: ARG002
        """Update the discriminator on real and fake images, then the generator against it; labels are the batch's."""
        images, labels = batch
        latents = torch.randn(len(images), self.latent_size, device=images.device)
        fakes = self.generator(latents, one_hot(labels, self.spec.attributes))
        judged = self._update_discriminator(images, fakes.detach(), labels)
        return {**self._update_generator(fakes, labels), **judged}

    def _update_discriminator(self, images: Tensor, fakes: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Lower half the losses of either side; each has batch norms of its own."""
        options, attributes = self.options, self.spec.attributes
        real, real_classes = self.discriminator(self.augment(images))
        fake, fake_classes = self.discriminator(self.augment(fakes))
        validity = (cross_entropy(real, 1.0) + cross_entropy(fake, 0.0)) / 2
        label = label_loss(real_classes, labels, attributes)
        if options.label_loss_on == "both":
            label = (label + label_loss(fake_classes, labels, attributes)) / 2
        norm = self.descend(validity + options.label_weight * label, self.discriminator_optimizer)
        self.tell_augmentation(self.augment, real, images)
        return {
            "discriminator/validity": validity.detach(),
            "discriminator/label": label.detach(),
            "discriminator/accuracy": share_judged_right(real, fake),
            "discriminator/label_accuracy": label_accuracy(real_classes, labels, attributes),
            "discriminator/gradient_norm": norm,
            **self.augment.scalars(),
        }

    def _update_generator(self, fakes: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Make the discriminator say that the fakes are real, and of their classes."""
        require_gradients([self.discriminator], needed=False)
        validity, classes = self.discriminator(self.augment(fakes))
        adversarial, label = cross_entropy(validity, 1.0), label_loss(classes, labels, self.spec.attributes)
        norm = self.descend(adversarial + self.options.label_weight * label, self.generator_optimizer)
        require_gradients([self.discriminator], needed=True)
        return {
            "generator/adversarial": adversarial.detach(),
            "generator/label": label.detach(),
            "generator/gradient_norm": norm,
        }

    def draw(self, weights: Tensor, latents: Tensor) -> Tensor:
        """Paint latents [N, latent_size] as class weights [N, K] say."""
        images: Tensor = self.generator(latents, weights)
        return images.float()

    def realness(self, images: Tensor) -> Tensor:
        """Return the validity logits."""
        validity: Tensor = self.discriminator(images)[0]
        return validity.float()

    def _adam(self, network: nn.Module) -> Adam:
        return Adam(network.parameters(), self.options.learning_rate, betas=(self.options.beta1, 0.999), fused=True)
