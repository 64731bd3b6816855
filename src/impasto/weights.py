"""Published weights of networks: from the cache, or downloaded once and checked. Nothing is unpickled."""

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
    """One published file of weights."""

    name: str
    urls: tuple[str, ...]
    digest: str | None
    """The published first hexadecimal digits of its SHA-256, if any."""


INCEPTION_2015 = Published(
    "weights-inception-2015-12-05-6726825d.pth",
    ("https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",),
    None,  # the digits in its name are not documented as a hash
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
    """Return a file of weights, from the cache of impasto or torch.hub or downloaded now.

    Raises DataError, with the file, its address and its place, if it cannot be downloaded.
    """
    kept = make_folder(default_cache() / "weights") / wanted.name
    for path in (kept, Path(torch.hub.get_dir()) / "checkpoints" / wanted.name):
        if path.is_file():
            return path
    with locked(kept.with_name(f".{kept.name}.lock")):  # several processes start at the same time
        fetch(wanted.urls, kept)
        _check_digest(kept, wanted)
    return kept


def _check_digest(path: Path, wanted: Published) -> None:
    found = digest_of(path, "sha256").removeprefix("sha256:")
    if wanted.digest is not None and not found.startswith(wanted.digest):
        path.unlink()
        raise DataError(
            f"the download of {wanted.name} is another file (its SHA-256 begins with {found[:16]}, not "
            f"{wanted.digest}); download it from elsewhere and put it at {path}"
        )


def read_weights(path: Path) -> Mapping[str, Tensor]:
    """Return a state dict from a safetensors or .pth file. Only tensors are accepted.

    Raises DataError if the file holds anything else or is damaged.
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
        raise DataError(f"{path} cannot be read as weights ({reason}); download it again") from error
    if not isinstance(found, Mapping) or not all(isinstance(value, Tensor) for value in found.values()):
        raise DataError(f"{path} does not hold a state dict of tensors; use another file")
    return found


def _read_pth(path: Path) -> Mapping[str, Tensor]:
    found: Mapping[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return found
