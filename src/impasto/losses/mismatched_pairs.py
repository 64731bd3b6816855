"""Mismatched pairs: a real image with the class of another image. A conditional discriminator must reject them.

Reed et al. 2016 (arXiv:1605.05396), section 4.2, as in the code of StackGAN and GANtor-v1
(docs/methods/stacked-gans.md, "Losses").
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def mismatched_pairs(labels: Tensor) -> Tensor:
    """Return bool [N]: whether image i and the labels of image i - 1 are a mismatched pair. Labels are int64 [N, A].

    A pair is mismatched if at least one attribute is known for both images (0 or more) and differs. The labels of the
    pairs are `labels.roll(1, 0)`.
    """
    others = labels.roll(1, 0)
    return ((labels != others) & (labels >= 0) & (others >= 0)).any(1)


def mismatch_loss(logits: Tensor, mismatched: Tensor) -> Tensor:
    """Return the mean binary cross-entropy of logits [N] against 0, over the pairs that are mismatched, bool [N].

    It is 0 if no pair is mismatched. Computed in float32.
    """
    return (functional.softplus(logits.float()) * mismatched).sum() / mismatched.sum().clamp(min=1)
