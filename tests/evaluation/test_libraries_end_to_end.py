"""The same untrained Inception in the libraries people use and in ours, from pictures to distances."""

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from impasto.data.transforms import to_pixels
from impasto.evaluation.extraction import FeatureColumn, extract
from impasto.evaluation.extractors import CleanInception2015, Inception2015
from impasto.evaluation.frechet import Moments, frechet_distance
from impasto.evaluation.images import open_pictures
from impasto.evaluation.record import Features
from tests.conftest import picture

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
import libraries

pytestmark = pytest.mark.filterwarnings("ignore")  # theirs

ABOUT = Features("untrained", "", "as published")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(6):
        picture(number, 96, 96).save(folder / f"{number}.png")
    return sorted(folder.glob("*.png"))


def ours(kind: type[Inception2015], weights: Mapping[str, Tensor], files: list[Path], cache: Path) -> np.ndarray:
    feature_column = FeatureColumn(kind(weights, ABOUT, torch.device("cpu")))
    found = extract(open_pictures(str(files[0].parent)), [feature_column], cache=cache)
    return found.columns[feature_column.identity][:, :2048].clone().numpy()


def distance(features: np.ndarray) -> float:
    half = len(features) // 2
    parts = (torch.from_numpy(np.ascontiguousarray(part)).float() for part in (features[:half], features[half:]))
    return frechet_distance(*(Moments.of(part) for part in parts)).value


def agrees(mine: np.ndarray, theirs: np.ndarray) -> None:
    assert np.abs(mine - theirs).max() < 1e-5 * np.abs(theirs).max()
    assert distance(mine) == pytest.approx(distance(theirs), rel=1e-4)


def test_torch_fidelity(inception_weights: Mapping[str, Tensor], files: list[Path], tmp_path: Path) -> None:
    model = libraries.torch_fidelity(inception_weights, tmp_path)
    agrees(ours(Inception2015, inception_weights, files, tmp_path), libraries.torch_fidelity_features(model, files, 3))


def test_torchmetrics(inception_weights: Mapping[str, Tensor], files: list[Path], tmp_path: Path) -> None:
    model = libraries.torchmetrics(inception_weights, tmp_path)
    agrees(ours(Inception2015, inception_weights, files, tmp_path), libraries.torchmetrics_features(model, files, 3))


def test_clean_fid_with_its_resize(inception_weights: Mapping[str, Tensor], files: list[Path], tmp_path: Path) -> None:
    model = libraries.clean_fid(inception_weights)
    agrees(ours(CleanInception2015, inception_weights, files, tmp_path), libraries.clean_fid_features(model, files, 3))


def test_pytorch_fid_given_our_pixels(inception_weights: Mapping[str, Tensor], files: list[Path]) -> None:
    """Its own resize shifts by half a pixel and its range is 2x - 1: another published convention."""
    extractor = Inception2015(inception_weights, ABOUT, torch.device("cpu"))
    prepared = [extractor.prepare(to_pixels(picture(number, 96, 96))) for number in range(6)]
    model = libraries.pytorch_fid(inception_weights, resize_input=False, normalize_input=False)
    with torch.no_grad():
        theirs = model(torch.stack(prepared))[0].flatten(1).numpy()
    agrees(extractor.extract(prepared)[0].numpy(), theirs)


def test_class_probabilities_are_those_of_torch_fidelitys_inception_score(
    inception_weights: Mapping[str, Tensor], tmp_path: Path
) -> None:
    model = libraries.torch_fidelity(inception_weights, tmp_path, "logits_unbiased")
    image = to_pixels(picture(0, 80, 64))
    extractor = Inception2015(inception_weights, ABOUT, torch.device("cpu"))
    with torch.no_grad():
        theirs = torch.softmax(model(image[None].contiguous())[0], dim=1)
    torch.testing.assert_close(extractor([image])[1], theirs, rtol=1e-4, atol=1e-8)
