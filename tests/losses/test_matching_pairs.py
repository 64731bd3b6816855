import pytest
import torch
from torch.nn import functional

from impasto.losses.matching_pairs import refusal, wrong_pairs
from impasto.losses.reconstruction import half_squared_error


def test_wrong_pairs_never_have_equal_or_unknown_labels() -> None:
    """Spec 02, check 9."""
    labels = torch.tensor([[0], [0], [1], [-1], [2], [0]])
    assert wrong_pairs(labels).tolist() == [False, False, True, False, False, True]
    many = torch.randint(-1, 3, (500, 1), generator=torch.Generator().manual_seed(0))
    others, wrong = many.roll(1, 0), wrong_pairs(many)
    assert wrong.any()
    assert (many[wrong] != others[wrong]).all()
    assert (torch.cat([many[wrong], others[wrong]]) >= 0).all()


def test_one_attribute_that_differs_makes_a_pair_wrong() -> None:
    labels = torch.tensor([[0, 1], [0, 2], [0, -1], [1, -1], [1, -1]])
    assert wrong_pairs(labels).tolist() == [True, True, False, True, False]


def test_refusal_counts_wrong_pairs_only() -> None:
    logits, wrong = torch.tensor([2.0, -1.0, 5.0]), torch.tensor([True, True, False])
    expected = functional.binary_cross_entropy_with_logits(logits[:2], torch.zeros(2))
    torch.testing.assert_close(refusal(logits, wrong), expected)
    assert refusal(logits, torch.zeros(3, dtype=torch.bool)) == 0
    assert refusal(logits.bfloat16(), wrong).dtype == torch.float32


def test_reconstruction_by_hand() -> None:
    assert half_squared_error(torch.ones(2), torch.tensor([0.0, 3.0])).item() == pytest.approx((1 + 4) / 4)
    assert half_squared_error(torch.ones(1).bfloat16(), torch.zeros(1)).dtype == torch.float32
