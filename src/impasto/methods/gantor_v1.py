"""GANtor-v1: paints a chosen style or genre from noise, at 64 pixels and, in a second stage, at 256.

Datta and Cai, GANtor Arts Center (seed 003), section 4.1: StackGAN (Zhang et al. 2017, arXiv:1612.03242) with a class
vector. The printed losses are corrected as spec 02 says: the discriminator learns from real pairs, fakes and wrong
pairs, and the generator's loss is the non-saturating one.

Departures: wrong pairs that happen to be right count for nothing, and where no pair of a batch is wrong their term is
left out of the mean; images are painted with batch norm's running statistics. With several labels the class vectors
stand side by side, zeros for one that is not known. On several devices each normalises its own share of a batch and
takes the means over the wrong pairs in it; the first one's running statistics are kept.
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
from impasto.losses.labels import one_hot
from impasto.losses.matching_pairs import refusal, wrong_pairs
from impasto.method import Adversarial, LatentPainter, Method, MethodOptions, TrainingState, require_gradients
from impasto.networks.augmentation import Augmentation, AugmentOptions
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

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class GANtorV1Options(MethodOptions):
    """The settings of the authors' code are the defaults."""

    name: Literal["gantor-v1"] = "gantor-v1"
    stage: Stage = 1
    """1: small images. 2: images four times as high and wide, from those of the run in training.start_from."""
    width: int = Field(192, ge=8, le=1024)
    """Channels after stage II's first convolution; those of stage I end with half of it. The same in both stages."""
    discriminator_width: int = Field(96, ge=4, le=512)
    """Channels after the discriminator's first convolution."""
    residual_blocks: int = Field(2, ge=0, le=16)
    """Of stage II's generator."""
    use_wrong_pairs: bool = True
    """Teach the discriminator to refuse real images with the class of another."""
    augment: AugmentOptions = AugmentOptions()
    learning_rate: float = Field(2.0e-4, gt=0, le=1)
    beta1: float = Field(0.5, ge=0, lt=1)
    """Adam's first decay rate; the second is 0.999."""


class GANtorV1(LatentPainter, Method[LabelledImages, Labels], Adversarial):
    """A stack of generators that are told the class, and a discriminator that is told it too."""

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
        self.discriminator = PairDiscriminator(
            classes, spec.channels, options.discriminator_width, spec.size, options.stage
        )
        for network in (*self.stack.networks.values(), self.discriminator):
            initialise_dcgan(network)

    def networks(self) -> Mapping[str, nn.Module]:
        """Return the generators: `stage_one` and, in stage II, `stage_two`."""
        return self.stack.networks

    def prepare(self, fabric: Fabric) -> TrainingState:
        """Make an Adam for the generator that learns and one for the discriminator."""
        self.fabric = fabric
        for network in (*self.networks().values(), self.discriminator):
            network.to(fabric.device)
        self.generator_optimizer = self.adopted(self._adam(self.stack.learning))
        self.discriminator_optimizer = self.adopted(self._adam(self.discriminator))
        self.augment = Augmentation(self.options.augment)
        return TrainingState(
            optimizers={"generator": self.generator_optimizer, "discriminator": self.discriminator_optimizer},
            networks={"discriminator": self.discriminator},
            memory={"augment": self.augment},
        )

    def training_step(self, batch: LabelledImages, clock: Clock) -> Mapping[str, Tensor]:  # noqa: ARG002
        """Update the discriminator, then the generator against it; the fakes' labels are the batch's."""
        images, labels = batch
        if self.options.stage == 1:
            need_two_images(images)
        weights = one_hot(labels, self.spec.attributes)
        fakes = self.stack(torch.randn(len(images), LATENT_SIZE, device=images.device), weights)
        judged = self._update_discriminator(batch, fakes.detach(), weights)
        return {**self._update_generator(fakes, weights), **judged}

    def _update_discriminator(self, batch: LabelledImages, fakes: Tensor, weights: Tensor) -> dict[str, Tensor]:
        """Lower the mean loss on what is right and that on what is not; each kind has batch norms of its own."""
        judge, images = self.discriminator, batch.images
        real, fake = judge(self.augment(images)), judge(self.augment(fakes))
        real_pairs, fake_pairs = judge.pair_logits(real, weights), judge.pair_logits(fake, weights)
        accepted = {"real": cross_entropy(real_pairs, 1.0)}
        refused = {"fake": cross_entropy(fake_pairs, 0.0)}
        if self.options.stage == 2:
            accepted["real_alone"] = cross_entropy(judge.alone_logits(real), 1.0)
            refused["fake_alone"] = cross_entropy(judge.alone_logits(fake), 0.0)
        terms: Tensor | int = len(refused)
        if self.options.use_wrong_pairs:
            wrong = wrong_pairs(batch.labels)
            refused["wrong_pair"] = refusal(judge.pair_logits(real, weights.roll(1, 0)), wrong)
            terms = terms + wrong.any().int()
        norm = self.descend(_sum(accepted) / len(accepted) + _sum(refused) / terms, self.discriminator_optimizer)
        self.tell_augmentation(self.augment, real_pairs, images)
        return {
            **{f"discriminator/{name}": loss.detach() for name, loss in {**accepted, **refused}.items()},
            "discriminator/accuracy": share_judged_right(real_pairs, fake_pairs),
            "discriminator/gradient_norm": norm,
            **self.augment.scalars(),
        }

    def _update_generator(self, fakes: Tensor, weights: Tensor) -> dict[str, Tensor]:
        """Make the discriminator say that the fakes are real, and of their classes."""
        require_gradients([self.discriminator], needed=False)
        features = self.discriminator(self.augment(fakes))
        losses = {"pair": cross_entropy(self.discriminator.pair_logits(features, weights), 1.0)}
        if self.options.stage == 2:
            losses["alone"] = cross_entropy(self.discriminator.alone_logits(features), 1.0)
        norm = self.descend(_sum(losses), self.generator_optimizer)
        require_gradients([self.discriminator], needed=True)
        return {
            **{f"generator/{name}": loss.detach() for name, loss in losses.items()},
            "generator/gradient_norm": norm,
        }

    def draw(self, weights: Tensor, latents: Tensor) -> Tensor:
        """Paint latents [N, 100] as class weights [N, K] say."""
        return self.stack(latents, weights).float()

    def realness(self, images: Tensor) -> Tensor:
        """Return the logit that asks for no class: stage II has one, stage I's is that with the likeliest classes."""
        features = self.discriminator(images)
        if self.options.stage == 2:
            return self.discriminator.alone_logits(features).float()
        return self.discriminator.best_pair_logits(features, self.spec.attributes).float()

    def _adam(self, network: nn.Module) -> Adam:
        return Adam(network.parameters(), self.options.learning_rate, betas=(self.options.beta1, 0.999), fused=True)


def _sum(losses: Mapping[str, Tensor]) -> Tensor:
    return torch.stack(list(losses.values())).sum()
