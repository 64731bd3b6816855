"""From drawn files to cropped batches: shared by all datasets of picture files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from impasto.chance import generator
from impasto.data.dataset import DataOptions
from impasto.data.reading import Reader, read_together
from impasto.data.sources import Source
from impasto.data.stream import decoded_ahead
from impasto.data.transforms import (
    centre_crop,
    centre_square,
    mirrored_centre,
    random_crop,
    random_resized_crop,
    read_pixels,
    stacked,
    to_range,
)


class Draw(NamedTuple):
    """The files of one training example, and its position in the run."""

    position: int
    files: tuple[Source, ...]
    labels: tuple[int, ...] = ()
    """The class of each attribute, for labelled data. -1 is unknown."""


Batch = tuple[Sequence[Draw], tuple[Tensor, ...]]
"""Draws with one tensor of images for each of their files: float32 [N, C, S, S] in [-1, 1]."""


class Cut(Protocol):
    """Cuts a random uint8 [C, size, size] from a picture [C, H, W]."""

    def __call__(self, picture: Tensor, size: int, *, flip: bool, generator: torch.Generator) -> Tensor:
        """Return the crop. With `flip`, mirror it with probability 1/2."""


CUTS: Mapping[str, Cut] = {"square": random_crop, "centre": mirrored_centre, "resized": random_resized_crop}
"""The values of `data.crop`."""


def crop_batches(
    draws: Iterable[Sequence[Draw]],
    options: DataOptions,
    seed: int,
    *,
    read: Reader,
    read_second: Reader | None = None,
    same_place: bool = False,
) -> Iterator[Batch]:
    """Read each batch of draws in advance and crop it.

    Yields the draws with one float32 tensor [N, C, image_size, image_size] in [-1, 1] for each file of a draw. With
    `same_place` the files of one draw get the same crop and flip. `read_second` reads the second of two unrelated
    files, for example at another scale. A crop depends only on the seed and the position of the draw.
    """
    random_cut = CUTS[options.crop]

    def cut(draw: Draw) -> list[Tensor]:
        """Read and crop the pictures of one example in a worker thread. Its position gives its random numbers."""
        if read_second is None:
            pictures = read_together(read, draw.files, options)
        else:
            first, second = draw.files
            pictures = [read(first), read_second(second)]
        names = ["crop" if same_place else f"crop {column}" for column in range(len(draw.files))]
        return [
            random_cut(picture, options.image_size, flip=options.flip, generator=generator(seed, name, draw.position))
            for picture, name in zip(pictures, names, strict=True)
        ]

    return decoded_ahead(cut, _assembled, draws, options.workers)


def held_out_batches(draws: Sequence[Draw], batch_size: int, options: DataOptions) -> Iterator[Batch]:
    """Read the draws in order and crop the centre of each picture. The last batch may be smaller."""

    def cut(draw: Draw) -> list[Tensor]:
        pictures = [
            read_pixels(file, options.max_megapixels, options.held_out_side, options.read_options)
            for file in draw.files
        ]
        return [centre_crop(picture, options.image_size) for picture in pictures]

    batches = (draws[first : first + batch_size] for first in range(0, len(draws), batch_size))
    return decoded_ahead(cut, _assembled, batches, options.workers)


def _assembled(batch: Sequence[Draw], examples: list[list[Tensor]]) -> Batch:
    return batch, tuple(stacked(column) for column in zip(*examples, strict=True))


def centre_squares(files: Sequence[Source], options: DataOptions) -> Tensor:
    """Return the centre square of each picture at the training scale, [n, 3, side, side] float32 in [-1, 1]."""
    pictures = [read_pixels(file, options.max_megapixels, options.short_side) for file in files]
    return torch.stack([to_range(centre_square(picture)) for picture in pictures])
