"""CycleGAN: translates photos into paintings and back, learned from two unrelated collections.

Zhu et al. 2017, "Unpaired image-to-image translation using cycle-consistent adversarial networks" (arXiv:1703.10593),
with least-squares adversarial losses, identity terms and a pool of 50 earlier fakes.
docs/methods/unpaired-translation.md has the details.

Departures, none of which changes what is computed: pictures that pass through the same network at the same time share
one forward pass, and the learning rate may fall with every batch instead of every epoch (see the recipe's schedule). An
adaptive augmentation has one probability for each discriminator.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from impasto.adversary import AdversarialOptions, Adversary, adam, adversarial_state, prefixed
from impasto.clock import Clock
from impasto.data.batches import ImageSpec, UnpairedImages
from impasto.data.prompts import PhotoPrompt
from impasto.losses.adversarial import LEAST_SQUARES
from impasto.losses.cycle import mean_absolute
from impasto.method import Method, TrainingState
from impasto.networks.initialise import initialise
from impasto.networks.patch_discriminator import PatchDiscriminator, need_patches
from impasto.networks.resnet_generator import ResNetGenerator, Upsampling, translate
from impasto.painter import PaintContext, PaintOptions, Tiling


class CycleGANOptions(AdversarialOptions):
    """The paper's settings are the defaults; it has no augmentation."""

    name: Literal["cyclegan"] = "cyclegan"
    width: int = Field(64, ge=4, le=512)
    """Channels after the generator's first convolution; the paper's networks have 64."""
    blocks: int = Field(9, ge=1, le=32)
    """Residual blocks of a generator: 9 for images of 256 pixels, 6 for 128."""
    upsampling: Upsampling = "transposed"
    """How generators double: the paper's transposed convolutions, or resized pixels, which leave no checkerboard."""
    discriminator_width: int = Field(64, ge=4, le=512)
    """Channels after the discriminator's first convolution."""
    cycle_weight: float = Field(10.0, ge=0)
    """lambda in equation 3."""
    identity_weight: float = Field(5.0, ge=0)
    """Section 5.2: 0.5 lambda for photo <-> painting. 0 turns the identity terms off."""
    discriminator_weight: float = Field(0.5, gt=0)
    """Factor on the discriminators' loss, which slows them relative to the generators."""
    pool_size: int = Field(50, ge=0, le=100_000)
    """Earlier fakes remembered for each discriminator. 0 turns the pool off."""


class CycleGAN(Method[UnpairedImages, PhotoPrompt]):
    """Two generators that undo each other, and two discriminators that tell their fakes from real pictures."""

    Options = CycleGANOptions
    batch_type = UnpairedImages
    prompt_type = PhotoPrompt

    def __init__(self, options: CycleGANOptions, spec: ImageSpec) -> None:
        need_patches(spec.size, options.name)
        self.options, self.spec = options, spec
        make = partial(ResNetGenerator, spec.channels, options.width, options.blocks, upsampling=options.upsampling)
        self.to_painting, self.to_photo = make(), make()  # G: A -> B, F: B -> A
        for network in self.networks().values():
            initialise(network)

    def networks(self) -> Mapping[str, nn.Module]:
        """Return both generators."""
        return {"to_painting": self.to_painting, "to_photo": self.to_photo}

    @property
    def tiling(self) -> Tiling:
        """See Painter."""
        return Tiling(self.to_painting.reach, self.to_painting.step)

    def training_state(self) -> TrainingState:
        """Make the discriminators D_B and D_A, and one Adam for both generators."""
        self.painting_adversary = self._adversary("discriminator_paintings")
        self.photo_adversary = self._adversary("discriminator_photos")
        self.generator_optimizer = adam(self, self.options, *self.networks().values())
        return adversarial_state(self.generator_optimizer, self.painting_adversary, self.photo_adversary)

    def _adversary(self, name: str) -> Adversary:
        discriminator = PatchDiscriminator(self.spec.channels, self.options.discriminator_width)
        initialise(discriminator)
        weight, pool_size = self.options.discriminator_weight, self.options.pool_size
        how: dict[str, Any] = {"name": name, "loss": LEAST_SQUARES, "weight": weight, "pool_size": pool_size}
        return Adversary(self, discriminator, self.options, **how)

    def training_step(self, batch: UnpairedImages, clock: Clock) -> Mapping[str, Tensor]:  # noqa: ARG002
        """Update both generators against frozen discriminators, then both discriminators on images from the pools."""
        photos, paintings = batch
        losses, fake_paintings, fake_photos = self._update_generators(photos, paintings)
        of_paintings = self.painting_adversary.learn(paintings, fake_paintings)
        of_photos = self.photo_adversary.learn(photos, fake_photos)
        return {**losses, **of_paintings, **of_photos}

    def _update_generators(self, photos: Tensor, paintings: Tensor) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """Update the generators; return the losses to log, the fake paintings and the fake photos."""
        options, count = self.options, len(photos)
        if options.identity_weight > 0:
            fake_paintings, same_paintings = torch.split(self.to_painting(torch.cat([photos, paintings])), count)
            fake_photos, same_photos = torch.split(self.to_photo(torch.cat([paintings, photos])), count)
            identity = mean_absolute(same_paintings, paintings) + mean_absolute(same_photos, photos)
        else:
            fake_paintings, fake_photos = self.to_painting(photos), self.to_photo(paintings)
            identity = photos.new_zeros(())
        cycle = mean_absolute(self.to_photo(fake_paintings), photos)
        cycle = cycle + mean_absolute(self.to_painting(fake_photos), paintings)
        adversarial = self.painting_adversary.loss_on(fake_paintings) + self.photo_adversary.loss_on(fake_photos)
        total = adversarial + options.cycle_weight * cycle + options.identity_weight * identity
        norm = self.descend(total, self.generator_optimizer)
        losses = {"adversarial": adversarial, "cycle": cycle, "identity": identity, "total": total}
        return prefixed("generator", {**losses, "gradient_norm": norm}), fake_paintings, fake_photos

    def paint(self, prompt: PhotoPrompt, options: PaintOptions, context: PaintContext) -> Tensor:  # noqa: ARG002
        """Turn photos into paintings of the same height and width."""
        return translate(self.to_painting, prompt.photos)

    def sheet(self, prompt: PhotoPrompt, options: PaintOptions, context: PaintContext) -> Mapping[str, Tensor]:
        """Return the paintings of the photos, and the photos made back from these."""
        paintings = self.paint(prompt, options, context)
        return {"painting": paintings, "cycle": translate(self.to_photo, paintings)}
