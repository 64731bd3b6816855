from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor

from impasto.errors import EvaluationError
from impasto.evaluation import frechet
from impasto.evaluation.frechet import Moments, frechet_distance

seeds = st.integers(0, 10_000)
counts = st.integers(2, 40)
D = 8


def features(count: int, seed: int, d: int = D) -> Tensor:
    """Correlated, off centre, and non-negative as pooled features are."""
    chance = torch.Generator().manual_seed(seed)
    mixing = torch.randn(d, d, generator=torch.Generator().manual_seed(seed % 7))
    return (torch.randn(count, d, generator=chance) @ mixing + 1).relu()


def distance(a: Tensor, b: Tensor) -> float:
    return frechet_distance(Moments.of(a), Moments.of(b)).value


def gaussian(mean: Tensor, covariance: Tensor) -> Moments:
    return Moments.from_covariance(mean, covariance, count=1000)


def slow(a: Tensor, b: Tensor) -> float:
    """The definition, by the eigenvalues of the product itself."""
    a, b = a.double(), b.double()
    s, t = torch.cov(a.T), torch.cov(b.T)
    root = torch.linalg.eigvals(s @ t).sqrt().real.sum()
    return ((a.mean(0) - b.mean(0)).square().sum() + s.trace() + t.trace() - 2 * root).item()


def test_two_gaussians_by_hand() -> None:
    one = gaussian(torch.zeros(3), torch.eye(3))
    other = gaussian(torch.full((3,), 2.0), 4 * torch.eye(3))
    found = frechet_distance(one, other)
    assert found.value == pytest.approx(15, abs=1e-9)
    assert (found.mean_term, found.covariance_term) == pytest.approx((12, 3), abs=1e-9)
    assert not found.rank_deficient


def test_diagonal_covariances() -> None:
    means, deviations = torch.tensor([[0.0, 1, 2], [3, 1, 0]]), torch.tensor([[1.0, 2, 3], [0.5, 2, 7]])
    one, other = (gaussian(mean, std.square().diag()) for mean, std in zip(means, deviations, strict=True))
    expected = (means[0] - means[1]).square().sum() + (deviations[0] - deviations[1]).square().sum()
    assert frechet_distance(one, other).value == pytest.approx(expected.item(), rel=1e-9)


@settings(deadline=None, max_examples=40)
@given(counts, counts, seeds)
def test_equals_the_definition_for_few_and_many_rows_on_either_side(n: int, m: int, seed: int) -> None:
    a, b = features(n, seed), features(m, seed + 1)
    assert distance(a, b) == pytest.approx(slow(a, b), rel=1e-5, abs=1e-5)  # the slow way's own rounding
    assert distance(a, b) == pytest.approx(distance(b, a), rel=1e-6, abs=1e-6)


@settings(deadline=None, max_examples=40)
@given(counts, seeds)
def test_is_zero_for_one_set_in_any_order(n: int, seed: int) -> None:
    a = features(n, seed)
    assert 0 <= distance(a, a) < 1e-6
    assert distance(a, a[torch.randperm(n)]) < 1e-6


@settings(deadline=None, max_examples=40)
@given(counts, counts, seeds, st.floats(0.1, 10))
def test_moving_turning_and_scaling(n: int, m: int, seed: int, scale: float) -> None:
    a, b = features(n, seed).double(), features(m, seed + 1).double()
    shift = torch.randn(D, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    turn = torch.linalg.qr(torch.randn(D, D, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)))[0]
    assert distance(a, a + shift) == pytest.approx(shift.square().sum().item(), rel=1e-6)
    assert distance(a @ turn + shift, b @ turn + shift) == pytest.approx(distance(a, b), rel=1e-6, abs=1e-6)
    assert distance(scale * a, scale * b) == pytest.approx(scale**2 * distance(a, b), rel=1e-6, abs=1e-6)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 9), max_size=8), st.lists(st.integers(0, 9), max_size=8), seeds)
def test_a_stream_in_any_batches_and_two_merged_are_the_whole(sizes: list[int], more: list[int], seed: int) -> None:
    rows = features(sum(sizes) + sum(more) + 2, seed)
    parts = [Moments(), Moments()]
    start = 0
    for moments, batches in zip(parts, (sizes, [*more, 2]), strict=True):
        for size in batches:
            moments.update(rows[start : start + size])
            start += size
    parts[0].merge(parts[1])
    assert parts[0].count == len(rows)
    assert (parts[0].rows is None) == (len(rows) > D)
    torch.testing.assert_close(parts[0].mean, rows.double().mean(0))
    torch.testing.assert_close(parts[0].covariance, torch.cov(rows.double().T))


def test_far_from_the_origin_nothing_is_lost() -> None:
    rows = features(100, 0).double()
    moments = Moments()
    for batch in (rows + 1e7).split(7):
        moments.update(batch)
    torch.testing.assert_close(moments.covariance, torch.cov(rows.T), rtol=1e-6, atol=1e-6)


