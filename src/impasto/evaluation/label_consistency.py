"""Label consistency: how much of a classifier's probability goes to the requested classes.

See docs/methods/evaluation.md.
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

BATCH = 16
"""Pictures classified at a time."""


class Consistency(NamedTuple):
    """Label consistency of a mixing matrix of K classes."""

    shares: Tensor
    """float32 [K, K] in 0..1: probability of the two classes of each cell. On the diagonal, of its one class."""
    mixed: float
    """Mean over the pairs of different classes."""
    pure: float
    """Mean over the diagonal."""

    def sentence(self, classifier: str, classes: int) -> str:
        """Return a sentence about these shares and random guessing. The classifier knows `classes` classes."""
        return (
            f"{classifier} gives the two classes {self.mixed:.1%} of its probability (guessing {2 / classes:.1%}), and "
            f"one class alone {self.pure:.1%} (guessing {1 / classes:.1%})"
        )

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        shares = [[round(share, 4) for share in row] for row in self.shares.tolist()]
        return {"mixed": self.mixed, "pure": self.pure, "shares": shares}


def check_mixable(names: Sequence[str], classes: Sequence[str]) -> None:
    """Raise EvaluationError for fewer than two names, and for a name that is not one of the classifier's `classes`."""
    if len(names) < 2:
        raise EvaluationError("a painter of one class mixes nothing; use no classifier for it")
    check_classes(names, classes)


def label_consistency(pictures: Sequence[Image.Image], names: Sequence[str], classifier: Extractor) -> Consistency:
    """Classify the pictures of a K x K mixing matrix, given row by row. `names` are its K classes.

    Raises EvaluationError for fewer than two classes, and for classes that the classifier does not know.
    """
    check_mixable(names, classifier.classes)
    count = len(names)
    places = [classifier.classes.index(name) for name in names]
    probabilities = torch.cat(
        [
            classifier([to_pixels(picture) for picture in pictures[first : first + BATCH]])[1]
            for first in range(0, len(pictures), BATCH)
        ]
    )
    matrix = probabilities[:, places].reshape(count, count, count)
    rows = torch.diagonal(matrix, dim1=0, dim2=2).T  # [i, j]: probability of class i in cell (i, j)
    columns = torch.diagonal(matrix, dim1=1, dim2=2)  # [i, j]: probability of class j in cell (i, j)
    same = torch.eye(count, dtype=torch.bool)
    shares = torch.where(same, rows, rows + columns)
    return Consistency(shares, float(shares[~same].mean()), float(shares[same].mean()))
