"""Label consistency: the probability that a classifier gives to the requested classes.

Source: docs/methods/conditional-gans.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from PIL import Image
from torch import Tensor

from impasto.data.transforms import to_pixels
from impasto.errors import EvaluationError
from impasto.evaluation.extractors import Extractor
from impasto.evaluation.top1 import check_classes

LOOKED_AT_TOGETHER = 16


class Consistency(NamedTuple):
    """Of a mixing matrix."""

    shares: Tensor
    """[K, K] float32 in 0..1: the probability of the two classes of each cell, on the diagonal of the one"""
    mixed: float
    """Mean over the pairs of different classes."""
    pure: float
    """Mean over the diagonal."""

    def said(self, judge: str, classes: int) -> str:
        """Say what a judge that knows so many classes sees, and what guessing would be."""
        return (
            f"{judge} gives the two classes {self.mixed:.1%} of its probability (guessing {2 / classes:.1%}), a class "
            f"alone {self.pure:.1%} (guessing {1 / classes:.1%})"
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        shares = [[round(share, 4) for share in row] for row in self.shares.tolist()]
        return {"mixed": self.mixed, "pure": self.pure, "shares": shares}


def check_mixable(names: Sequence[str], classes: Sequence[str]) -> None:
    """Raise EvaluationError where a judge of these `classes` does not know all names, or there is nothing to mix."""
    if len(names) < 2:
        raise EvaluationError("a painter of one class mixes nothing; ask no judge about it")
    check_classes(names, classes)


def label_consistency(pictures: Sequence[Image.Image], names: Sequence[str], judge: Extractor) -> Consistency:
    """Judge the pictures of a K x K mixing matrix, row by row, whose classes have these K names.

    Classes go by name. Raises EvaluationError for those that the judge does not know, and where there is but one.
    """
    check_mixable(names, judge.classes)
    count = len(names)
    places = [judge.classes.index(name) for name in names]
    probabilities = torch.cat(
        [
            judge([to_pixels(picture) for picture in pictures[first : first + LOOKED_AT_TOGETHER]])[1]
            for first in range(0, len(pictures), LOOKED_AT_TOGETHER)
        ]
    )
    matrix = probabilities[:, places].reshape(count, count, count)
    rows = torch.diagonal(matrix, dim1=0, dim2=2).T  # [i, j]: what cell (i, j) has of class i
    columns = torch.diagonal(matrix, dim1=1, dim2=2)  # ... and of class j
    same = torch.eye(count, dtype=torch.bool)
    shares = torch.where(same, rows, rows + columns)
    return Consistency(shares, float(shares[~same].mean()), float(shares[same].mean()))
