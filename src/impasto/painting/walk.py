"""A walk between two ideas: latents along an arc, class weights along a line, there and back again."""

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
    """Where a walk begins or turns."""

    request: Request
    seed: int
    """Of the latent."""
    latent: Tensor
    """[Z]"""


def walk_frames(
    loaded: LoadedPainter, start: Idea, end: Idea, frames: int, progress: Progress | None = None
) -> list[Image.Image]:
    """Return the RGB pictures of a walk from one idea to the other and back, which repeats without a jump.

    The way back shows the frames of the way there in reverse.
    """
    positions = there(frames)
    weights = torch.lerp(start.request.weights, end.request.weights, positions[:, None])
    latents = between(start.latent, end.latent, positions)
    pictures = all_class_pictures(loaded, ClassPrompt(weights, latents), progress, film=True)
    return [pictures[min(frame, frames - frame)] for frame in range(frames)]


def there(frames: int) -> Tensor:
    """Return the positions in 0..1 of the way there, the first half of a loop of `frames`: slow at both ends.

    With an odd number of frames the turning point lies between two of them.
    """
    return (1 - torch.cos(torch.arange(frames // 2 + 1) * (2 * math.pi / frames))) / 2
