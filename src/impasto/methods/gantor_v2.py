"""GANtor-v2: as GANtor-v1, judged by a discriminator that tells the class, or that an image is fake, and repaints it.

Datta and Cai, GANtor Arts Center (seed 003), section 4.2: the generators of StackGAN (Zhang et al. 2017,
arXiv:1612.03242) against the discriminator of ArtGAN (Tan et al. 2017, arXiv:1708.09533). The printed losses are
corrected as spec 02 says, line by line:

L_D = E_real[-log p_k] + E_fake[-log p_fake] + L_rec(real)
L_G = E[-log p_khat of the fake] + L_rec(fake)

Stage II's discriminator sees images of half the size, 2x2 pixels averaged (section 4.2.1). Departures: images are
painted with batch norm's running statistics. On several devices each normalises its own share of a batch, and the first
one's running statistics are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam

from impasto.clock import Clock
from impasto.data.batches import ImageSpec, LabelledImages, Labels
from impasto.errors import RecipeError
from impasto.losses.adversarial import share_judged_right
from impasto.losses.class_or_fake import Head, class_loss, fake_loss, outputs, real_logits
from impasto.losses.labels import one_hot
from impasto.losses.reconstruction import half_squared_error
from impasto.method import Adversarial, LatentPainter, Method, MethodOptions, TrainingState, require_gradients
from impasto.networks.augmentation import Augmentation, AugmentOptions
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

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class GANtorV2Options(MethodOptions):
    """The settings of the authors' code are the defaults."""

    name: Literal["gantor-v2"] = "gantor-v2"
    stage: Stage = 1
    """1: small images. 2: images four times as high and wide, from those of the run in training.start_from."""
    preset: Preset = "repository"
    """Layers of stage I's generator and of the discriminator: the authors' code's, or the paper's figure 12's."""
    width: int = Field(192, ge=12, le=1024)
    """Channels after stage II's first convolution; those of stage I end with half of it, or a third in figure 12's
    preset. The same in both stages."""
    discriminator_width: int = Field(128, ge=4, le=512)
    """A quarter of the discriminator's channels at 8 pixels: at 64 pixels those after its first convolution."""
    residual_blocks: int = Field(2, ge=0, le=16)
    """Of stage II's generator."""
    head: Head = "implicit"
    """How the discriminator says "fake": by a logit fixed at 0, one of its own, or K + 1 binary answers."""
    fake_labels: Literal["batch", "uniform"] = "batch"
    """Classes of what is painted while learning: those of the batch, or drawn evenly."""
    augment: AugmentOptions = AugmentOptions()
    learning_rate: float = Field(2.0e-4, gt=0, le=1)
    beta1: float = Field(0.5, ge=0, lt=1)
    """Adam's first decay rate; the second is 0.999."""


class GANtorV2(LatentPainter, Method[LabelledImages, Labels], Adversarial):
    """A stack of generators that are told the class, and a discriminator that has to tell it."""

    Options = GANtorV2Options
    batch_type = LabelledImages
    latent_size = LATENT_SIZE

    def __init__(self, options: GANtorV2Options, spec: ImageSpec) -> None:
        if len(spec.attributes) > 1:
            raise RecipeError("recipe", ["data.label: gantor-v2 tells the classes of one label, not several"])
        self.options, self.spec = options, spec
        first, classes = stage_one_size(spec.size, options.stage, options.name), len(spec.classes)
        widths = repository_widths if options.preset == "repository" else figure_12_widths
        one = StageOneGenerator(classes, spec.channels, widths(options.width, first), SLOPE)
        two = None
        if options.stage == 2:
            two = StageTwoGenerator(classes, spec.channels, options.width, options.residual_blocks, SLOPE)
        self.stack = GeneratorStack(one, two)
        self.borrowed = self.stack.borrowed
        judged, answers = spec.size // options.stage, outputs(classes, options.head)
        self.discriminator = AutoencodingDiscriminator(
            answers, spec.channels, options.discriminator_width, judged, options.preset
        )
        for network in (*self.stack.networks.values(), self.discriminator):
            initialise_dcgan(network)

    def networks(self) -> Mapping[str, nn.Module]:
        """Return the generators: `stage_one` and, in stage II, `stage_two`."""
        return self.stack.networks

    def prepare(self, fabric: Fabric) -> TrainingState:
        """Make an Adam for the generator that learns and one for the discriminator, its decoder included."""
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
        """Update the discriminator, then the generator against it."""
        count, labels = len(batch.images), batch.labels
        if self.options.stage == 1:
            need_two_images(batch.images)
        wanted = labels
        if self.options.fake_labels == "uniform":
            wanted = torch.randint_like(labels, len(self.spec.classes))
        latents = torch.randn(count, LATENT_SIZE, device=batch.images.device)
        fakes = self.stack(latents, one_hot(wanted, self.spec.attributes))
        judged = self._update_discriminator(batch, fakes.detach())
        return {**self._update_generator(fakes, wanted[:, 0]), **judged}

    def _update_discriminator(self, batch: LabelledImages, fakes: Tensor) -> dict[str, Tensor]:
        """Lower L_D; real and fake images have batch norms of their own."""
        judge, head = self.discriminator, self.options.head
        seen = self._seen(batch.images)
        real, features = judge(seen)
        fake, _ = judge(self._seen(fakes))
        losses = {
            "class": class_loss(real, batch.labels[:, 0], head),
            "fake": fake_loss(fake, head),
            "reconstruction": half_squared_error(judge.decoder(features), seen),
        }
        norm = self.descend(torch.stack(list(losses.values())).sum(), self.discriminator_optimizer)
        is_real, is_fake = real_logits(real.detach(), head), real_logits(fake.detach(), head)
        self.tell_augmentation(self.augment, is_real, batch.images)
        return {
            **{f"discriminator/{name}": loss.detach() for name, loss in losses.items()},
            "discriminator/accuracy": share_judged_right(is_real, is_fake),
            "discriminator/gradient_norm": norm,
            **self.augment.scalars(),
        }

    def _update_generator(self, fakes: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Lower L_G, through the discriminator and its decoder as they are; labels are int64 [N]."""
        judge = self.discriminator
        require_gradients([judge], needed=False)
        seen = self._seen(fakes)
        logits, features = judge(seen)
        losses = {
            "class": class_loss(logits, labels, self.options.head),
            "reconstruction": half_squared_error(judge.decoder(features), seen),
        }
        norm = self.descend(torch.stack(list(losses.values())).sum(), self.generator_optimizer)
        require_gradients([judge], needed=True)
        return {
            **{f"generator/{name}": loss.detach() for name, loss in losses.items()},
            "generator/gradient_norm": norm,
        }

    def _seen(self, images: Tensor) -> Tensor:
        """Return what the discriminator sees of images [N, C, S, S] while it learns."""
        return self.augment(self._reduced(images))

    def _reduced(self, images: Tensor) -> Tensor:
        return functional.avg_pool2d(images, 2) if self.options.stage == 2 else images

    def draw(self, weights: Tensor, latents: Tensor) -> Tensor:
        """Paint latents [N, 100] as class weights [N, K] say."""
        return self.stack(latents, weights).float()

    def realness(self, images: Tensor) -> Tensor:
        """Return the logit of p(real), whatever the class."""
        return real_logits(self.discriminator(self._reduced(images))[0], self.options.head)

    def _adam(self, network: nn.Module) -> Adam:
        return Adam(network.parameters(), self.options.learning_rate, betas=(self.options.beta1, 0.999), fused=True)