def test_the_caller_may_fill_its_tensors_again() -> None:
    rows = features(4, 0)
    moments, mean = Moments.of(rows), rows.double().mean(0)
    known = Moments.from_covariance(mean, torch.eye(D, dtype=torch.float64), 50)
    whole = Moments()
    whole.merge(known)
    whole.update(rows)
    torch.testing.assert_close(known.mean, mean)
    assert (known.count, whole.count) == (50, 54)
    rows.zero_()
    torch.testing.assert_close(moments.mean, mean)


@pytest.mark.parametrize("count", [5, D, 30])
def test_moments_are_saved_and_found_again(count: int, tmp_path: Path) -> None:
    moments = Moments.of(features(count, 3))
    save_file(moments.tensors(), tmp_path / "moments.safetensors")
    again = Moments.from_tensors(load_file(tmp_path / "moments.safetensors"))
    assert (again.count, again.dimensions) == (count, D)
    assert frechet_distance(moments, again).value < 1e-9
    for each in (moments, again):
        each.update(features(9, 4))
    torch.testing.assert_close(again.covariance, moments.covariance)


def test_few_images_in_many_dimensions_take_no_large_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    eigvalsh = torch.linalg.eigvalsh
    monkeypatch.setattr(torch.linalg, "eigvalsh", lambda matrix: sizes.append(len(matrix)) or eigvalsh(matrix))
    a, b, many = features(10, 0, d=64), features(20, 1, d=64), features(200, 2, d=64)
    assert distance(a, b) == pytest.approx(slow(a, b), rel=1e-6)
    assert distance(many, b) == pytest.approx(slow(many, b), rel=1e-6)
    assert sizes == [10, 20]


def test_the_triangular_product_in_blocks_is_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frechet, "BLOCK", 3)
    lower, covariance = torch.randn(8, 8).tril(), torch.cov(features(20, 0).T)
    torch.testing.assert_close(frechet._lower_half(lower, covariance).tril(), (lower.T @ covariance @ lower).tril())


def test_singular_covariances_on_both_sides() -> None:
    """Units of a network that never speak make every covariance singular, and Cholesky fails."""
    a, b = (torch.cat([features(50, seed), torch.zeros(50, 3)], dim=1) for seed in (0, 1))
    assert torch.linalg.cholesky_ex(Moments.of(a).covariance).info > 0
    assert distance(a, b) == pytest.approx(distance(a[:, :D], b[:, :D]), rel=1e-6)
    assert distance(a, a) < 1e-6


def test_a_covariance_of_few_images_beside_rows() -> None:
    """Other tools save a covariance however few images there were."""
    a, b = features(5, 0), features(7, 1)
    saved = Moments.from_covariance(a.double().mean(0), torch.cov(a.double().T), len(a))
    found = frechet_distance(saved, Moments.of(b))
    assert found.value == pytest.approx(distance(a, b), rel=1e-6)
    assert found.rank_deficient


def test_equal_pictures_have_no_covariance() -> None:
    one, other = torch.zeros(5, 3), torch.ones(5, 3)
    assert distance(one, other) == pytest.approx(3)


def test_rounding_is_recorded_and_damage_refused() -> None:
    plain = gaussian(torch.zeros(2), torch.eye(2))
    rounded = gaussian(torch.zeros(2), torch.tensor([[1.0, 0], [0, -1e-12]]))
    assert frechet_distance(plain, rounded).discarded == pytest.approx(1e-6)
    damaged = gaussian(torch.zeros(2), torch.tensor([[1.0, 0], [0, -0.1]]))
    for one, other in ((plain, damaged), (damaged, damaged)):
        with pytest.raises(EvaluationError, match="negative eigenvalues"):
            frechet_distance(one, other)


def test_rank_deficient_up_to_as_many_images_as_dimensions() -> None:
    many = Moments.of(features(50, 0))
    assert frechet_distance(many, Moments.of(features(D, 1))).rank_deficient
    assert not frechet_distance(many, Moments.of(features(D + 1, 1))).rank_deficient


def test_what_cannot_be_measured_is_refused() -> None:
    some = Moments.of(features(5, 0))
    for few in (Moments(), Moments.of(features(1, 0))):
        with pytest.raises(EvaluationError, match="at least 2 images"):
            frechet_distance(some, few)
    with pytest.raises(EvaluationError, match="of 8 and of 9 dimensions"):
        frechet_distance(some, Moments.of(features(5, 0, d=9)))
    for join in (lambda: some.update(torch.zeros(1, 9)), lambda: some.merge(Moments.of(features(30, 0, d=9)))):
        with pytest.raises(EvaluationError, match="dimensions"):
            join()
    with pytest.raises(EvaluationError, match="row 7 of"):
        some.update(torch.tensor([[0.0], [0.0], [torch.nan]]).expand(3, D))


def test_damaged_statistics_are_refused() -> None:
    with pytest.raises(EvaluationError, match="lack count, covariance"):
        Moments.from_tensors({"mean": torch.zeros(2)})
    with pytest.raises(EvaluationError, match="does not fit"):
        Moments.from_covariance(torch.zeros(2), torch.eye(3), 10)
    with pytest.raises(EvaluationError, match="NaN"):
        Moments.from_covariance(torch.zeros(2), torch.full((2, 2), torch.nan), 10)
