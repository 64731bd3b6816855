"""Pictures from class weights and latents, with the painter that a user named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from impasto import __version__
from impasto.data.transforms import to_picture
from impasto.errors import PainterError
from impasto.hardware import has_bf16
from impasto.method import LatentPainter
from impasto.painting.painters import LoadedPainter

Progress = Callable[[int, int], None]
"""Is told how many of how many are done."""
MOST_TOGETHER = 16
PIXELS_TOGETHER = 2**17
"""Of a batch: a few hundred megabytes of activations at any size."""


def latent_painter(loaded: LoadedPainter) -> LatentPainter:
    """Return the painter, which paints from labels and latents; raise PainterError where it does not."""
    if not isinstance(loaded.painter, LatentPainter):
        raise PainterError(
            f"{loaded.name} ({loaded.recipe.method.name}) does not paint from labels; name a painter that does"
        )
    return loaded.painter


def draw_pictures(painter: LatentPainter, weights: Tensor, latents: Tensor) -> Iterator[Image.Image]:
    """Yield an RGB picture for each row of class weights [N, K] and latents [N, Z], in bfloat16 where that is native.

    Batches are filled up to the same size, so that the n-th picture is the same however many follow.
    """
    device, together = painter.device, _batch_size(painter.spec.size)
    for some_weights, some_latents in zip(torch.split(weights, together), torch.split(latents, together), strict=True):
        asked, ideas = _filled(some_weights, together).to(device), _filled(some_latents, together).to(device)
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device.type)):
            images = painter.draw(asked, ideas)
        for image in images[: len(some_weights)]:
            yield to_picture(image)


def draw_all(
    painter: LatentPainter, weights: Tensor, latents: Tensor, progress: Progress | None = None
) -> list[Image.Image]:
    """Return the pictures of draw_pictures."""
    pictures = []
    for done, picture in enumerate(draw_pictures(painter, weights, latents), start=1):
        pictures.append(picture)
        if progress:
            progress(done, len(weights))
    return pictures


def made_by(loaded: LoadedPainter) -> dict[str, Any]:
    """Return what any picture says of its painter, for its signature."""
    return {
        "painter": loaded.name,
        "method": loaded.recipe.method.name,
        "images_seen": loaded.images_seen,
        "weights": loaded.fingerprint,
        "impasto": __version__,
    }


def said_of(loaded: LoadedPainter) -> str:
    """Return what stands below a sheet: which painter, and how long it learned."""
    return f"{loaded.name} ({loaded.recipe.method.name}) after {loaded.images_seen:,} images"


def _batch_size(side: int) -> int:
    return max(1, min(MOST_TOGETHER, PIXELS_TOGETHER // side**2))


def _filled(rows: Tensor, length: int) -> Tensor:
    """Repeat the last row until there are `length`."""
    return torch.cat([rows, rows[-1:].expand(length - len(rows), -1)])
