"""A contact sheet of training examples: pictures after resizing, cropping and flipping, with their labels."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from impasto.data.batches import ImageSpec, LabelledImages, PairedImages, UnpairedImages
from impasto.data.collection import Collection, Item
from impasto.data.crops import Draw, crop_batches
from impasto.data.dataset import DataOptions, Dataset
from impasto.data.reading import reader
from impasto.data.stream import ShuffledOrder
from impasto.data.transforms import to_picture
from impasto.painting.layout import enlarged, fitting

GAP = 6
CAPTION = 18
LEGIBLE_SIDE = 96
"""Smaller pictures are enlarged by an integer factor to at least this many pixels."""
COLUMNS_PIXELS = 1600
"""Approximate width of a sheet."""
PAPER, INK = (250, 248, 244), (50, 46, 42)


class Shown(NamedTuple):
    """One training example: its images [C, S, S], and the caption below them."""

    images: Sequence[Tensor]
    caption: str


def seen_of_collection(
    collection: Collection, options: DataOptions, count: int, seed: int, label: str | None
) -> list[Shown]:
    """Return `count` random examples of a collection, as random crops with their label."""
    items = collection.items
    order = ShuffledOrder(len(items), seed, "shown")
    chosen = [items[order[position]] for position in range(min(count, len(items)))]
    draws = [[Draw(position, _files(item))] for position, item in enumerate(chosen)]
    batches = crop_batches(
        draws, options, seed, read=reader(options, len(chosen)), same_place=any(item.partner for item in chosen)
    )
    return [
        Shown([column[0] for column in columns], _caption(item, label))
        for item, (_, columns) in zip(chosen, batches, strict=True)
    ]


def seen_of_dataset(dataset: Dataset, count: int, seed: int) -> list[Shown]:
    """Return the first `count` examples that a dataset gives to a method."""
    return list(itertools.islice(_examples(dataset, seed), count))


def contact_sheet(shown: Sequence[Shown]) -> Image.Image:
    """Draw examples in rows, each with a caption."""
    size = enlarged(to_picture(shown[0].images[0]), LEGIBLE_SIDE).width
    width = len(shown[0].images) * size
    columns = max(1, min(len(shown), COLUMNS_PIXELS // (width + GAP)))
    rows = -(-len(shown) // columns)
    sheet = Image.new("RGB", (columns * (width + GAP) + GAP, rows * (size + CAPTION + GAP) + GAP), PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for number, example in enumerate(shown):
        row, column = divmod(number, columns)
        left, top = GAP + column * (width + GAP), GAP + row * (size + CAPTION + GAP)
        for place, image in enumerate(example.images):
            sheet.paste(enlarged(to_picture(image), LEGIBLE_SIDE), (left + place * size, top))
        draw.text((left, top + size + 2), fitting(example.caption, font, width), INK, font)
    return sheet


def _examples(dataset: Dataset, seed: int) -> Iterator[Shown]:
    for batch in dataset.stream(1, seed):
        yield Shown(*_described(batch, dataset.spec))


def _described(batch: Any, spec: ImageSpec) -> tuple[list[Tensor], str]:
    if isinstance(batch, LabelledImages):
        return [batch.images[0]], _named(batch.labels[0].tolist(), spec)
    captions = {UnpairedImages: "photo, painting", PairedImages: "source, target"}
    return [part[0] for part in batch if isinstance(part, torch.Tensor)], captions.get(type(batch), "")


def _named(labels: Sequence[int], spec: ImageSpec) -> str:
    """Return the names of the known classes of an example, without `style=`, to save space."""
    firsts = itertools.accumulate(spec.attributes, initial=0)
    names = [spec.classes[first + label] for first, label in zip(firsts, labels, strict=False) if label >= 0]
    return ", ".join(name.partition("=")[2] if spec.groups else name for name in names)


def _files(item: Item) -> tuple[Any, ...]:
    return (item.picture,) if item.partner is None else (item.picture, item.partner)


def _caption(item: Item, label: str | None) -> str:
    if label is not None:
        return item.labels.get(label, "(no label)")
    return next((item.labels[known] for known in ("class", "domain") if known in item.labels), item.name)
