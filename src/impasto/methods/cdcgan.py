"""Conditional DCGAN with a double loss: paints a chosen class from noise.

Gilles and Perrin, "ArtGan - Generating Art", section III: the networks of Radford
et al. 2016 (arXiv:1511.06434), a discriminator with a validity and a class output, and the sum of both losses. The
generator's loss is the non-saturating one. docs/methods/conditional-gans.md has the details.

Departures: none in what is computed on one device. The generator's update uses the fakes that the discriminator has
just seen. On several devices each normalises its own share of a batch and averages the label losses over it. The
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
from impasto.losses.adversarial import cross_entropy
from impasto.losses.labels import label_accuracy, label_loss, one_hot
from impasto.method import Adversarial, Method, TrainingState, weights_frozen
from impasto.networks.dcgan import DCGANDiscriminator, DCGANGenerator, initialise_dcgan
from impasto.networks.growth import growth
from impasto.painter import LatentPainter


class CDCGANOptions(AdversarialOptions):
    """The paper's settings are the defaults."""

    name: Literal["cdcgan"] = "cdcgan"
    latent_size: int = Field(100, ge=1, le=4096)
    width: int = Field(64, ge=4, le=512)
    """Channels of the generator's last map for 64 pixels and more, twice as many below. The others are multiples."""
    discriminator_width: int = Field(64, ge=4, le=512)
    """Channels after the discriminator's first convolution."""
    label_weight: float = Field(1.0, ge=0)
    """Factor on the class losses."""
    label_loss_on: Literal["both", "real"] = "both"
    """The images whose classes the discriminator learns: real and fake ones, or real ones only."""


class CDCGAN(LatentPainter, Method[LabelledImages, ClassPrompt], Adversarial):
    """A generator that is given the class, and a discriminator that must recognise it."""

    Options = CDCGANOptions
    batch_type = LabelledImages

    def __init__(self, options: CDCGANOptions, spec: ImageSpec) -> None:
        self.options, self.spec, self.latent_size = options, spec, options.latent_size
        self.growth = growth(spec.size, options.name)
        self.generator = DCGANGenerator(
            options.latent_size, len(spec.classes), spec.channels, self.growth, options.width
        )
        initialise_dcgan(self.generator)

    def networks(self) -> Mapping[str, nn.Module]:
        """Return the generator."""
        return {"generator": self.generator}

    def training_state(self) -> TrainingState:
        """Make the discriminator, and an Adam for the generator."""
        spec, width = self.spec, self.options.discriminator_width
        discriminator = DCGANDiscriminator(len(spec.classes), spec.channels, self.growth, width)
        initialise_dcgan(discriminator)
        self.adversary = Adversary(self, discriminator, self.options)
        self.generator_optimizer = adam(self, self.options, self.generator)
        return adversarial_state(self.generator_optimizer, self.adversary)

    def training_step(self, batch: LabelledImages, clock: Clock) -> Mapping[str, Tensor]:  # noqa: ARG002
        """Update the discriminator on real and fake images, then the generator. Fakes have the labels of the batch."""
        images, labels = batch
        latents = torch.randn(len(images), self.latent_size, device=images.device)
        fakes = self.generator(latents, one_hot(labels, self.spec.attributes))
        learned = self._update_discriminator(images, fakes.detach(), labels)
        return {**self._update_generator(fakes, labels), **learned}

    def _update_discriminator(self, images: Tensor, fakes: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Lower half the losses of both kinds of images. Each kind has its own batch norm statistics."""
        options, attributes, adversary = self.options, self.spec.attributes, self.adversary
        real, real_classes = adversary(images)
        fake, fake_classes = adversary(fakes)
        validity = (cross_entropy(real, 1.0) + cross_entropy(fake, 0.0)) / 2
        label = label_loss(real_classes, labels, attributes)
        if options.label_loss_on == "both":
            label = (label + label_loss(fake_classes, labels, attributes)) / 2
        accuracy = label_accuracy(real_classes, labels, attributes)
        losses = {"validity": validity, "label": label, "label_accuracy": accuracy}
        return adversary.update(validity + options.label_weight * label, losses, real, fake)

    def _update_generator(self, fakes: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Train the generator so that the discriminator takes the fakes for real images of their classes."""
        with weights_frozen(self.adversary.network):
            validity, classes = self.adversary(fakes)
        adversarial, label = cross_entropy(validity, 1.0), label_loss(classes, labels, self.spec.attributes)
        norm = self.descend(adversarial + self.options.label_weight * label, self.generator_optimizer)
        return prefixed("generator", {"adversarial": adversarial, "label": label, "gradient_norm": norm})

    def draw(self, weights: Tensor, latents: Tensor) -> Tensor:
        """See LatentPainter."""
        images: Tensor = self.generator(latents, weights)
        return images.float()

    def realness(self, images: Tensor) -> Tensor:
        """Return the validity logits."""
        validity: Tensor = self.adversary.network(images)[0]
        return validity.float()
