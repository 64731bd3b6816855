"""From drawn files to cropped batches: what every dataset of picture files shares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from impasto.chance import generator
from impasto.data.dataset import DataOptions
from impasto.data.pictures import read_picture
from impasto.data.stream import decoded_ahead
from impasto.data.transforms import centre_square, random_crops, to_pixels, to_range


class Draw(NamedTuple):
    """The files of one training example, and its place in the run."""

    position: int
    files: tuple[Path, ...]
    label: int = 0
    """Class index, for labelled data."""


def crop_batches(
    draws: Iterable[Sequence[Draw]],
    options: DataOptions,
    seed: int,
    *,
    same_place: bool = False,
    in_memory: bool = False,
) -> Iterator[tuple[Sequence[Draw], tuple[Tensor, ...]]]:
    """Decode each batch of draws ahead of need, resize and crop.

    Yields the draws with one float32 tensor [N, 3, image_size, image_size] in [-1, 1] for each file of a draw. With
    `same_place` the files of one draw are cut and mirrored alike. A crop depends on the seed and the draw's position
    alone. A small collection can stay in memory once it is decoded.
    """

    def read(file: Path) -> Tensor:
        return to_pixels(read_picture(file, options.max_megapixels, options.short_side))

    read_once = cache(read) if in_memory else read

    def decode(draw: Draw) -> list[Tensor]:
        return [read_once(file) for file in draw.files]

    for batch, pictures in decoded_ahead(decode, draws, options.workers):
        columns = []
        for column, files in enumerate(zip(*pictures, strict=True)):
            name = "crop" if same_place else f"crop {column}"
            chances = [generator(seed, name, draw.position) for draw in batch]
            columns.append(random_crops(files, options.image_size, flip=options.flip, generators=chances))
        yield batch, tuple(columns)


def centre_squares(files: Sequence[Path], options: DataOptions) -> Tensor:
    """Return the middle of each picture at the training scale, [n, 3, side, side] float32 in [-1, 1]."""
    pictures = [read_picture(file, options.max_megapixels, options.short_side) for file in files]
    return torch.stack([to_range(centre_square(to_pixels(picture))) for picture in pictures])
