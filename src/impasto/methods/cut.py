"""CUT: translates photos into paintings one way, learned from two unrelated collections by comparing patches.

Park, Efros, Zhang and Zhu 2020, "Contrastive learning for unpaired image-to-image translation" (arXiv:2007.15651), with
a least-squares adversarial loss. Instead of CycleGAN's way back, a patch of the painting must identify the photo's
patch at the same place among other patches of the photo, by the features of the generator's first half. Paintings that
pass through the generator are compared with themselves likewise. FastCUT has `contrast_weight: 10`, `identity_weight:
0` and mirrored photos; the mirrored photos are not implemented.

As in the authors' code the discriminator learns first, there is no pool of earlier fakes, and the patch that is to be
identified gets no gradient. Departures from that code: the contrasts have the weights of equation 5, which the code
halves where there is an identity term; the discriminator's loss is not halved, which does not matter to Adam; every
image has its own patches; and the generator is CycleGAN's, which halves and doubles by strided convolutions instead of
blurring, and is initialised as CycleGAN's. The photo's features come from the pass that paints it. The code encodes the
photo again, with the same result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from impasto.adversary import AdversarialOptions, Adversary, adam, adversarial_state, prefixed
from impasto.clock import Clock
from impasto.data.batches import ImageSpec, UnpairedImages
from impasto.data.prompts import PhotoPrompt
from impasto.losses.adversarial import LEAST_SQUARES
from impasto.losses.contrast import patch_contrast
from impasto.losses.tones import tone_difference
from impasto.method import Method, TrainingState
from impasto.networks.initialise import initialise
from impasto.networks.noise import noise_of
from impasto.networks.patch_discriminator import PatchDiscriminator, need_patches
from impasto.networks.patch_projections import PatchProjections, draw_places, initialise_projections
from impasto.networks.resnet_generator import ResNetGenerator, Upsampling, translate
from impasto.painter import PaintContext, PaintOptions, Tiling


class CUTOptions(AdversarialOptions):
    """The paper's settings are the defaults; it has no augmentation."""

    name: Literal["cut"] = "cut"
    width: int = Field(64, ge=4, le=512)
    """Channels after the generator's first convolution; the paper's networks have 64."""
    blocks: int = Field(9, ge=1, le=32)
    """Residual blocks of the generator; patches are compared after the first and the middle one."""
    upsampling: Upsampling = "transposed"
    """How the generator doubles: by transposed convolutions, or resized pixels, which leave no checkerboard."""
    underpainting: int = Field(0, ge=0, le=15)
    """Radius, in pixels, of the dabs of colour that the generator paints on. 0, as in the paper: it paints the photo on
    an empty canvas. Inside a dab the generator invents strokes. Between dabs the colours and edges stay what they are,
    although instance normalization removes them from the features."""
    noise: float = Field(0, ge=0, le=1)
    """Standard deviation of the noise that breaks up dabs in even areas; colours are in [-1, 1]. Without it an even sky
    is painted with one repeated pattern."""
    discriminator_width: int = Field(64, ge=4, le=512)
    """Channels after the discriminator's first convolution."""
    contrast_weight: float = Field(1.0, ge=0)
    """lambda_X in equation 5: weight of the patch contrast between painting and photo."""
    identity_weight: float = Field(1.0, ge=0)
    """lambda_Y in equation 5: weight of the same contrast for paintings. 0 turns the identity term off."""
    patches: int = Field(256, ge=2, le=4096)
    """Number of patches of an image that are compared, at each depth."""
    contrast_from: int = Field(0, ge=0, le=3)
    """The finest depth at which patches are compared: 0 for pixels, as in the paper; 1 and 2 for the outputs of the
    halving convolutions; 3 for residual blocks. Finer detail may then change, such as noise in flat skies."""
    tone_weight: float = Field(0.0, ge=0)
    """Weight of the difference between the colours of painting and photo, both blurred over 16 pixels. The paper has no
    such term. Where pixels are not compared, it keeps skies blue."""
    temperature: float = Field(0.07, gt=0, le=10)
    """tau in equation 3: similarities are divided by it."""

    @model_validator(mode="after")
    def _has_dabs_to_break(self) -> CUTOptions:
        if self.noise and not self.underpainting:
            raise ValueError("noise needs an underpainting; set method.underpainting=6 or method.noise=0")
        return self


