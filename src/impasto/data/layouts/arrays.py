"""Collections of uncompressed pixels: MNIST's IDX files and the binary version of CIFAR-10."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from impasto.data.collection import Collection, Item, Split
from impasto.data.layouts.layout import Layout
from impasto.data.sources import Raw, whole_file
from impasto.errors import DataError

IDX_SPLITS: dict[str, Split] = {"train": "train", "t10k": "test"}
CIFAR_SIDE = 32
CIFAR_RECORD = 1 + 3 * CIFAR_SIDE**2
"""Bytes of one picture: its class, then one plane each for red, green and blue."""


def read_mnist(folder: Path) -> Collection:
    """List the digits of MNIST, or of a collection in its format. The attribute is `class`."""
    folder = _mnist_folder(folder) or folder
    items = [item for prefix, split in IDX_SPLITS.items() for item in _idx_items(folder, prefix, split)]
    return Collection(folder, "mnist", items)


def _idx_items(folder: Path, prefix: str, split: Split) -> Iterator[Item]:
    images, labels = _idx_file(folder, f"{prefix}-images-idx3-ubyte"), _idx_file(folder, f"{prefix}-labels-idx1-ubyte")
    if images is None:
        return
    count, height, width = _idx_header(images, 3)
    classes = b""
    if labels is not None:
        (named,) = _idx_header(labels, 1)
        if named != count:
            raise DataError(f"{images} has {count} pictures, but {labels} has {named} labels; copy both again")
        classes = _content(labels)[8:]
    for number in range(count):
        picture = Raw(images, 16 + number * height * width, height, width, 1, f"picture {number}")
        label = {"class": str(classes[number])} if classes else {}
        yield Item(picture, f"{prefix}/{number:05d}", split, label)


def _idx_header(file: Path, dimensions: int) -> tuple[int, ...]:
    """Return the sizes in the header of an IDX file of bytes, after checking the length of the file."""
    content = _content(file)
    try:
        zero, kind, found, *sizes = struct.unpack_from(f">HBB{dimensions}I", content)
    except struct.error as error:
        raise DataError(f"{file} is cut off; copy it again") from error
    total = 4 + 4 * dimensions + math.prod(sizes)
    if (zero, kind, found) != (0, 8, dimensions) or len(content) != total:
        raise DataError(f"{file} is not an IDX file of bytes in {dimensions} dimensions, or is damaged; copy it again")
    return tuple(sizes)


def _idx_file(folder: Path, name: str) -> Path | None:
    return next(
        (folder / f for f in (name, f"{name}.gz", name.replace("-idx", ".idx")) if (folder / f).is_file()), None
    )


def _mnist_folder(path: Path) -> Path | None:
    """Return the folder of the files: the folder itself, or the one that torchvision uses."""
    places = (path, path / "raw", path / "MNIST" / "raw")
    return next((place for place in places if _idx_file(place, "train-images-idx3-ubyte")), None)


def read_cifar10(folder: Path) -> Collection:
    """List the pictures of CIFAR-10's binary version. The attribute is `class`."""
    folder = _cifar_folder(folder) or folder
    names = _cifar_classes(folder)
    batches = [*sorted(folder.glob("data_batch_*.bin")), *folder.glob("test_batch.bin")]
    return Collection(folder, "cifar-10", [item for file in batches for item in _cifar_items(file, names)])


def _cifar_items(file: Path, names: list[str]) -> Iterator[Item]:
    content = _content(file)
    if not content or len(content) % CIFAR_RECORD:
        raise DataError(f"{file} does not consist of whole pictures of {CIFAR_RECORD} bytes; copy it again")
    split: Split = "test" if file.stem.startswith("test") else "train"
    for number, start in enumerate(range(0, len(content), CIFAR_RECORD)):
        if content[start] >= len(names):
            raise DataError(f"{file}, picture {number}: there is no class {content[start]}; copy it again")
        picture = Raw(file, start + 1, CIFAR_SIDE, CIFAR_SIDE, 3, f"picture {number}")
        yield Item(picture, f"{file.stem}/{number:05d}", split, {"class": names[content[start]]})


def _cifar_classes(folder: Path) -> list[str]:
    file = folder / "batches.meta.txt"
    named = _content(file).decode("utf-8", errors="replace").split() if file.is_file() else []
    return named or [str(number) for number in range(10)]


def _cifar_folder(path: Path) -> Path | None:
    places = (path, path / "cifar-10-batches-bin")
    return next((place for place in places if (place / "data_batch_1.bin").is_file()), None)


def _is_pickled_cifar(path: Path) -> bool:
    return any((place / "data_batch_1").is_file() for place in (path, path / "cifar-10-batches-py"))


def _read_pickled_cifar(path: Path) -> Collection:
    raise DataError(
        f"{path} is the Python version of CIFAR-10, whose files can run foreign code when they are opened; get the "
        "binary version with: impasto data get cifar-10"
    )


def _content(file: Path) -> bytes:
    try:
        return whole_file(file)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{file} cannot be read ({error}); copy it again") from error


MNIST = Layout("MNIST's IDX files, gzipped or not", lambda path: _mnist_folder(path) is not None, read_mnist)
CIFAR10 = Layout("CIFAR-10's binary version", lambda path: _cifar_folder(path) is not None, read_cifar10)
PICKLED_CIFAR10 = Layout("CIFAR-10's Python version, which is refused", _is_pickled_cifar, _read_pickled_cifar)
