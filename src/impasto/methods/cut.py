"""CUT: translates photos into paintings one way, learned from two unrelated collections by comparing patches.

Park, Efros, Zhang and Zhu 2020, "Contrastive learning for unpaired image-to-image translation" (arXiv:2007.15651), with
a least-squares adversarial loss. In place of CycleGAN's way back, a patch of the painting is to find the photo's patch
at its own place among the photo's others, by the features of the generator's first half; and so is a painting that went
through the generator. FastCUT has `contrast_weight: 10`, `identity_weight: 0` and mirrored photos, which are not here.

As in the authors' code the discriminator learns first, there is no pool of earlier fakes, and what is to be found gets
no gradient. Departures from it: the contrasts have the weights of equation 5, which the code halves where there is an
identity term; the discriminator's loss is not halved, which Adam does not notice; every image has places of its own;
and the generator is CycleGAN's, which halves and doubles by strided convolutions instead of blurring, and begins as
CycleGAN's. A photo's features come from the pass that paints it, where the code encodes it again, to the same end.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.optim import Adam

from impasto.clock import Clock
from impasto.data.batches import Images, ImageSpec, UnpairedImages
from impasto.losses.adversarial import least_squares, share_judged_right
from impasto.losses.contrast import patch_contrast
from impasto.losses.tones import tone_difference
from impasto.method import Method, MethodOptions, TrainingState, require_gradients
from impasto.networks.augmentation import Augmentation, AugmentOptions
from impasto.networks.initialise import initialise
from impasto.networks.noise import noise_of
from impasto.networks.patch_discriminator import PatchDiscriminator, need_patches
from impasto.networks.patch_projections import PatchProjections, draw_places, initialise_projections
from impasto.networks.resnet_generator import ResNetGenerator, Upsampling, translate

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class CUTOptions(MethodOptions):
    """The paper's settings are the defaults."""

    name: Literal["cut"] = "cut"
    width: int = Field(64, ge=4, le=512)
    """Channels after the generator's first convolution; the paper's networks have 64."""
    blocks: int = Field(9, ge=1, le=32)
    """Residual blocks of the generator; patches are compared after the first and the middle one."""
    upsampling: Upsampling = "transposed"
    """How the generator doubles: by transposed convolutions, or resized pixels, which leave no checkerboard."""
    underpainting: int = Field(0, ge=0, le=15)
    """Radius, pixels, of the dabs in which the generator sees its photo, and upon which it paints; 0, as in the paper,
    shows it the photo and gives it a bare canvas. Inside a dab it has to invent strokes; between them colours and edges
    stay what they are, although instance normalization forgets them."""
    noise: float = Field(0, ge=0, le=1)
    """Deviation of the noise, of colours in [-1, 1], that breaks these dabs where the photo is even: an even sky would
    be painted everywhere alike."""
    discriminator_width: int = Field(64, ge=4, le=512)
    """Channels after the discriminator's first convolution."""
    contrast_weight: float = Field(1.0, ge=0)
    """lambda_X in equation 5: how much a painting is to keep of its photo."""
    identity_weight: float = Field(1.0, ge=0)
    """lambda_Y in equation 5: how much a painting is to keep of itself; 0 turns the identity term off."""
    patches: int = Field(256, ge=2, le=4096)
    """Places of an image that are compared, at each depth."""
    contrast_from: int = Field(0, ge=0, le=3)
    """The finest depth at which patches are compared: 0 for pixels, as in the paper; 1 and 2 for what the halving
    convolutions return, 3 for residual blocks. What is finer may change, and noise in flat skies need not be kept."""
    tone_weight: float = Field(0.0, ge=0)
    """How much a painting is to keep of its photo's colours, blurred over 16 pixels; the paper has no such term. Where
    pixels are not compared, it is what keeps skies blue."""
    temperature: float = Field(0.07, gt=0, le=10)
    """tau in equation 3, by which likenesses are divided."""
    augment: AugmentOptions = AugmentOptions()
    """Alters what the discriminator sees; the paper does not."""
    learning_rate: float = Field(2.0e-4, gt=0, le=1)
    beta1: float = Field(0.5, ge=0, lt=1)
    """Adam's first decay rate; the second is 0.999."""

    @model_validator(mode="after")
    def _has_dabs_to_break(self) -> CUTOptions:
        if self.noise and not self.underpainting:
            raise ValueError("noise breaks the dabs of an underpainting; say method.underpainting=6 or method.noise=0")
        return self