class CUT(Method[UnpairedImages, PhotoPrompt]):
    """A generator, a discriminator of its paintings, and projections in which patches are compared."""

    Options = CUTOptions
    batch_type = UnpairedImages
    prompt_type = PhotoPrompt

    def __init__(self, options: CUTOptions, spec: ImageSpec) -> None:
        need_patches(spec.size, options.name)
        self.options, self.spec = options, spec
        self.to_painting = ResNetGenerator(
            spec.channels,
            options.width,
            options.blocks,
            upsampling=options.upsampling,
            underpainting=options.underpainting,
            noise=options.noise,
        )  # G
        initialise(self.to_painting)

    def networks(self) -> Mapping[str, nn.Module]:
        """Return the generator."""
        return {"to_painting": self.to_painting}

    @property
    def tiling(self) -> Tiling:
        """See Painter."""
        return Tiling(self.to_painting.reach, self.to_painting.step)

    def training_state(self) -> TrainingState:
        """Make the projections, the discriminator, and one Adam for the generator and the projections."""
        widths = self.to_painting.depth_widths[self.options.contrast_from :]
        self.projections = PatchProjections(widths).to(self.device)  # H
        initialise_projections(self.projections)
        discriminator = PatchDiscriminator(self.spec.channels, self.options.discriminator_width)  # D
        initialise(discriminator)
        self.adversary = Adversary(self, discriminator, self.options, loss=LEAST_SQUARES)
        self.generator_optimizer = adam(self, self.options, self.to_painting, self.projections)
        return adversarial_state(self.generator_optimizer, self.adversary, networks={"projections": self.projections})

    def training_step(self, batch: UnpairedImages, clock: Clock) -> Mapping[str, Tensor]:  # noqa: ARG002
        """Update the discriminator, then the generator and the projections against it."""
        photos, paintings = batch
        pictures = torch.cat([photos, paintings]) if self.options.identity_weight > 0 else photos
        features = self.to_painting.encode(self.to_painting.underpaint(pictures))
        painted = self.to_painting.decode(features)
        learned = self.adversary.learn(paintings, painted[: len(photos)])
        return {**self._update_generator(photos, features, painted), **learned}

    def _update_generator(self, photos: Tensor, features: Sequence[Tensor], painted: Tensor) -> dict[str, Tensor]:
        """Minimise equation 5, given the paintings and the features they were painted from. Photos come first."""
        options, count = self.options, len(photos)
        adversarial = self.adversary.loss_on(painted[:count])
        contrast, identity = self._contrasts(features, painted, count)
        tones = tone_difference(painted[:count], photos)
        total = adversarial + options.contrast_weight * contrast + options.identity_weight * identity
        total = total + options.tone_weight * tones
        norm = self.descend(total, self.generator_optimizer)
        losses = {"adversarial": adversarial, "contrast": contrast, "identity": identity, "tones": tones}
        return prefixed("generator", {**losses, "total": total, "gradient_norm": norm})

    def _contrasts(self, features: Sequence[Tensor], painted: Tensor, photos: int) -> tuple[Tensor, Tensor]:
        """Return PatchNCE, averaged over depths, of the first `photos` pictures and of the others; 0 for none."""
        compared, found = (
            depths[self.options.contrast_from :] for depths in (features, self.to_painting.encode(painted))
        )
        places = draw_places(compared, self.options.patches)
        queries = self.projections(found, places)
        with torch.no_grad():  # after the queries: autocast caches the rounded weights, and these have no gradient
            keys = self.projections(compared, places)
        halves = [zip(q.split(photos), k.split(photos), strict=True) for q, k in zip(queries, keys, strict=True)]
        losses = [torch.stack([patch_contrast(q, k, self.options.temperature) for q, k in half]) for half in halves]
        of_photos, *of_paintings = torch.stack(losses).mean(0)
        return of_photos, of_paintings[0] if of_paintings else torch.zeros_like(of_photos)

    def paint(self, prompt: PhotoPrompt, options: PaintOptions, context: PaintContext) -> Tensor:  # noqa: ARG002
        """Turn photos into paintings of the same height and width. Noise depends on the seed of the first photo."""
        with noise_of(context.draws.generators[0]):
            return translate(self.to_painting, prompt.photos)
