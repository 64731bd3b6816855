"""Published weights of networks: kept from before, or fetched once and checked; read without unpickling anything."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from impasto.download import digest_of, fetch
from impasto.errors import DataError
from impasto.files import default_cache, locked, make_folder


class Published(NamedTuple):
    """One file of weights, as its makers publish it."""

    name: str
    urls: tuple[str, ...]
    digest: str | None
    """The first hexadecimal digits of its SHA-256, as far as its makers give them."""


INCEPTION_2015 = Published(
    "weights-inception-2015-12-05-6726825d.pth",
    ("https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",),
    None,  # its name ends in hexadecimal digits, which nothing says to be of this file
)
INCEPTION_IMAGENET = Published(
    "inception_v3_google-0cc3c7bd.pth",
    ("https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth",),
    "0cc3c7bd",
)
DINOV2 = Published(
    "dinov2_vitl14_pretrain.pth",
    ("https://dl.fbaipublicfiles.com/dinov2/dinov2_vitl14/dinov2_vitl14_pretrain.pth",),
    None,
)


def find_weights(wanted: Published) -> Path:
    """Return a file of weights: one kept by impasto or torch.hub, or one fetched now.

    Raises DataError, with which file, where from and where to put it, where there is none to be had.
    """
    kept = make_folder(default_cache() / "weights") / wanted.name
    for path in (kept, Path(torch.hub.get_dir()) / "checkpoints" / wanted.name):
        if path.is_file():
            return path
    with locked(kept.with_name(f".{kept.name}.lock")):  # several devices start at the same time
        fetch(wanted.urls, kept)
        _check_digest(kept, wanted)
    return kept


def _check_digest(path: Path, wanted: Published) -> None:
    found = digest_of(path, "sha256").removeprefix("sha256:")
    if wanted.digest is not None and not found.startswith(wanted.digest):
        path.unlink()
        raise DataError(
            f"what came as {wanted.name} is another file (its SHA-256 begins with {found[:16]}, not {wanted.digest}); "
            f"fetch it from elsewhere and put it at {path}"
        )


def read_weights(path: Path) -> Mapping[str, Tensor]:
    """Return a state dict from safetensors or from a .pth file, in which nothing but tensors is accepted.

    Raises DataError where the file holds anything else or is damaged.
    """
    try:
        found = load_file(path) if path.suffix == ".safetensors" else _read_pth(path)
    except (
        OSError,
        SafetensorError,
        RuntimeError,
        EOFError,
        ValueError,
        pickle.UnpicklingError,
        zipfile.BadZipFile,
    ) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DataError(f"{path} cannot be read as weights ({reason}); fetch it again") from error
    if not isinstance(found, Mapping) or not all(isinstance(value, Tensor) for value in found.values()):
        raise DataError(f"{path} holds something else than named tensors; name a state dict")
    return found


def _read_pth(path: Path) -> Mapping[str, Tensor]:
    found: Mapping[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return found
