"""GANtor-v2: as GANtor-v1, with a discriminator that recognises classes and fakes, and reconstructs images.

Datta and Cai, "GANtor Arts Center", section 4.2: the generators of StackGAN (Zhang et al. 2017, arXiv:1612.03242)
against the discriminator of ArtGAN (Tan et al. 2017, arXiv:1708.09533). The printed losses are corrected line by line
as docs/methods/stacked-gans.md explains:

L_D = E_real[-log p_k] + E_fake[-log p_fake] + L_rec(real)
L_G = E[-log p_khat of the fake] + L_rec(fake)

Stage II's discriminator sees images of half the size, with 2x2 pixels averaged (section 4.2.1). Departures: images are
painted with the running statistics of batch norm. On several devices each normalises its own share of a batch. The
running statistics of the first device are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from impasto.adversary import AdversarialOptions, Adversary, adam, adversarial_state, prefixed
from impasto.clock import Clock
from impasto.data.batches import ImageSpec, LabelledImages
from impasto.data.prompts import ClassPrompt
from impasto.errors import RecipeError
from impasto.losses.class_or_fake import Head, class_loss, fake_loss, outputs, real_logits
from impasto.losses.labels import one_hot
from impasto.losses.reconstruction import half_squared_error
from impasto.method import Adversarial, Method, TrainingState, weights_frozen
from impasto.networks.autoencoding_discriminator import AutoencodingDiscriminator, Preset
from impasto.networks.batch_norm import SLOPE, need_two_images
from impasto.networks.dcgan import initialise_dcgan
from impasto.networks.stacked_generators import (
    LATENT_SIZE,
    GeneratorStack,
    Stage,
    StageOneGenerator,
    StageTwoGenerator,
    figure_12_widths,
    repository_widths,
    stage_one_size,
)
from impasto.painter import LatentPainter


class GANtorV2Options(AdversarialOptions):
    """The settings of the authors' code are the defaults."""

    name: Literal["gantor-v2"] = "gantor-v2"
    stage: Stage = 1
    """1: small images. 2: images four times as high and wide, made from those of the run in training.start_from."""
    preset: Preset = "repository"
    """Layers of stage I's generator and of the discriminator: the authors' code's, or the paper's figure 12's."""
    width: int = Field(192, ge=12, le=1024)
    """Channels after stage II's first convolution. Stage I ends with half as many, or with a third in the preset of
    figure 12. The same in both stages."""
    discriminator_width: int = Field(128, ge=4, le=512)
    """A quarter of the discriminator's channels at 8 pixels. At 64 pixels these follow the first convolution."""
    residual_blocks: int = Field(2, ge=0, le=16)
    """Residual blocks of stage II's generator."""
    head: Head = "implicit"
    """How the discriminator marks fakes: a logit fixed at 0, a logit of its own, or K + 1 binary answers."""
    fake_labels: Literal["batch", "uniform"] = "batch"
    """Classes of the fakes while training: those of the batch, or drawn uniformly."""


class GANtorV2(LatentPainter, Method[LabelledImages, ClassPrompt], Adversarial):
    """A stack of generators that are given the class, and a discriminator that must recognise it."""

    Options = GANtorV2Options
    batch_type = LabelledImages
    latent_size = LATENT_SIZE

    def __init__(self, options: GANtorV2Options, spec: ImageSpec) -> None:
        if len(spec.attributes) > 1:
            raise RecipeError(
                "recipe", ["data.label: gantor-v2 learns the classes of one label; name one, not several"]
            )
        self.options, self.spec = options, spec
        first, classes = stage_one_size(spec.size, options.stage, options.name), len(spec.classes)
        widths = repository_widths if options.preset == "repository" else figure_12_widths
        one = StageOneGenerator(classes, spec.channels, widths(options.width, first), SLOPE)
        two = None
        if options.stage == 2:
            two = StageTwoGenerator(classes, spec.channels, options.width, options.residual_blocks, SLOPE)
        self.stack = GeneratorStack(one, two)
        self.borrowed = self.stack.borrowed
        for network in self.networks().values():
            initialise_dcgan(network)

    def networks(self) -> Mapping[str, nn.Module]:
        """Return the generators: `stage_one` and, in stage II, `stage_two`."""
        return self.stack.networks

    def training_state(self) -> TrainingState:
        """Make the discriminator with its decoder, and an Adam for the generator that learns."""
        spec, options = self.spec, self.options
        answers, seen_size = outputs(len(spec.classes), options.head), spec.size // options.stage
        self.discriminator = AutoencodingDiscriminator(
            answers, spec.channels, options.discriminator_width, seen_size, options.preset
        )
        initialise_dcgan(self.discriminator)
        self.adversary = Adversary(self, self.discriminator, options)
        self.generator_optimizer = adam(self, options, self.stack.learning)
        return adversarial_state(self.generator_optimizer, self.adversary)

    def training_step(self, batch: LabelledImages, clock: Clock) -> Mapping[str, Tensor]:  # noqa: ARG002
        """Update the discriminator, then the generator against it."""
        count, labels = len(batch.images), batch.labels
        if self.options.stage == 1:
            need_two_images(batch.images)
        wanted = labels
        if self.options.fake_labels == "uniform":
            wanted = torch.randint_like(labels, len(self.spec.classes))
        latents = torch.randn(count, LATENT_SIZE, device=batch.images.device)
        fakes = self.stack(latents, one_hot(wanted, self.spec.attributes))
        learned = self._update_discriminator(batch, fakes.detach())
        return {**self._update_generator(fakes, wanted[:, 0]), **learned}

    def _update_discriminator(self, batch: LabelledImages, fakes: Tensor) -> dict[str, Tensor]:
        """Minimise L_D. Real and fake images have their own batch norm statistics."""
        discriminator, head = self.discriminator, self.options.head
        seen = self._seen(batch.images)
        real, features = discriminator(seen)
        fake, _ = discriminator(self._seen(fakes))
        losses = {
            "class": class_loss(real, batch.labels[:, 0], head),
            "fake": fake_loss(fake, head),
            "reconstruction": half_squared_error(discriminator.decoder(features), seen),
        }
        is_real, is_fake = real_logits(real.detach(), head), real_logits(fake.detach(), head)
        return self.adversary.update(_sum(losses), losses, is_real, is_fake)

    def _update_generator(self, fakes: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Minimise L_G through the frozen discriminator and its decoder; labels are int64 [N]."""
        with weights_frozen(self.discriminator):
            seen = self._seen(fakes)
            logits, features = self.discriminator(seen)
            losses = {
                "class": class_loss(logits, labels, self.options.head),
                "reconstruction": half_squared_error(self.discriminator.decoder(features), seen),
            }
        norm = self.descend(_sum(losses), self.generator_optimizer)
        return prefixed("generator", {**losses, "gradient_norm": norm})

    def _seen(self, images: Tensor) -> Tensor:
        """Return what the discriminator sees of images [N, C, S, S] while training."""
        return self.adversary.augment(self._reduced(images))

    def _reduced(self, images: Tensor) -> Tensor:
        return functional.avg_pool2d(images, 2) if self.options.stage == 2 else images

    def draw(self, weights: Tensor, latents: Tensor) -> Tensor:
        """See LatentPainter."""
        return self.stack(latents, weights).float()

    def realness(self, images: Tensor) -> Tensor:
        """Return the logit of p(real), whatever the class."""
        return real_logits(self.discriminator(self._reduced(images))[0], self.options.head)


def _sum(losses: Mapping[str, Tensor]) -> Tensor:
    return torch.stack(list(losses.values())).sum()
