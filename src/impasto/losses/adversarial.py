"""Adversarial losses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional


def least_squares(scores: Tensor, target: float) -> Tensor:
    """Return the mean squared distance of a discriminator's scores, any shape, from `target`: 1 for real, 0 for fake.

    Mao et al. 2017 (arXiv:1611.04076), equation 9 with a = 0 and b = c = 1, without the halves. Computed in float32.
    """
    return (scores.float() - target).square().mean()


def cross_entropy(logits: Tensor, target: float) -> Tensor:
    """Return the mean binary cross-entropy of logits, any shape, against `target`: 1 for real, 0 for fake.

    Goodfellow et al. 2014 (arXiv:1406.2661), equation 1. Against 1 for fakes it is the non-saturating loss of the
    generator (section 3). Computed in float32.
    """
    logits = logits.float()
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


class AdversarialLoss(NamedTuple):
    """A kind of adversarial loss: what a discriminator's scores of real and of fake images cost it.

    The generator's loss is `on_real` of the scores of its fakes.
    """

    on_real: Callable[[Tensor], Tensor]
    on_fake: Callable[[Tensor], Tensor]
    boundary: float
    """The score between real and fake."""


LEAST_SQUARES = AdversarialLoss(partial(least_squares, target=1.0), partial(least_squares, target=0.0), boundary=0.5)
CROSS_ENTROPY = AdversarialLoss(partial(cross_entropy, target=1.0), partial(cross_entropy, target=0.0), boundary=0.0)


def discriminator_accuracy(real: Tensor, fake: Tensor, boundary: Tensor | float = 0.0) -> Tensor:
    """Return the share, 0 to 1, of scores on the right side of the boundary: above it for real images, below for fakes.

    Scores have any shape. Real and fake images have the same weight, whatever their numbers.
    """
    return ((real > boundary).float().mean() + (fake < boundary).float().mean()) / 2


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """Mean of (norm of the critic's gradient - 1)^2 at points drawn between real and fake images [N, C, H, W].

    Gulrajani et al. 2017 (arXiv:1704.00028), equation 3 without lambda: one random number for each image says where
    between the two the gradient is taken; the norm is over all of an image, in float32. `critic` gives scores of any
    shape that has one number for each image, and is differentiated twice, for which its graph is kept. Neither image
    gets a gradient.
    """
    between = torch.rand(len(real), 1, 1, 1, device=real.device)
    points = torch.lerp(fake.detach().float(), real.detach().float(), between).requires_grad_()
    (gradients,) = torch.autograd.grad(critic(points).float().sum(), points, create_graph=True)
    norms: Tensor = gradients.flatten(1).norm(2, dim=1)
    return (norms - 1).square().mean()
