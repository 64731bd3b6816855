"""Finding the published weights of the networks that judge: given, kept from before, or fetched."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from impasto.download import digest_of, fetch
from impasto.errors import DataError, EvaluationError
from impasto.files import default_cache, make_folder

OFFLINE = "pixels"
"""The features that need no weights."""


@dataclass(frozen=True)
class Published:
    """One file of weights, as its makers publish it."""

    name: str
    urls: tuple[str, ...]
    digest: str | None
    """`sha256:` and the first hexadecimal digits, as far as its makers give them."""


INCEPTION_2015 = Published(
    "weights-inception-2015-12-05-6726825d.pth",
    ("https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",),
    "6726825d",
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


def find_weights(wanted: Published, given: Path | None = None) -> Path:
    """Return a file of weights: the one given, one kept by impasto or torch.hub, or one fetched now.

    Raises EvaluationError, with which file, where from and where to put it, where there is none to be had.
    """
    if given is not None:
        if not given.is_file():
            raise EvaluationError(f"--weights: {given} is no file; name {wanted.name}, from {wanted.urls[0]}")
        return given
    kept = default_cache() / "weights" / wanted.name
    for path in (kept, Path(torch.hub.get_dir()) / "checkpoints" / wanted.name):
        if path.is_file():
            return path
    make_folder(kept.parent)
    try:
        fetch(wanted.urls, kept)
    except DataError as error:
        raise EvaluationError(f"{error}; or say --weights FILE, or --features {OFFLINE} (not comparable)") from error
    _check_digest(kept, wanted)
    return kept


def _check_digest(path: Path, wanted: Published) -> None:
    found = digest_of(path, "sha256").removeprefix("sha256:")
    if wanted.digest is not None and not found.startswith(wanted.digest):
        path.unlink()
        raise EvaluationError(
            f"what came as {wanted.name} is another file (SHA-256 {found[:16]} instead of {wanted.digest}...); "
            "fetch it from elsewhere and say --weights FILE"
        )


def read_weights(path: Path) -> Mapping[str, Tensor]:
    """Return a state dict from safetensors or from a .pth file, in which nothing but tensors is accepted.

    Raises EvaluationError where the file holds anything else or is damaged.
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
        raise EvaluationError(f"{path} cannot be read as weights ({reason}); fetch it again") from error
    if not isinstance(found, Mapping) or not all(isinstance(value, Tensor) for value in found.values()):
        raise EvaluationError(f"{path} holds something else than named tensors; name a state dict")
    return found


def _read_pth(path: Path) -> Mapping[str, Tensor]:
    found: Mapping[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return found
