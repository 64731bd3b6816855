"""A walk between two ideas: latents along an arc, class weights along a line, there and back again."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor

from impasto.method import LatentPainter
from impasto.painting.drawing import Progress, draw_all
from impasto.painting.latents import between
from impasto.painting.prompts import Request


class Idea(NamedTuple):
    """Where a walk begins or turns."""

    request: Request
    seed: int
    """Of the latent."""
    latent: Tensor
    """[Z]"""


def walk_frames(
    painter: LatentPainter, start: Idea, end: Idea, frames: int, progress: Progress | None = None
) -> list[Image.Image]:
    """Return the RGB pictures of a walk from one idea to the other and back, which can be repeated without a jolt."""
    positions = there(frames)
    weights = torch.lerp(start.request.weights, end.request.weights, positions[:, None])
    latents = between(start.latent, end.latent, positions)
    pictures = draw_all(painter, weights, latents, progress)
    return [pictures[min(frame, frames - frame)] for frame in range(frames)]


def there(frames: int) -> Tensor:
    """Return the positions in 0..1 of the way there, the first half of a loop of `frames`: slow at both ends.

    With an odd number of frames the turning point lies between two of them.
    """
    return (1 - torch.cos(torch.arange(frames // 2 + 1) * (2 * math.pi / frames))) / 2
