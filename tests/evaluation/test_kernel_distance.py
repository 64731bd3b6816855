import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from impasto.errors import EvaluationError
from impasto.evaluation import kernel_distance as module
from impasto.evaluation.kernel_distance import kernel_distance, kernel_distance_of_all


def features(count: int, seed: int, d: int = 16) -> Tensor:
    return torch.randn(count, d, generator=torch.Generator().manual_seed(seed))


def slow(x: Tensor, y: Tensor) -> float:
    """The definition, pair by pair."""

    def k(a: Tensor, b: Tensor) -> float:
        return (a.double().dot(b.double()).item() / len(a) + 1) ** 3

    def mean(values: list[float]) -> float:
        return sum(values) / len(values)

    within = [mean([k(a, b) for i, a in enumerate(rows) for j, b in enumerate(rows) if i != j]) for rows in (x, y)]
    return sum(within) - 2 * mean([k(a, b) for a in x for b in y])


@pytest.fixture
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS", 5)
    monkeypatch.setattr(module, "COLUMNS", 7)


@pytest.mark.usefixtures("_small_blocks")
@pytest.mark.parametrize(("n", "m"), [(2, 2), (17, 12), (10, 21)])
def test_all_pairs_in_blocks_equal_the_definition(n: int, m: int) -> None:
    x, y = features(n, 0), features(m, 1) + 0.3
    assert kernel_distance_of_all(x, y) == pytest.approx(slow(x, y), rel=1e-5, abs=1e-7)


def test_two_points_at_the_origin() -> None:
    zeros = torch.zeros(2, 3)
    assert kernel_distance_of_all(zeros, zeros) == 0
    assert kernel_distance(zeros, zeros) == (0, 0, 100, 2)


def test_one_distribution_is_near_zero_on_either_side_of_it() -> None:
    same = [kernel_distance_of_all(features(300, 2 * k), features(300, 2 * k + 1)) for k in range(20)]
    assert min(same) < 0 < max(same)
    found = kernel_distance(features(2000, 0), features(2000, 1), subsets=20, size=300)
    assert abs(found.mean) < 0.02
    assert kernel_distance(features(2000, 0), features(2000, 1) + 1, subsets=20, size=300).mean > 1


def test_subsets_of_everything_are_everything() -> None:
    x, y = features(40, 0), features(40, 1)
    found = kernel_distance(x, y, subsets=3)
    assert (found.subsets, found.size) == (3, 40)
    assert found.mean == pytest.approx(kernel_distance_of_all(x, y), rel=1e-5)
    assert found.std == pytest.approx(0, abs=1e-6)


def test_the_mean_over_subsets_estimates_the_whole() -> None:
    x, y = features(200, 0), features(150, 1) + 0.5
    found = kernel_distance(x, y, subsets=200, size=50, seed=3)
    assert found.mean == pytest.approx(kernel_distance_of_all(x, y), abs=4 * found.std / 200**0.5)
    assert found == kernel_distance(x, y, subsets=200, size=50, seed=3)
    assert found != kernel_distance(x, y, subsets=200, size=50, seed=4)


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 30), st.integers(2, 30), st.integers(0, 1000))
def test_neither_order_nor_turning_nor_sides_matter(n: int, m: int, seed: int) -> None:
    x, y = features(n, seed).double(), features(m, seed + 1).double()
    turn = torch.linalg.qr(features(16, seed + 2).double())[0]
    value = pytest.approx(kernel_distance_of_all(x, y), rel=1e-9, abs=1e-9)
    assert kernel_distance_of_all(y, x) == value
    assert kernel_distance_of_all(x.flip(0), y) == value
    assert kernel_distance_of_all(x @ turn, y @ turn) == value


def test_float32_products_change_little() -> None:
    x, y = features(500, 0, d=256).abs(), features(500, 1, d=256).abs() + 0.01
    exact = kernel_distance_of_all(x.double(), y.double())
    assert kernel_distance_of_all(x, y) == pytest.approx(exact, abs=1e-6)


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(EvaluationError, match="at least 2"):
        kernel_distance(features(1, 0), features(5, 0))
    with pytest.raises(EvaluationError, match="dimensions"):
        kernel_distance_of_all(features(5, 0), features(5, 0, d=3))
    with pytest.raises(EvaluationError, match="row 0"):
        kernel_distance(features(5, 0), features(5, 0) * torch.nan)
