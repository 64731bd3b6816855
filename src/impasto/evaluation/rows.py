"""Rows of features: checks before metrics are computed, and blocks that limit the memory for pairs of rows."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from impasto.errors import EvaluationError

ROWS, COLUMNS = 1024, 4096
"""Size of a block of pairs: 32 MB of float64 distances, for any number of pictures."""


def blocks(count: int, size: int) -> Iterator[slice]:
    """Yield slices of at most `size` rows that cover `count` rows in order."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def check_rows(rows: Tensor, first: int = 0) -> None:
    """Raise EvaluationError unless `rows` is [N, d] and finite. The message numbers rows from `first`."""
    if rows.ndim != 2:
        raise EvaluationError(f"features must be rows [N, d], but these are {list(rows.shape)}; pass one row per image")
    for block in blocks(len(rows), COLUMNS):
        # float32 values cannot overflow a float64 sum, so the sum is finite exactly if its row is
        broken = ~rows[block].sum(dim=1, dtype=torch.float64).isfinite()
        if broken.any():
            row = first + block.start + int(broken.nonzero()[0])
            raise EvaluationError(
                f"row {row} of the features (the first is 0) holds NaN or infinity; "
                "check that picture and the extractor's weights"
            )


def check_pair(first: Tensor, second: Tensor, at_least: int = 1) -> None:
    """Raise EvaluationError unless both are finite rows [N, d] with the same d, at least `at_least` rows each."""
    for rows in (first, second):
        check_rows(rows)
        check_count(len(rows), at_least)
    check_dimensions(first.shape[1], second.shape[1])


def check_count(count: int, at_least: int) -> None:
    """Raise EvaluationError if there are too few images to compute the metric."""
    if count < at_least:
        images = "image is" if at_least == 1 else "images are"
        raise EvaluationError(f"at least {at_least} {images} needed on each side, but one side has {count}; add images")


def check_dimensions(first: int, second: int) -> None:
    """Raise EvaluationError if the dimensions differ, because the features come from different extractors."""
    if first != second:
        raise EvaluationError(
            f"features of {first} and of {second} dimensions cannot be compared; use one extractor for both sides"
        )
