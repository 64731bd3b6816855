"""A latent walk between two points and back: latents along an arc, class weights along a line."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor

from impasto.data.prompts import ClassPrompt
from impasto.networks.latents import between
from impasto.painting.class_pictures import Progress, all_class_pictures
from impasto.painting.class_requests import Request
from impasto.painting.painters import LoadedPainter


class Idea(NamedTuple):
    """An end point of a walk: class weights and a latent."""

    request: Request
    seed: int
    """Seed of the latent."""
    latent: Tensor
    """[Z]"""


def walk_frames(
    loaded: LoadedPainter, start: Idea, end: Idea, frames: int, progress: Progress | None = None
) -> list[Image.Image]:
    """Return the RGB pictures of a walk from one point to the other and back. It loops without a jump.

    The way back shows the frames of the way there in reverse order.
    """
    positions = there(frames)
    weights = torch.lerp(start.request.weights, end.request.weights, positions[:, None])
    latents = between(start.latent, end.latent, positions)
    pictures = all_class_pictures(loaded, ClassPrompt(weights, latents), progress, film=True)
    return [pictures[min(frame, frames - frame)] for frame in range(frames)]


def there(frames: int) -> Tensor:
    """Return the positions in 0..1 of the way there, the first half of a loop of `frames`. Both ends are slow.

    With an odd number of frames, the turning point is between two frames.
    """
    return (1 - torch.cos(torch.arange(frames // 2 + 1) * (2 * math.pi / frames))) / 2
