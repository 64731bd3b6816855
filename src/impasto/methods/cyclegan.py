"""CycleGAN: translates photos into paintings and back, learned from two unrelated collections.

Zhu et al. 2017, "Unpaired image-to-image translation using cycle-consistent adversarial networks" (arXiv:1703.10593),
with least-squares adversarial losses, identity terms and a pool of 50 earlier fakes.

Departures, none of which changes what is computed: pictures that go through the same network at the same time share one
forward pass, and the learning rate may fall with every batch instead of every epoch (see the recipe's schedule).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.optim import Adam

from impasto.clock import Clock
from impasto.data.batches import Images, ImageSpec, UnpairedImages
from impasto.losses.adversarial import least_squares
from impasto.losses.cycle import mean_absolute
from impasto.method import Method, MethodOptions, TrainingState, require_gradients
from impasto.networks.augmentation import Augmentation, AugmentOptions
from impasto.networks.image_pool import ImagePool
from impasto.networks.initialise import initialise
from impasto.networks.patch_discriminator import PatchDiscriminator, need_patches
from impasto.networks.resnet_generator import ResNetGenerator, Upsampling, translate

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class CycleGANOptions(MethodOptions):
    """The paper's settings are the defaults."""

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
    """Section 5.2: 0.5 lambda for photo <-> painting; 0 turns the identity terms off."""
    discriminator_weight: float = Field(0.5, gt=0)
    """Factor on the discriminators' loss, which slows them relative to the generators."""
    pool_size: int = Field(50, ge=0, le=100_000)
    """Earlier fakes remembered for each discriminator; 0 turns the pool off."""
    augment: AugmentOptions = AugmentOptions()
    """Alters what the discriminators see; the paper does not."""
    learning_rate: float = Field(2.0e-4, gt=0, le=1)
    beta1: float = Field(0.5, ge=0, lt=1)
    """Adam's first decay rate; the second is 0.999."""


