"""A painter of classes that needs no training: each pixel is a known function of class weights and latent."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from impasto.data.batches import ImageSpec
from impasto.painter import LatentPainter, LatentPaintOptions
from impasto.painting.painters import LoadedPainter
from impasto.recipe import load_recipe

STYLES = ("ukiyo_e", "impressionism", "baroque")
SPEC = ImageSpec(3, 8, STYLES)
TWO_ATTRIBUTES = ImageSpec(
    3, 8, ("style=ukiyo_e", "style=baroque", "style=other", "genre=landscape", "genre=other"), (3, 2)
)


class ColourPainter(LatentPainter):
    """Each image is tanh(A y + B z): linear before the squashing, so the weights of a mixture add up."""

    def __init__(self, spec: ImageSpec, latent_size: int = 5) -> None:
        self.spec, self.latent_size = spec, latent_size
        self.layer = nn.Linear(len(spec.classes) + latent_size, spec.channels * spec.size**2)
        with torch.no_grad():
            chance = torch.Generator().manual_seed(1)
            self.layer.weight.copy_(torch.randn(self.layer.weight.shape, generator=chance) / 2)
            self.layer.bias.zero_()

    def networks(self) -> Mapping[str, nn.Module]:
        return {"layer": self.layer}

    def draw(self, weights: Tensor, latents: Tensor) -> Tensor:
        flat = torch.tanh(self.layer(torch.cat([weights, latents], 1)).float())
        return flat.unflatten(1, (self.spec.channels, self.spec.size, self.spec.size))


def colour_painter(spec: ImageSpec = SPEC, **options: object) -> LoadedPainter:
    return LoadedPainter(
        "colours",
        ColourPainter(spec),
        load_recipe("cdcgan-atelier"),
        spec,
        LatentPaintOptions.model_validate(options),
        images_seen=4000,
        fingerprint="0123456789abcdef",
    )
