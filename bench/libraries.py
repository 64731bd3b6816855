"""Adapters of common libraries. A given Inception replaces the weights that they would download."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from torch import Tensor

Weights = Mapping[str, Tensor]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def torch_fidelity(weights: Weights, folder: Path, feature: str = "2048") -> torch.nn.Module:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    path = folder / "inception.pth"
    torch.save(dict(weights), path)
    return FeatureExtractorInceptionV3("inception-v3-compat", [feature], feature_extractor_weights_path=str(path))


def torch_fidelity_features(model: torch.nn.Module, files: Sequence[Path], batch: int) -> np.ndarray:
    from torch_fidelity.datasets import ImagesPathDataset
    from torch_fidelity.utils import get_featuresdict_from_dataset

    with quiet():
        dataset = ImagesPathDataset([str(file) for file in files])
        found = get_featuresdict_from_dataset(dataset, model, batch, False, False, False)  # noqa: FBT003
    return found["2048"].numpy()


def pytorch_fid(weights: Weights, **options: bool) -> torch.nn.Module:
    from pytorch_fid import inception

    with mock.patch.object(inception, "load_state_dict_from_url", return_value=dict(weights)), quiet():
        return inception.InceptionV3([3], **options).eval()


def pytorch_fid_features(model: torch.nn.Module, files: Sequence[Path], batch: int) -> np.ndarray:
    from pytorch_fid.fid_score import get_activations

    with quiet():
        return get_activations(list(files), model, batch, 2048, "cpu", num_workers=2)


def clean_fid(weights: Weights) -> Callable[[Tensor], Tensor]:
    """Use the PyTorch port of its network, with the same preprocessing. Its own mode downloads a TorchScript file."""
    from cleanfid import inception_pytorch

    with mock.patch.object(inception_pytorch, "load_state_dict_from_url", return_value=dict(weights)), quiet():
        model = inception_pytorch.InceptionV3([3], resize_input=False, normalize_input=False).eval()
    return lambda images: model((images - 128) / 128)[0].flatten(1)


def clean_fid_features(model: Callable[[Tensor], Tensor], files: Sequence[Path], batch: int) -> np.ndarray:
    from cleanfid.fid import get_files_features

    names = [str(file) for file in files]
    with quiet():
        return get_files_features(names, model, 2, batch, torch.device("cpu"), "clean", verbose=False)


def torchmetrics(weights: Weights, folder: Path) -> torch.nn.Module:
    from torchmetrics.image.fid import NoTrainInceptionV3

    path = folder / "inception-tm.pth"
    torch.save(dict(weights), path)
    return NoTrainInceptionV3("inception-v3-compat", ["2048"], str(path), antialias=False).eval()


def torchmetrics_features(model: torch.nn.Module, files: Sequence[Path], batch: int) -> np.ndarray:
    from PIL import Image

    found = []
    for first in range(0, len(files), batch):
        pixels = np.stack([np.asarray(Image.open(file).convert("RGB")) for file in files[first : first + batch]])
        with torch.no_grad():
            found.append(model(torch.from_numpy(pixels).permute(0, 3, 1, 2)).numpy())
    return np.concatenate(found)
