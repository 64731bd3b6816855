"""Adversarial losses."""

from __future__ import annotations

from torch import Tensor


def least_squares(verdicts: Tensor, target: float) -> Tensor:
    """Mean squared distance of a discriminator's verdicts, any shape, from `target` (1 for real, 0 for fake).

    Mao et al. 2017 (arXiv:1611.04076), equation 9 with a = 0 and b = c = 1, without the halves. Computed in float32.
    """
    return (verdicts.float() - target).square().mean()
