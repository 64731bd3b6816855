"""The share of probability on the classes asked for, with a classifier whose answers are known."""

import pytest
import torch
from PIL import Image
from torch import Tensor

from impasto.errors import EvaluationError
from impasto.evaluation.extractors import Extractor
from impasto.evaluation.label_consistency import label_consistency


class ShadeClassifier(Extractor):
    """Reads the probability of each of three classes from a picture's colour channels."""

    classes = ("c", "a", "b")

    def prepare(self, image: Tensor) -> Tensor:
        return image

    def compute(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return images.new_zeros(len(images), 1), images[:, :, 0, 0].float() / 100


def shade(c: int, a: int, b: int) -> Image.Image:
    return Image.new("RGB", (2, 2), (c, a, b))


def test_the_share_of_the_two_classes_goes_by_name() -> None:
    pictures = [shade(50, 20, 30), shade(10, 60, 30), shade(0, 25, 75), shade(100, 0, 0)]
    found = label_consistency(pictures, ["a", "b"], ShadeClassifier())
    assert torch.allclose(found.shares, torch.tensor([[0.2, 0.9], [1.0, 0.0]]))
    assert found.mixed == pytest.approx(0.95)
    assert found.pure == pytest.approx(0.1)


def test_the_number_of_classes_does_not_matter() -> None:
    pictures = [shade(50, 20, 30)] * 9
    shares = label_consistency(pictures, ["a", "b", "c"], ShadeClassifier()).shares
    of = {"a": 0.2, "b": 0.3, "c": 0.5}
    expected = [[of[one] if one == two else of[one] + of[two] for two in of] for one in of]
    assert torch.allclose(shares, torch.tensor(expected))


def test_what_cannot_be_measured() -> None:
    with pytest.raises(EvaluationError, match="the classifier does not know d"):
        label_consistency([], ["a", "d"], ShadeClassifier())
    with pytest.raises(EvaluationError, match="mixes nothing"):
        label_consistency([], ["a"], ShadeClassifier())
