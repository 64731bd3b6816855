"""Two unrelated domains in one folder: trainA and trainB, and Kaggle's "I'm Something of a Painter Myself".

The attribute `domain` is A or B. In Kaggle's collection A is the photos.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from impasto.data.collection import Collection, Item
from impasto.data.layouts.folders import folder_items
from impasto.data.layouts.layout import Layout
from impasto.data.layouts.tfrecords import tfrecord_items
from impasto.errors import DataError

Part = tuple[list[Item], list[str]]


def read_two_domains(folder: Path) -> Collection:
    """List trainA and trainB, and testA and testB if they exist."""
    parts = {domain: folder_items(folder / f"train{domain}", within=folder) for domain in "AB"}
    return _joined(folder, "two-domains", parts)


def read_gan_getting_started(folder: Path) -> Collection:
    """List photo_jpg and monet_jpg. If a JPEG folder is missing, list the TFRecord files of the same pictures."""
    parts = {domain: _kaggle_part(folder, name) for domain, name in (("A", "photo"), ("B", "monet"))}
    return _joined(folder, "gan-getting-started", parts)


def _kaggle_part(folder: Path, name: str) -> Part:
    if (folder / f"{name}_jpg").is_dir():
        return folder_items(folder / f"{name}_jpg", within=folder)
    files = sorted((folder / f"{name}_tfrec").glob("*.tfrec"))
    if not files:
        raise DataError(f"{folder} has neither {name}_jpg nor {name}_tfrec with .tfrec files; copy one of them there")
    return [item for file in files for item in tfrecord_items(file, folder)], []


def _joined(folder: Path, layout: str, parts: dict[str, Part]) -> Collection:
    items = [
        item._replace(labels={**item.labels, "domain": domain})
        for domain, (found, _) in parts.items()
        for item in found
    ]
    return Collection(folder, layout, items, [note for _, notes in parts.values() for note in notes])


def _has_folders(*choices: tuple[str, ...]) -> Callable[[Path], bool]:
    """Return a function that checks for at least one folder of each choice."""
    return lambda path: all(any((path / name).is_dir() for name in names) for names in choices)


TWO_DOMAINS = Layout("folders trainA and trainB", _has_folders(("trainA",), ("trainB",)), read_two_domains)
GAN_GETTING_STARTED = Layout(
    "Kaggle's gan-getting-started, as JPEG folders or TFRecord files",
    _has_folders(("photo_jpg", "photo_tfrec"), ("monet_jpg", "monet_tfrec")),
    read_gan_getting_started,
)
