"""Augmentation of everything that a discriminator sees, so that it learns from few pictures without memorising them.

Zhao et al. 2020, "Differentiable augmentation for data-efficient GAN training" (arXiv:2006.10738), and Karras et al.
2020, "Training generative adversarial networks with limited data" (arXiv:2006.06676): real and painted images are
altered alike, and gradients pass through to the generator. Both draw new parameters for each image.

Departures from the second: its strongest set, "bgc" (pixel blitting, geometry, colour), is the only one, geometry is
sampled bilinearly without its wavelet filter, so that strongly reduced images alias a little, and its probability has
an upper limit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torch.nn import functional as F

AugmentationKind = Literal["none", "diffaugment", "ada"]
Policy = Literal["colour", "translation", "cutout"]

BATCHES = 4
"""Batches over which the discriminator's signs are averaged before ADA's probability moves (Karras et al., section
3.2)."""


class AugmentOptions(BaseModel):
    """What happens to the images that a discriminator sees."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: AugmentationKind = "none"
    """none. diffaugment: always, by a few policies. ada: by many, with a probability that follows the overfitting."""
    policies: tuple[Policy, ...] = Field(("colour", "translation", "cutout"), min_length=1)
    """diffaugment: its policies, in order."""
    target: float = Field(0.6, gt=-1, lt=1)
    """ada: target for the mean sign of the scores of real images. Above it the discriminator overfits."""
    images_to_full: int = Field(500_000, ge=1)
    """ada: images in which the probability moves from 0 to 1 if it rises all the time."""
    maximum: float = Field(0.8, gt=0, le=1)
    """ada: the largest probability; above 0.8 alterations begin to show in the paintings (section 3.1)."""


class Augmentation:
    """Alters images according to its options. All random numbers come from torch's global generator.

    Second derivatives do not pass through it: a gradient penalty is taken at augmented images.
    """

    def __init__(self, options: AugmentOptions) -> None:
        self.options = options
        self._probability = torch.zeros(())
        self._signs = torch.zeros(())
        self._images = self._batches = 0

    def __call__(self, images: Tensor) -> Tensor:
        """Alter images [N, C, S, S] in [-1, 1], C = 1 or 3, each in its own way; kind `none` returns them unchanged.

        The result is of the same type, computed in float32 at least; it may leave [-1, 1].
        """
        if self.options.kind == "none":
            return images
        with torch.autocast(images.device.type, enabled=False):
            exact = images.to(torch.promote_types(images.dtype, torch.float32))
            return self._altered(exact).to(images.dtype)

    def _altered(self, images: Tensor) -> Tensor:
        if self.options.kind == "ada":
            return recoloured(moved(images, self._probability), self._probability)
        for policy in self.options.policies:
            images = POLICIES[policy](images)
        return images

    def scalars(self, seen_by: str = "discriminator") -> Mapping[str, Tensor]:
        """Return what to log after `observe`: ADA's probability, nothing for the other kinds."""
        return {f"{seen_by}/augment_probability": self._probability} if self.options.kind == "ada" else {}

    def observe(self, sign_mean: Tensor, images: int) -> None:
        """Take in E[sign(D(x))] over a batch of `images` augmented real images x, both of all devices together.

        After every four batches ADA's probability moves by their images / images_to_full, up where the mean sign is
        above the target and else down (section 3.2). Does nothing for the other kinds.
        """
        if self.options.kind != "ada":
            return
        self._probability = self._probability.to(sign_mean.device)
        self._signs = self._signs.to(sign_mean.device) + sign_mean.detach().float()
        self._images, self._batches = self._images + images, self._batches + 1
        if self._batches == BATCHES:
            direction = torch.sign(self._signs / BATCHES - self.options.target)
            step = direction * (self._images / self.options.images_to_full)
            self._probability = (self._probability + step).clamp(0, self.options.maximum)
            self._signs, self._images, self._batches = torch.zeros_like(self._signs), 0, 0

    def state_dict(self) -> dict[str, Any]:
        """Return the probability, and what was seen since it last moved."""
        seen = {"signs": self._signs, "images": self._images, "batches": self._batches}
        return {"probability": self._probability, **seen}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self._probability, self._signs = state_dict["probability"], state_dict["signs"]
        self._images, self._batches = state_dict["images"], state_dict["batches"]