class CUT(Method[UnpairedImages, Images]):
    """A generator, a discriminator of its paintings, and projections in which patches are compared."""

    Options = CUTOptions
    batch_type = UnpairedImages
    prompt_type = Images

    def __init__(self, options: CUTOptions, spec: ImageSpec) -> None:
        need_patches(spec.size, options.name)
        self.options = options
        self.to_painting = ResNetGenerator(
            spec.channels,
            options.width,
            options.blocks,
            upsampling=options.upsampling,
            underpainting=options.underpainting,
            noise=options.noise,
        )  # G
        self.projections = PatchProjections(self.to_painting.depth_widths[options.contrast_from :])  # H
        self.discriminator = PatchDiscriminator(spec.channels, options.discriminator_width)  # D
        for network in (self.to_painting, self.discriminator):
            initialise(network)
        initialise_projections(self.projections)

    def networks(self) -> Mapping[str, nn.Module]:
        """Return the generator."""
        return {"to_painting": self.to_painting}

    @property
    def reach(self) -> int:
        """See Painter."""
        return self.to_painting.reach

    def prepare(self, fabric: Fabric) -> TrainingState:
        """Make one Adam for the generator and the projections and one for the discriminator."""
        self.fabric = fabric
        for network in (self.to_painting, self.projections, self.discriminator):
            network.to(fabric.device)
        self.generator_optimizer = self.adopted(self._adam(self.to_painting, self.projections))
        self.discriminator_optimizer = self.adopted(self._adam(self.discriminator))
        self.augment = Augmentation(self.options.augment)
        return TrainingState(
            optimizers={"generator": self.generator_optimizer, "discriminator": self.discriminator_optimizer},
            networks={"discriminator": self.discriminator, "projections": self.projections},
            memory={"augment": self.augment},
        )

    def training_step(self, batch: UnpairedImages, clock: Clock) -> Mapping[str, Tensor]:  # noqa: ARG002
        """Update the discriminator, then the generator and the projections against it."""
        photos, paintings = batch
        pictures = torch.cat([photos, paintings]) if self.options.identity_weight > 0 else photos
        features = self.to_painting.encode(self.to_painting.underpaint(pictures))
        painted = self.to_painting.decode(features)
        judged = self._update_discriminator(paintings, painted[: len(photos)].detach())
        return {**self._update_generator(photos, features, painted), **judged}

    def _update_discriminator(self, paintings: Tensor, fakes: Tensor) -> dict[str, Tensor]:
        """Lower the loss on real paintings and on fakes."""
        shown = self.augment(torch.cat([paintings.to(fakes.dtype), fakes]))
        real, fake = torch.split(self.discriminator(shown), len(paintings))
        loss = least_squares(real, 1.0) + least_squares(fake, 0.0)
        norm = self.descend(loss, self.discriminator_optimizer)
        self.tell_augmentation(self.augment, real.detach() - 0.5, paintings)
        return {
            "discriminator/loss": loss.detach(),
            "discriminator/accuracy": share_judged_right(real, fake, 0.5),
            "discriminator/gradient_norm": norm,
            **self.augment.scalars(),
        }

    def _update_generator(self, photos: Tensor, features: Sequence[Tensor], painted: Tensor) -> dict[str, Tensor]:
        """Lower equation 5, given what was painted and the features it was painted from, those of photos first."""
        options, count = self.options, len(photos)
        require_gradients([self.discriminator], needed=False)
        adversarial = least_squares(self.discriminator(self.augment(painted[:count])), 1.0)
        contrast, identity = self._contrasts(features, painted, count)
        tones = tone_difference(painted[:count], photos)
        total = adversarial + options.contrast_weight * contrast + options.identity_weight * identity
        total = total + options.tone_weight * tones
        norm = self.descend(total, self.generator_optimizer)
        require_gradients([self.discriminator], needed=True)
        losses = {
            "adversarial": adversarial,
            "contrast": contrast,
            "identity": identity,
            "tones": tones,
            "total": total,
        }
        losses["gradient_norm"] = norm
        return {f"generator/{name}": loss.detach() for name, loss in losses.items()}

    def _contrasts(self, features: Sequence[Tensor], painted: Tensor, photos: int) -> tuple[Tensor, Tensor]:
        """Return PatchNCE, meaned over depths, of the first `photos` pictures and of the others, 0 where none are."""
        compared, found = (
            depths[self.options.contrast_from :] for depths in (features, self.to_painting.encode(painted))
        )
        places = draw_places(compared, self.options.patches)
        queries = self.projections(found, places)
        with torch.no_grad():  # after the queries: autocast keeps the weights it rounds, and those of here lead nowhere
            keys = self.projections(compared, places)
        halves = [zip(q.split(photos), k.split(photos), strict=True) for q, k in zip(queries, keys, strict=True)]
        losses = [torch.stack([patch_contrast(q, k, self.options.temperature) for q, k in half]) for half in halves]
        of_photos, *of_paintings = torch.stack(losses).mean(0)
        return of_photos, of_paintings[0] if of_paintings else torch.zeros_like(of_photos)

    def paint(self, prompt: Images, generator: torch.Generator) -> Tensor:
        """Turn photos into paintings of the same height and width; noise is the generator's seed's."""
        with noise_of(generator):
            return translate(self.to_painting, prompt.images)

    def _adam(self, *networks: nn.Module) -> Adam:
        weights = itertools.chain.from_iterable(network.parameters() for network in networks)
        return Adam(weights, self.options.learning_rate, betas=(self.options.beta1, 0.999), fused=True)
