"""GANtor-v1: paints a chosen style or genre from noise, at 64 pixels and, in a second stage, at 256.

Datta and Cai, "GANtor Arts Center", section 4.1: StackGAN (Zhang et al. 2017, arXiv:1612.03242) with a class vector.
The printed losses are corrected as docs/methods/stacked-gans.md explains: the discriminator learns from real pairs,
fakes and mismatched pairs, and the generator's loss is the non-saturating one.

Departures: mismatched pairs that happen to match are not counted, and where no pair of a batch is mismatched their term
is left out of the mean; images are painted with the running statistics of batch norm. With several labels the class
vectors stand side by side, with zeros for an unknown class. On several devices each normalises its own share of a batch
and averages over the mismatched pairs in it. The running statistics of the first device are kept.
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
from impasto.losses.labels import one_hot
from impasto.losses.mismatched_pairs import mismatch_loss, mismatched_pairs
from impasto.method import Adversarial, Method, TrainingState, weights_frozen
from impasto.networks.batch_norm import need_two_images
from impasto.networks.dcgan import initialise_dcgan
from impasto.networks.pair_discriminator import PairDiscriminator
from impasto.networks.stacked_generators import (
    LATENT_SIZE,
    GeneratorStack,
    Stage,
    StageOneGenerator,
    StageTwoGenerator,
    repository_widths,
    stage_one_size,
)
from impasto.painter import LatentPainter


class GANtorV1Options(AdversarialOptions):
    """The settings of the authors' code are the defaults."""

    name: Literal["gantor-v1"] = "gantor-v1"
    stage: Stage = 1
    """1: small images. 2: images four times as high and wide, made from those of the run in training.start_from."""
    width: int = Field(192, ge=8, le=1024)
    """Channels after stage II's first convolution. Stage I ends with half as many. The same in both stages."""
    discriminator_width: int = Field(96, ge=4, le=512)
    """Channels after the discriminator's first convolution."""
    residual_blocks: int = Field(2, ge=0, le=16)
    """Residual blocks of stage II's generator."""
    use_wrong_pairs: bool = True
    """Train the discriminator on real images with the class of another image, too."""


class GANtorV1(LatentPainter, Method[LabelledImages, ClassPrompt], Adversarial):
    """A stack of generators that are given the class, and a discriminator that is given it too."""

    Options = GANtorV1Options
    batch_type = LabelledImages
    latent_size = LATENT_SIZE

    def __init__(self, options: GANtorV1Options, spec: ImageSpec) -> None:
        self.options, self.spec = options, spec
        first, classes, relu = stage_one_size(spec.size, options.stage, options.name), len(spec.classes), 0.0
        one = StageOneGenerator(classes, spec.channels, repository_widths(options.width, first), relu)
        two = None
        if options.stage == 2:
            two = StageTwoGenerator(classes, spec.channels, options.width, options.residual_blocks, relu)
        self.stack = GeneratorStack(one, two)
        self.borrowed = self.stack.borrowed
        for network in self.networks().values():
            initialise_dcgan(network)

    def networks(self) -> Mapping[str, nn.Module]:
        """Return the generators: `stage_one` and, in stage II, `stage_two`."""
        return self.stack.networks

    def training_state(self) -> TrainingState:
        """Make the discriminator, and an Adam for the generator that learns."""
        spec, options = self.spec, self.options
        self.discriminator = PairDiscriminator(
            len(spec.classes), spec.channels, options.discriminator_width, spec.size, options.stage
        )
        initialise_dcgan(self.discriminator)
        self.adversary = Adversary(self, self.discriminator, options)
        self.generator_optimizer = adam(self, options, self.stack.learning)
        return adversarial_state(self.generator_optimizer, self.adversary)

    def training_step(self, batch: LabelledImages, clock: Clock) -> Mapping[str, Tensor]:  # noqa: ARG002
        """Update the discriminator, then the generator against it. The fakes have the labels of the batch."""
        images, labels = batch
        if self.options.stage == 1:
            need_two_images(images)
        weights = one_hot(labels, self.spec.attributes)
        fakes = self.stack(torch.randn(len(images), LATENT_SIZE, device=images.device), weights)
        learned = self._update_discriminator(batch, fakes.detach(), weights)
        return {**self._update_generator(fakes, weights), **learned}

    def _update_discriminator(self, batch: LabelledImages, fakes: Tensor, weights: Tensor) -> dict[str, Tensor]:
        """Update D on real pairs against fake and mismatched pairs. Each kind has its own batch norm statistics."""
        discriminator = self.discriminator
        real, fake = self.adversary(batch.images), self.adversary(fakes)
        real_pairs, fake_pairs = discriminator.pair_logits(real, weights), discriminator.pair_logits(fake, weights)
        accepted = {"real": cross_entropy(real_pairs, 1.0)}
        refused = {"fake": cross_entropy(fake_pairs, 0.0)}
        if self.options.stage == 2:
            accepted["real_alone"] = cross_entropy(discriminator.alone_logits(real), 1.0)
            refused["fake_alone"] = cross_entropy(discriminator.alone_logits(fake), 0.0)
        terms: Tensor | int = len(refused)
        if self.options.use_wrong_pairs:
            mismatched = mismatched_pairs(batch.labels)
            refused["wrong_pair"] = mismatch_loss(discriminator.pair_logits(real, weights.roll(1, 0)), mismatched)
            terms = terms + mismatched.any().int()
        total = _sum(accepted) / len(accepted) + _sum(refused) / terms
        return self.adversary.update(total, {**accepted, **refused}, real_pairs, fake_pairs)

    def _update_generator(self, fakes: Tensor, weights: Tensor) -> dict[str, Tensor]:
        """Train the generator so that the discriminator takes the fakes for real images of their classes."""
        with weights_frozen(self.discriminator):
            features = self.adversary(fakes)
            losses = {"pair": cross_entropy(self.discriminator.pair_logits(features, weights), 1.0)}
            if self.options.stage == 2:
                losses["alone"] = cross_entropy(self.discriminator.alone_logits(features), 1.0)
        norm = self.descend(_sum(losses), self.generator_optimizer)
        return prefixed("generator", {**losses, "gradient_norm": norm})

    def draw(self, weights: Tensor, latents: Tensor) -> Tensor:
        """See LatentPainter."""
        return self.stack(latents, weights).float()

    def realness(self, images: Tensor) -> Tensor:
        """Return the logit without a class. Stage I has none: there, return the logit of the likeliest classes."""
        features = self.discriminator(images)
        if self.options.stage == 2:
            return self.discriminator.alone_logits(features).float()
        return self.discriminator.best_pair_logits(features, self.spec.attributes).float()


def _sum(losses: Mapping[str, Tensor]) -> Tensor:
    return torch.stack(list(losses.values())).sum()