# Differentiable augmentation: each is always applied


def jittered(images: Tensor) -> Tensor:
    """Change brightness by U(-0.5, 0.5), saturation by a factor U(0, 2) and contrast by a factor U(0.5, 1.5)."""
    brightness, saturation, contrast = torch.rand(3, len(images), 1, 1, 1, dtype=images.dtype, device=images.device)
    images = images + (brightness - 0.5)
    grey = images.mean(1, keepdim=True)
    images = grey + (images - grey) * (saturation * 2)
    mean = images.mean((1, 2, 3), keepdim=True)
    changed: Tensor = mean + (images - mean) * (contrast + 0.5)
    return changed


def shifted(images: Tensor) -> Tensor:
    """Shift by up to an eighth of the size, in whole pixels, along both axes; fill with zeros."""
    size = images.shape[-1]
    pixels = torch.randint(-(size // 8), size // 8 + 1, (2, len(images)), device=images.device)
    across, down = pixels.to(images.dtype) * (2 / size)
    places = F.affine_grid(_translation(across, down)[:, :2], list(images.shape), align_corners=False)
    return F.grid_sample(images, places, mode="nearest", padding_mode="zeros", align_corners=False)


def cut_out(images: Tensor) -> Tensor:
    """Set to zero a square of half the size, centred anywhere in the image; what leaves the image is cut off."""
    size = images.shape[-1]
    side = size // 2
    centres = torch.randint(0, size + 1 - side % 2, (2, len(images), 1), device=images.device)
    from_edge = torch.arange(size, device=images.device) - (centres - side // 2)
    down, across = (from_edge >= 0) & (from_edge < side)
    kept: Tensor = ~(down[:, None, :, None] & across[:, None, None, :])
    return images * kept


POLICIES: Mapping[Policy, Callable[[Tensor], Tensor]] = {
    "colour": jittered,
    "translation": shifted,
    "cutout": cut_out,
}


# Adaptive augmentation: each is applied with a probability (Karras et al., appendix B)


class _Chance(NamedTuple):
    """Draws a number for each of N images, or the neutral number where an image stays as it is."""

    like: Tensor
    """[N], for its length, type and device"""
    probability: Tensor

    def uniform(self) -> Tensor:
        return torch.rand_like(self.like)

    def normal(self) -> Tensor:
        return torch.randn_like(self.like)

    def some(self, drawn: Tensor, neutral: float, probability: Tensor | None = None) -> Tensor:
        """Keep drawn [..., N] with the probability, the same images of all rows."""
        spared = self.uniform() >= (self.probability if probability is None else probability)
        return drawn.masked_fill(spared, neutral)


def moved(images: Tensor, probability: Tensor) -> Tensor:
    """Mirror, turn, shift, scale and stretch images in one sampling; the border is reflected.

    Images that nothing was drawn for stay as they are to the last bit.
    """
    places = _places(_Chance(images[:, 0, 0, 0].detach(), probability.to(images.device)), images.shape[-1])
    grid = F.affine_grid(places[:, :2], list(images.shape), align_corners=False)
    sampled = F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    stays = (places == torch.eye(3, dtype=places.dtype, device=places.device)).all(2).all(1)
    return torch.where(stays[:, None, None, None], images, sampled)


def _places(chance: _Chance, size: int) -> Tensor:
    """Return [N, 3, 3]: where in an image, from -1 to 1, each place of the altered image comes from."""
    one = torch.ones_like(chance.like)
    mirrored = chance.some(1 - 2 * torch.floor(chance.uniform() * 2), 1)
    quarters = chance.some(torch.floor(chance.uniform() * 4), 0)
    across, down = chance.some(torch.stack([chance.uniform(), chance.uniform()]) * 0.25 - 0.125, 0)
    scale = chance.some(torch.exp2(chance.normal() * 0.2), 1)
    either = 1 - torch.sqrt(1 - chance.probability)  # of two rotations, so that there is one with the probability
    before = chance.some((chance.uniform() * 2 - 1) * math.pi, 0, either)
    stretch = chance.some(torch.exp2(chance.normal() * 0.2), 1)
    after = chance.some((chance.uniform() * 2 - 1) * math.pi, 0, either)
    drift = chance.some(torch.stack([chance.normal(), chance.normal()]) * 0.125, 0)
    places = _scaling(mirrored, one)
    for step in (
        _quarter_turn(quarters),
        _translation(torch.round(across * size) * (2 / size), torch.round(down * size) * (2 / size)),
        _scaling(scale, scale),
        _rotation(torch.cos(before), torch.sin(before)),
        _scaling(stretch, 1 / stretch),
        _rotation(torch.cos(after), torch.sin(after)),
        _translation(*(2 * drift)),
    ):
        places = (places[:, :, :, None] * step[:, None]).sum(2)  # a matrix product; a GPU's would round to TF32
    return places


def recoloured(images: Tensor, probability: Tensor) -> Tensor:
    """Change brightness and contrast and turn light to dark; change hue and saturation where there is colour.

    With the luma axis v = (1, 1, 1) / sqrt(3), what all of these do to a colour is one matrix: a factor along v, and
    a factor and a rotation around it. Images that nothing was drawn for stay as they are to the last bit.
    """
    chance = _Chance(images[:, 0, 0, 0].detach(), probability.to(images.device))
    brightness = chance.some(chance.normal() * 0.2, 0)
    contrast = chance.some(torch.exp2(chance.normal() * 0.5), 1)
    light = contrast * chance.some(1 - 2 * torch.floor(chance.uniform() * 2), 1)
    shift = brightness * light
    if images.shape[1] == 1:
        return images * light[:, None, None, None] + shift[:, None, None, None]
    hue = chance.some((chance.uniform() * 2 - 1) * math.pi, 0)
    colour = contrast * chance.some(torch.exp2(chance.normal()), 1)
    matrices = _colour_matrices(light, colour, hue)
    mixed = torch.baddbmm(shift[:, None, None], matrices, images.flatten(2)).view_as(images)
    stays = (light == 1) & (colour == 1) & (hue == 0) & (shift == 0)
    return torch.where(stays[:, None, None, None], images, mixed)


def _colour_matrices(light: Tensor, colour: Tensor, hue: Tensor) -> Tensor:
    """Return [N, 3, 3] that multiply by `light` along the luma axis, and by `colour` and turned by `hue` across it."""
    along = torch.full((3, 3), 1 / 3, dtype=hue.dtype, device=hue.device)
    across = torch.eye(3, dtype=hue.dtype, device=hue.device) - along
    turned = along.new_tensor([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)  # the cross product with the axis
    light, colour, hue = light[:, None, None], colour[:, None, None], hue[:, None, None]
    return light * along + colour * (torch.cos(hue) * across + torch.sin(hue) * turned)


def _scaling(across: Tensor, down: Tensor) -> Tensor:
    zero, one = torch.zeros_like(across), torch.ones_like(across)
    return _matrices((across, zero, zero), (zero, down, zero), (zero, zero, one))


def _translation(across: Tensor, down: Tensor) -> Tensor:
    zero, one = torch.zeros_like(across), torch.ones_like(across)
    return _matrices((one, zero, across), (zero, one, down), (zero, zero, one))


def _rotation(cosine: Tensor, sine: Tensor) -> Tensor:
    zero, one = torch.zeros_like(cosine), torch.ones_like(cosine)
    return _matrices((cosine, -sine, zero), (sine, cosine, zero), (zero, zero, one))


def _quarter_turn(quarters: Tensor) -> Tensor:
    """Turn by 0 to 3 right angles, exactly."""
    return _rotation((quarters == 0).to(quarters) - (quarters == 2).to(quarters), (quarters % 2) * (2 - quarters))


def _matrices(*rows: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Return [N, 3, 3] from rows of entries [N]."""
    return torch.stack([torch.stack(row, -1) for row in rows], -2)
