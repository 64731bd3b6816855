"""Rows of features: checks before anything is measured on them, and blocks, so that not all pairs are held at once."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from impasto.errors import EvaluationError

ROWS, COLUMNS = 1024, 4096
"""Pairs compared at a time: 32 MB of float64 distances, for any number of pictures."""


def blocks(count: int, size: int) -> Iterator[slice]:
    """Yield slices of at most `size` that cover `count` rows in order."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def check_rows(rows: Tensor, first: int = 0) -> None:
    """Raise EvaluationError unless `rows` is [N, d] and finite; the message counts rows from `first` on."""
    if rows.ndim != 2:
        raise EvaluationError(f"features must be rows [N, d], and these are {list(rows.shape)}; give one row an image")
    for block in blocks(len(rows), COLUMNS):
        # float32 cannot overflow a sum in float64, so that a sum is finite exactly when its row is
        broken = ~rows[block].sum(dim=1, dtype=torch.float64).isfinite()
        if broken.any():
            row = first + block.start + int(broken.nonzero()[0])
            raise EvaluationError(
                f"row {row} of the features (the first is 0) holds NaN or infinity; "
                "look at that picture and at the extractor's weights"
            )


def check_pair(first: Tensor, second: Tensor, at_least: int = 1) -> None:
    """Raise EvaluationError unless both are finite rows [N, d] of one d, `at_least` so many of each."""
    for rows in (first, second):
        check_rows(rows)
        check_count(len(rows), at_least)
    check_dimensions(first.shape[1], second.shape[1])


def check_count(count: int, at_least: int) -> None:
    """Raise EvaluationError where there are too few images for the measure to be defined."""
    if count < at_least:
        images = "image is" if at_least == 1 else "images are"
        raise EvaluationError(f"at least {at_least} {images} needed on either side, and one has {count}; give more")


def check_dimensions(first: int, second: int) -> None:
    """Raise EvaluationError where features come from different extractors, as their dimensions tell."""
    if first != second:
        raise EvaluationError(
            f"features of {first} and of {second} dimensions cannot be compared; use one extractor for both sides"
        )
