"""Wrong pairs, of an image and the class of another: a discriminator that is told the class must refuse them.

Reed et al. 2016 (arXiv:1605.05396), section 4.2, as in the code of StackGAN and GANtor-v1 (spec 02, v1 losses).
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def wrong_pairs(labels: Tensor) -> Tensor:
    """Say [N] whether image i and the labels of image i - 1 are a wrong pair; labels are int64 [N, A].

    They are where one attribute at least is known of both (0 or more) and differs; `labels.roll(1, 0)` are the pairs'
    labels.
    """
    others = labels.roll(1, 0)
    return ((labels != others) & (labels >= 0) & (others >= 0)).any(1)


def refusal(logits: Tensor, wrong: Tensor) -> Tensor:
    """Return the binary cross-entropy against 0 of logits [N], meaned over the pairs that are wrong, bool [N].

    0 where none is. Computed in float32.
    """
    return (functional.softplus(logits.float()) * wrong).sum() / wrong.sum().clamp(min=1)
