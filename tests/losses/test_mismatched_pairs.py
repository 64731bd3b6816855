import pytest
import torch
from torch.nn import functional

from impasto.losses.mismatched_pairs import mismatch_loss, mismatched_pairs
from impasto.losses.reconstruction import half_squared_error


def test_mismatched_pairs_never_have_equal_or_unknown_labels() -> None:
    labels = torch.tensor([[0], [0], [1], [-1], [2], [0]])
    assert mismatched_pairs(labels).tolist() == [False, False, True, False, False, True]
    many = torch.randint(-1, 3, (500, 1), generator=torch.Generator().manual_seed(0))
    others, mismatched = many.roll(1, 0), mismatched_pairs(many)
    assert mismatched.any()
    assert (many[mismatched] != others[mismatched]).all()
    assert (torch.cat([many[mismatched], others[mismatched]]) >= 0).all()


def test_one_different_attribute_makes_a_pair_mismatched() -> None:
    labels = torch.tensor([[0, 1], [0, 2], [0, -1], [1, -1], [1, -1]])
    assert mismatched_pairs(labels).tolist() == [True, True, False, True, False]


def test_the_loss_counts_mismatched_pairs_only() -> None:
    logits, mismatched = torch.tensor([2.0, -1.0, 5.0]), torch.tensor([True, True, False])
    expected = functional.binary_cross_entropy_with_logits(logits[:2], torch.zeros(2))
    torch.testing.assert_close(mismatch_loss(logits, mismatched), expected)
    assert mismatch_loss(logits, torch.zeros(3, dtype=torch.bool)) == 0
    assert mismatch_loss(logits.bfloat16(), mismatched).dtype == torch.float32


def test_reconstruction_by_hand() -> None:
    assert half_squared_error(torch.ones(2), torch.tensor([0.0, 3.0])).item() == pytest.approx((1 + 4) / 4)
    assert half_squared_error(torch.ones(1).bfloat16(), torch.zeros(1)).dtype == torch.float32
