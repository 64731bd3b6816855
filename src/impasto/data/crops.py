"""From drawn files to cropped batches: what every dataset of picture files shares."""

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
    """The files of one training example, and its place in the run."""

    position: int
    files: tuple[Source, ...]
    labels: tuple[int, ...] = ()
    """The class of each attribute, for labelled data; -1 where it is not known."""


Batch = tuple[Sequence[Draw], tuple[Tensor, ...]]
"""Draws, with the images of each of their files: float32 [N, C, S, S] in [-1, 1]."""


class Cut(Protocol):
    """Cuts uint8 [C, size, size] from a picture [C, H, W], by chance."""

    def __call__(self, picture: Tensor, size: int, *, flip: bool, generator: torch.Generator) -> Tensor:
        """Cut it; mirror half of them if `flip`."""


CUTS: Mapping[str, Cut] = {"square": random_crop, "centre": mirrored_centre, "resized": random_resized_crop}
"""What `data.crop` may say."""


def crop_batches(
    draws: Iterable[Sequence[Draw]],
    options: DataOptions,
    seed: int,
    *,
    read: Reader,
    read_second: Reader | None = None,
    same_place: bool = False,
) -> Iterator[Batch]:
    """Read each batch of draws ahead of need and crop it.

    Yields the draws with one float32 tensor [N, C, image_size, image_size] in [-1, 1] for each file of a draw. With
    `same_place` the files of one draw are cut and mirrored alike; with `read_second` the second of two unrelated files
    is read by that, at another scale perhaps. A crop depends on the seed and the draw's position alone.
    """
    random_cut = CUTS[options.crop]

    def cut(draw: Draw) -> list[Tensor]:
        """Read and crop one example's pictures, in a thread of its own: its place says what chance it has."""
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
    """Read the draws in order and cut out the middle of each picture; the last batch may be smaller."""

    def cut(draw: Draw) -> list[Tensor]:
        pictures = [
            read_pixels(file, options.max_megapixels, options.held_out_side, options.look) for file in draw.files
        ]
        return [centre_crop(picture, options.image_size) for picture in pictures]

    batches = (draws[first : first + batch_size] for first in range(0, len(draws), batch_size))
    return decoded_ahead(cut, _assembled, batches, options.workers)


def _assembled(batch: Sequence[Draw], examples: list[list[Tensor]]) -> Batch:
    return batch, tuple(stacked(column) for column in zip(*examples, strict=True))


def centre_squares(files: Sequence[Source], options: DataOptions) -> Tensor:
    """Return the middle of each picture at the training scale, [n, 3, side, side] float32 in [-1, 1]."""
    pictures = [read_pixels(file, options.max_megapixels, options.short_side) for file in files]
    return torch.stack([to_range(centre_square(picture)) for picture in pictures])
