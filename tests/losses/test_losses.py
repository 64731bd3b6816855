import pytest
import torch

from impasto.losses.adversarial import least_squares
from impasto.losses.cycle import mean_absolute


def test_least_squares_by_hand_and_against_a_slow_twin() -> None:
    verdicts = torch.tensor([[0.0, 1.0], [0.5, 2.0]])
    assert least_squares(verdicts, 1.0).item() == pytest.approx((1 + 0 + 0.25 + 1) / 4)
    assert least_squares(verdicts, 0.0).item() == pytest.approx((0 + 1 + 0.25 + 4) / 4)
    map_ = torch.randn(3, 1, 5, 5)
    slow = sum((value.item() - 1) ** 2 for value in map_.flatten()) / map_.numel()
    assert least_squares(map_, 1.0).item() == pytest.approx(slow, rel=1e-5)


def test_mean_absolute_is_zero_for_equal_and_symmetric() -> None:
    a, b = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    assert mean_absolute(a, a) == 0
    assert mean_absolute(a, b) == mean_absolute(b, a)
    assert mean_absolute(torch.ones(2), torch.tensor([0.0, 3.0])).item() == 1.5


def test_half_precision_is_summed_in_float32() -> None:
    ones = torch.ones(1, 3, 300, 300, dtype=torch.bfloat16)
    assert least_squares(ones, 0.0).dtype == torch.float32
    assert least_squares(ones, 0.0).item() == 1.0
    assert mean_absolute(ones, torch.zeros(1, 3, 300, 300)).item() == 1.0