class CycleGAN(Method[UnpairedImages, Images]):
    """Two generators that undo each other, two discriminators that tell their work from real pictures."""

    Options = CycleGANOptions
    batch_type = UnpairedImages
    prompt_type = Images

    def __init__(self, options: CycleGANOptions, spec: ImageSpec) -> None:
        need_patches(spec.size, options.name)
        self.options = options
        make = partial(ResNetGenerator, spec.channels, options.width, options.blocks, upsampling=options.upsampling)
        self.to_painting, self.to_photo = make(), make()  # G: A -> B, F: B -> A
        self.judge_paintings = PatchDiscriminator(spec.channels, options.discriminator_width)  # D_B
        self.judge_photos = PatchDiscriminator(spec.channels, options.discriminator_width)  # D_A
        for network in (self.to_painting, self.to_photo, self.judge_paintings, self.judge_photos):
            initialise(network)

    def networks(self) -> Mapping[str, nn.Module]:
        """Return both generators."""
        return {"to_painting": self.to_painting, "to_photo": self.to_photo}

    def judges(self) -> Mapping[str, nn.Module]:
        """Return both discriminators."""
        return {"judge_paintings": self.judge_paintings, "judge_photos": self.judge_photos}

    @property
    def reach(self) -> int:
        """See Painter."""
        return self.to_painting.reach

    def prepare(self, fabric: Fabric) -> TrainingState:
        """Make one Adam for both generators and one for both discriminators, and the two pools."""
        self.fabric = fabric
        for network in (*self.networks().values(), *self.judges().values()):
            network.to(fabric.device)
        self.generator_optimizer = self.adopted(self._adam(self.networks()))
        self.judge_optimizer = self.adopted(self._adam(self.judges()))
        self.painting_pool = ImagePool(self.options.pool_size, "paintings")
        self.photo_pool = ImagePool(self.options.pool_size, "photos")
        self.augment = Augmentation(self.options.augment)
        pools = {"painting_pool": self.painting_pool, "photo_pool": self.photo_pool}
        return TrainingState(
            optimizers={"generators": self.generator_optimizer, "judges": self.judge_optimizer},
            networks=self.judges(),
            memory={**pools, "augment": self.augment},
        )

    def training_step(self, batch: UnpairedImages, clock: Clock) -> Mapping[str, Tensor]:  # noqa: ARG002
        """Update both generators against frozen discriminators, then both discriminators from the pools."""
        photos, paintings = batch
        losses, fake_paintings, fake_photos = self._update_generators(photos, paintings)
        old_paintings = self.own_share(self.painting_pool.exchange(self.gathered(fake_paintings)))
        old_photos = self.own_share(self.photo_pool.exchange(self.gathered(fake_photos)))
        paintings_loss, of_paintings = self._judge_loss(self.judge_paintings, paintings, old_paintings)
        photos_loss, of_photos = self._judge_loss(self.judge_photos, photos, old_photos)
        norm = self.descend(self.options.discriminator_weight * (paintings_loss + photos_loss), self.judge_optimizer)
        self.tell_augmentation(self.augment, torch.stack([of_paintings, of_photos]), photos)
        return {
            **losses,
            "discriminator/paintings": paintings_loss.detach(),
            "discriminator/photos": photos_loss.detach(),
            "discriminator/gradient_norm": norm,
            **self.augment.scalars(),
        }

    def _update_generators(self, photos: Tensor, paintings: Tensor) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """Make the generators' update; return its losses, the fake paintings and the fake photos."""
        options, count = self.options, len(photos)
        require_gradients(self.judges().values(), needed=False)
        if options.identity_weight > 0:
            fake_paintings, same_paintings = torch.split(self.to_painting(torch.cat([photos, paintings])), count)
            fake_photos, same_photos = torch.split(self.to_photo(torch.cat([paintings, photos])), count)
            identity = mean_absolute(same_paintings, paintings) + mean_absolute(same_photos, photos)
        else:
            fake_paintings, fake_photos = self.to_painting(photos), self.to_photo(paintings)
            identity = photos.new_zeros(())
        cycle = mean_absolute(self.to_photo(fake_paintings), photos)
        cycle = cycle + mean_absolute(self.to_painting(fake_photos), paintings)
        adversarial = least_squares(self.judge_paintings(self.augment(fake_paintings)), 1.0)
        adversarial = adversarial + least_squares(self.judge_photos(self.augment(fake_photos)), 1.0)
        total = adversarial + options.cycle_weight * cycle + options.identity_weight * identity
        norm = self.descend(total, self.generator_optimizer)
        require_gradients(self.judges().values(), needed=True)
        losses = {"adversarial": adversarial, "cycle": cycle, "identity": identity, "total": total}
        losses["gradient_norm"] = norm
        return {f"generator/{name}": loss.detach() for name, loss in losses.items()}, fake_paintings, fake_photos

    def _judge_loss(self, judge: nn.Module, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Return a discriminator's loss, and its verdicts on real images less the 1/2 between real and fake."""
        shown = self.augment(torch.cat([real.to(fake.dtype), fake]))
        verdicts_real, verdicts_fake = torch.split(judge(shown), len(real))
        loss = least_squares(verdicts_real, 1.0) + least_squares(verdicts_fake, 0.0)
        return loss, verdicts_real.detach() - 0.5

    def paint(self, prompt: Images, generator: torch.Generator) -> Tensor:  # noqa: ARG002
        """Turn photos into paintings of the same height and width."""
        return translate(self.to_painting, prompt.images)

    def sheet(self, prompt: Images, generator: torch.Generator) -> Mapping[str, Tensor]:
        """Return the photos' paintings and what comes back when these are turned into photos again."""
        paintings = self.paint(prompt, generator)
        return {"painting": paintings, "cycle": translate(self.to_photo, paintings)}

    def _adam(self, networks: Mapping[str, nn.Module]) -> Adam:
        weights = itertools.chain.from_iterable(network.parameters() for network in networks.values())
        return Adam(weights, self.options.learning_rate, betas=(self.options.beta1, 0.999), fused=True)
