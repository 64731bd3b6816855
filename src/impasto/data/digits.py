"""The smallest embedded collection: scikit-learn's 1,797 handwritten digits of 8 x 8 pixels in 17 grey levels.

They are the test part of the UCI ML repository's "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998,
CC BY 4.0) and come with scikit-learn. On first use they are written to the cache in MNIST's format and read from there.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from impasto.chance import mixed_seed
from impasto.data.batches import LabelledImages
from impasto.data.dataset import DataOptions
from impasto.data.labelled_folder import LabelledFolder, LabelledFolderOptions
from impasto.files import made_once

DIGITS_VERSION = 1  # increase it when the written files change, so no cache mixes old and new ones
BRIGHTEST = 16
"""The highest grey level of the source. It becomes 255."""
HELD_OUT = 6
"""One in this many is held out."""


class DigitsOptions(DataOptions):
    """scikit-learn's digits, enlarged to image_size. They are not mirrored by default."""

    kind: Literal["digits"] = "digits"
    image_size: int = Field(16, ge=16, le=4096)
    flip: bool = False

    @property
    def short_side(self) -> int:
        """Short side before cropping, pixels. Default: image_size, so no stroke is cut off."""
        return self.resize if self.resize is not None else self.image_size


class Digits(LabelledFolder):
    """Grey digits [N, 1, image_size, image_size] of ten classes, kept in memory."""

    Options = DigitsOptions

    def __init__(self, options: DigitsOptions, batch_type: type = LabelledImages) -> None:
        shared = options.model_dump(include=DataOptions.model_fields.keys() - {"kind", "resize", "cache"})
        as_folder: dict[str, Any] = {"path": digits_folder(), "layout": "mnist", "channels": 1, "cache": "memory"}
        super().__init__(LabelledFolderOptions(resize=options.short_side, **as_folder, **shared), batch_type)


def digits_folder(cache: Path | None = None) -> Path:
    """Return the folder of the digits as four IDX files. Write them first if they are not in the cache.

    The cache is that of `impasto.files.default_cache`. Raises DataError if it cannot be written.
    """
    return made_once(f"digits-v{DIGITS_VERSION}", "train-images-idx3-ubyte", write_digits, cache)


def write_digits(folder: Path) -> None:
    """Write the digits as MNIST's four files into an empty folder, one sixth of them as test pictures.

    The number of a digit decides whether it is held out. The same writer can be in both parts, because the source does
    not name the writers.
    """
    from sklearn.datasets import load_digits  # here, because the import takes a second and is needed once

    digits = load_digits()
    pixels = np.round(digits.images * (255 / BRIGHTEST)).astype(np.uint8)
    held_out = np.array([mixed_seed("digits", number) % HELD_OUT == 0 for number in range(len(pixels))])
    for prefix, chosen in (("train", ~held_out), ("t10k", held_out)):
        _write_idx(folder / f"{prefix}-images-idx3-ubyte", pixels[chosen])
        _write_idx(folder / f"{prefix}-labels-idx1-ubyte", digits.target[chosen].astype(np.uint8))


def _write_idx(file: Path, values: NDArray[np.uint8]) -> None:
    """Write bytes of any number of dimensions in MNIST's format: type, dimensions, sizes, values (LeCun et al.)."""
    file.write_bytes(struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes())
