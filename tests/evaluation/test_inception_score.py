import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from impasto.errors import EvaluationError
from impasto.evaluation.inception_score import inception_score

K = 7


def soft(count: int, seed: int = 0) -> Tensor:
    return torch.randn(count, K, generator=torch.Generator().manual_seed(seed)).mul(3).softmax(1)


def balanced(count: int) -> Tensor:
    return F.one_hot(torch.arange(count) % K, K).float()


def test_known_distributions() -> None:
    assert inception_score(torch.full((50, K), 1 / K)) == pytest.approx((1, 0), abs=1e-6)
    assert inception_score(balanced(10 * K)) == pytest.approx((K, 0))
    assert inception_score(F.one_hot(torch.zeros(30, dtype=torch.int64), K).float()) == pytest.approx((1, 0))
    two = torch.tensor([[0.9, 0.1], [0.1, 0.9]])
    expected = math.exp(math.log(2) + 0.9 * math.log(0.9) + 0.1 * math.log(0.1))
    assert inception_score(two, splits=1).mean == pytest.approx(expected)


def test_splits_are_contiguous_and_even_and_the_rest_is_left_out() -> None:
    """Ten splits of two: in the first five both rows agree (1), in the others they do not (2); 3 rows are left over."""
    sure = torch.tensor([[1.0, 0], [0, 1]])
    rows = torch.cat([sure[[0, 0]]] * 5 + [sure[[0, 1]]] * 5 + [torch.full((3, 2), 0.5)])
    assert inception_score(rows) == pytest.approx((1.5, 0.5))  # the population's deviation
    shuffled = inception_score(rows, shuffle_seed=1)
    assert shuffled == inception_score(rows, shuffle_seed=1)
    assert shuffled != inception_score(rows, shuffle_seed=2)


@settings(deadline=None, max_examples=30)
@given(st.integers(10, 60), st.integers(0, 1000))
def test_lies_between_one_and_the_number_of_classes(count: int, seed: int) -> None:
    found = inception_score(soft(count, seed))
    assert 1 <= found.mean <= K
    whole = inception_score(soft(count, seed), splits=1).mean
    assert whole == pytest.approx(inception_score(soft(count, seed).flip(0), splits=1).mean)
    assert whole == pytest.approx(inception_score(soft(count, seed).flip(1), splits=1).mean)


def test_what_is_no_distribution_is_refused() -> None:
    with pytest.raises(EvaluationError, match="9 images cannot be split in 10; use at least 10"):
        inception_score(soft(9))
    logits = soft(20)
    logits[4] *= 3
    with pytest.raises(EvaluationError, match=r"row 4 .* sums to 3, .*softmax"):
        inception_score(logits)
    negative = soft(20)
    negative[6, :2] += torch.tensor([-1.0, 1.0])
    with pytest.raises(EvaluationError, match="row 6"):
        inception_score(negative)
    with pytest.raises(EvaluationError, match="row 3"):
        inception_score(soft(20).index_fill(0, torch.tensor([3]), torch.nan))


def test_a_softmax_in_half_precision_will_do() -> None:
    assert inception_score(soft(100).bfloat16().float()).mean == pytest.approx(
        inception_score(soft(100)).mean, rel=0.02
    )
