"""Losses of a discriminator that tells K classes and, as one more class, "fake".

Salimans et al. 2016 (arXiv:1606.03498), section 5, and the corrected equations of GANtor-v2
(docs/methods/stacked-gans.md, "Losses"). With logits l and Z = log sum exp l over the K classes:

implicit: the logit of "fake" is fixed at 0, so p_k = exp(l_k) / (1 + exp Z) and p_fake = 1 / (1 + exp Z)
explicit: the logit of "fake" is the last of K + 1 logits under one softmax
sigmoid: each of the K + 1 classes is a binary decision
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

Head = Literal["implicit", "explicit", "sigmoid"]


def outputs(classes: int, head: Head) -> int:
    """Return the number of logits that a discriminator gives."""
    return classes if head == "implicit" else classes + 1


def class_loss(logits: Tensor, labels: Tensor, head: Head) -> Tensor:
    """Return the mean of -log p_k of logits [N, outputs] and labels int64 [N], in float32.

    With the sigmoid head it is the sum of K + 1 binary cross-entropies.
    """
    return _cross_entropies(logits, labels, head).mean()


def fake_loss(logits: Tensor, head: Head) -> Tensor:
    """Return the mean of -log p_fake of logits [N, outputs], in float32. With the implicit head it is softplus(Z)."""
    classes = logits.shape[1] - (0 if head == "implicit" else 1)
    fake = torch.full((len(logits),), classes, device=logits.device)
    return _cross_entropies(logits, fake, head).mean()


def real_logits(logits: Tensor, head: Head) -> Tensor:
    """Return the logit of p(real) = 1 - p_fake, float32 [N], of logits [N, outputs]. With the implicit head it is Z."""
    logits = _with_fake(logits, head)
    return -logits[:, -1] if head == "sigmoid" else logits[:, :-1].logsumexp(1) - logits[:, -1]


def _cross_entropies(logits: Tensor, labels: Tensor, head: Head) -> Tensor:
    """Return the cross-entropies, float32 [N], of logits [N, outputs] and labels int64 [N]. The label K is "fake"."""
    logits = _with_fake(logits, head)
    if head != "sigmoid":
        return functional.cross_entropy(logits, labels, reduction="none")
    targets = functional.one_hot(labels, logits.shape[1]).float()
    return functional.binary_cross_entropy_with_logits(logits, targets, reduction="none").sum(1)


def _with_fake(logits: Tensor, head: Head) -> Tensor:
    """Return K + 1 logits in float32. The last is "fake"."""
    return functional.pad(logits.float(), (0, 1)) if head == "implicit" else logits.float()
