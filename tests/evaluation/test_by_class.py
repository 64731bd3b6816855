import math

import pytest
import torch

from impasto.errors import EvaluationError
from impasto.evaluation.by_class import fid_by_class
from impasto.evaluation.frechet import Moments


def spread(std: float, count: int) -> Moments:
    """One dimension, known exactly: the distance between two is the squared difference of their deviations."""
    return Moments.from_covariance(torch.zeros(1), torch.tensor([[std * std]]), count)


def test_each_class_by_itself_and_their_mean() -> None:
    real = {"icon": spread(1, 100), "sketch": spread(2, 1000)}
    generated = {"sketch": spread(5, 40), "icon": spread(2, 50)}
    found = fid_by_class(real, generated)
    assert list(found.classes) == ["icon", "sketch"]
    assert [of_class.distance.value for of_class in found.classes.values()] == pytest.approx([1, 9])
    assert [(of_class.real, of_class.generated) for of_class in found.classes.values()] == [(100, 50), (1000, 40)]
    assert found.mean == pytest.approx(5)


def test_correlation_with_the_logarithm_of_the_counts() -> None:
    sizes = [10, 100, 1000, 10_000]
    real = {str(size): spread(0, size) for size in sizes}
    falling = {str(size): spread(math.sqrt(9 - math.log10(size)), 50) for size in sizes}
    assert fid_by_class(real, falling).correlation == pytest.approx(-1)
    equal = {str(size): spread(1, 50) for size in sizes}
    assert fid_by_class(real, equal).correlation is None
    assert fid_by_class(equal, falling).correlation is None


def test_classes_must_match_by_name_and_hold_images() -> None:
    one = {"icon": spread(1, 100), "sketch": spread(1, 100)}
    with pytest.raises(
        EvaluationError, match="only the real images have sketch; only the generated images have mosaic"
    ):
        fid_by_class(one, {"icon": spread(1, 9), "mosaic": spread(1, 9)})
    with pytest.raises(EvaluationError, match="class sketch has 0 generated images"):
        fid_by_class(one, {"icon": spread(1, 9), "sketch": Moments()})
    with pytest.raises(EvaluationError, match="no classes"):
        fid_by_class({}, {})
