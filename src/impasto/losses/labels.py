"""Losses that tie an image to its classes, of one attribute or several, some of them unknown.

Classes of A attributes with K_1 ... K_A classes stand side by side in one vector of K = K_1 + ... + K_A numbers. A
label below 0 is not known.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional


def one_hot(labels: Tensor, attributes: Sequence[int]) -> Tensor:
    """Return the conditions float32 [N, K] of labels int64 [N, A]; zeros for an attribute that is not known."""
    parts = []
    for column, classes in zip(labels.unbind(1), attributes, strict=True):
        known = (column >= 0)[:, None]
        parts.append(functional.one_hot(column.clamp(min=0), classes) * known)
    return torch.cat(parts, 1).float()


def label_loss(logits: Tensor, labels: Tensor, attributes: Sequence[int]) -> Tensor:
    """Return the cross-entropy of logits [N, K] and labels int64 [N, A], in float32.

    The mean over the images whose class is known, summed over attributes; 0 for an attribute known of none. The label
    term of seed 001, III-B.1 (spec 01, losses), which has one attribute.
    """
    total = logits.new_zeros((), dtype=torch.float32)
    for part, column in zip(torch.split(logits.float(), list(attributes), 1), labels.unbind(1), strict=True):
        known = column >= 0
        losses = functional.cross_entropy(part, column.clamp(min=0), reduction="none")
        total = total + (losses * known).sum() / known.sum().clamp(min=1)
    return total


def label_accuracy(logits: Tensor, labels: Tensor, attributes: Sequence[int]) -> Tensor:
    """Return the share, 0 to 1, of known labels int64 [N, A] that logits [N, K] rank first."""
    parts = torch.split(logits, list(attributes), 1)
    ranked = torch.stack([part.argmax(1) for part in parts], 1)
    known = labels >= 0
    return ((ranked == labels) & known).sum() / known.sum().clamp(min=1)
