"""Losses between an image and its classes. There can be several attributes, and labels can be unknown.

A attributes with K_1 ... K_A classes share one vector of K = K_1 + ... + K_A numbers. A negative label is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional


def one_hot(labels: Tensor, attributes: Sequence[int]) -> Tensor:
    """Return the conditions float32 [N, K] of labels int64 [N, A]. An unknown attribute gives zeros."""
    parts = []
    for column, classes in zip(labels.unbind(1), attributes, strict=True):
        known = (column >= 0)[:, None]
        parts.append(functional.one_hot(column.clamp(min=0), classes) * known)
    return torch.cat(parts, 1).float()


def label_loss(logits: Tensor, labels: Tensor, attributes: Sequence[int]) -> Tensor:
    """Return the cross-entropy of logits [N, K] and labels int64 [N, A], in float32.

    It is the mean over the images of known class, summed over attributes. An attribute that no image knows gives 0.
    With one attribute it is the label term of Gilles and Perrin, section III-B.1 (docs/methods/conditional-gans.md).
    """
    total = logits.new_zeros((), dtype=torch.float32)
    for part, column in zip(torch.split(logits.float(), list(attributes), 1), labels.unbind(1), strict=True):
        known = column >= 0
        losses = functional.cross_entropy(part, column.clamp(min=0), reduction="none")
        total = total + (losses * known).sum() / known.sum().clamp(min=1)
    return total


def label_accuracy(logits: Tensor, labels: Tensor, attributes: Sequence[int]) -> Tensor:
    """Return the share, 0 to 1, of known labels int64 [N, A] that have the largest logit of [N, K]."""
    parts = torch.split(logits, list(attributes), 1)
    ranked = torch.stack([part.argmax(1) for part in parts], 1)
    known = labels >= 0
    return ((ranked == labels) & known).sum() / known.sum().clamp(min=1)
