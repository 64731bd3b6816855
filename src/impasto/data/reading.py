"""Reads resized pictures, from their files or through a cache."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from impasto.data.dataset import DataOptions
from impasto.data.sources import File, Half, Source
from impasto.data.transforms import read_halves, read_pixels
from impasto.errors import DataError
from impasto.files import default_cache, make_folder, unwritable

Reader = Callable[[Source], Tensor]
"""Returns the pixels of a picture at the training scale, uint8 [C, H, W]."""

USUAL_ASPECT = 1.35
"""Long side divided by short side of a typical picture, to estimate the size of a cache."""


def reader(options: DataOptions, pictures: int) -> Reader:
    """Return the function that reads the pictures of a collection, with the cache of the options.

    Raises DataError if a cache in memory would take more than half of the memory.
    """

    def read(source: Source) -> Tensor:
        return read_pixels(source, options.max_megapixels, options.short_side, options.read_options)

    if options.cache == "memory":
        _check_memory(options, pictures)
        return functools.cache(read)
    if options.cache == "disk":
        return DiskCache(default_cache() / "resized" / _scale_name(options), read)
    return read


def _scale_name(options: DataOptions) -> str:
    """Return a folder name that is unique for a size, fit and number of channels."""
    read = options.read_options
    return f"{options.short_side}{'-squash' if read.squash else ''}{'-grey' if read.channels == 1 else ''}"


def read_together(read: Reader, files: Sequence[Source], options: DataOptions) -> list[Tensor]:
    """Read the pictures of one example. A picture that holds both halves of a pair is decoded once."""
    first = files[0]
    if options.cache == "none" and isinstance(first, Half) and len(files) > 1:
        return read_halves(
            [half for half in files if isinstance(half, Half)], options.max_megapixels, options.short_side
        )
    return [read(file) for file in files]


class DiskCache:
    """Keeps pixels in files, for slow disks, network drives and pictures that are slow to decode.

    The key of a picture contains its size and modification time, so a changed picture is read again.
    """

    def __init__(self, folder: Path, read: Reader) -> None:
        self.folder, self.read = make_folder(folder), read

    def __call__(self, source: Source) -> Tensor:
        """Return the pixels from the cache, or read and store them."""
        path = self.folder / self._key(source)
        try:
            pixels = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError):  # missing or cut off
            pixels = self.read(source).permute(1, 2, 0).numpy()
            self._keep(path, pixels)
        return torch.from_numpy(pixels).permute(2, 0, 1)

    def _keep(self, path: Path, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
        draft = path.with_name(f".{path.name}.{os.getpid()}.{id(pixels)}.part.npy")
        try:
            path.parent.mkdir(exist_ok=True)
            np.save(draft, pixels)
            draft.replace(path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise unwritable(self.folder, error) from error

    @staticmethod
    def _key(source: Source) -> str:
        file, place = _located(source)
        status = file.stat() if isinstance(file, Path) else None
        facts = repr((status and (status.st_size, status.st_mtime_ns), place))
        name = hashlib.blake2b(facts.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
        return f"{name[:2]}/{name}.npy"


def _located(source: Source) -> tuple[Path | File, Source]:
    """Return the file that holds a picture, and the source with an absolute path."""
    if isinstance(source, Half):
        file, whole = _located(source.whole)
        assert not isinstance(whole, Half)
        return file, replace(source, whole=whole)
    if isinstance(source, Path):
        return source.absolute(), source.absolute()
    if not isinstance(source.file, Path):
        return source.file, source
    return source.file.absolute(), replace(source, file=source.file.absolute())


def _check_memory(options: DataOptions, pictures: int) -> None:
    read = options.read_options
    needed = pictures * read.channels * options.short_side**2 * (1 if read.squash else USUAL_ASPECT)
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else float("inf")
    if needed > there / 2:
        raise DataError(
            f"data.cache: {pictures:,} pictures need about {needed / 1e9:.0f} GB, more than half of the memory of this "
            "machine; use disk or none"
        )
