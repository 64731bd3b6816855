import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from impasto.errors import EvaluationError
from impasto.evaluation import neighbours
from impasto.evaluation.neighbours import nearest, prdc


def features(count: int, seed: int, d: int = 6) -> Tensor:
    return torch.randn(count, d, generator=torch.Generator().manual_seed(seed))


def slow_prdc(real: Tensor, fake: Tensor, k: int, density_k: int) -> tuple[float, ...]:
    """The definitions on whole matrices."""

    def radii(points: Tensor, k: int) -> Tensor:
        return torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist").kthvalue(k + 1).values

    real, fake = real.double(), fake.double()
    between = torch.cdist(real, fake, compute_mode="donot_use_mm_for_euclid_dist")
    dense = between <= radii(real, density_k)[:, None]
    precision = (between <= radii(real, k)[:, None]).any(0).double().mean().item()
    recall = (between <= radii(fake, k)).any(1).double().mean().item()
    density = dense.sum().item() / (density_k * len(fake))
    return precision, recall, density, dense.any(1).double().mean().item()


@pytest.fixture
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "ROWS", 7)
    monkeypatch.setattr(neighbours, "COLUMNS", 5)


@pytest.mark.usefixtures("_small_blocks")
@pytest.mark.parametrize(("n", "m", "k", "density_k"), [(6, 6, 3, 5), (40, 31, 3, 5), (20, 50, 6, 2)])
def test_prdc_in_blocks_equals_the_definitions(n: int, m: int, k: int, density_k: int) -> None:
    real, fake = features(n, 0), features(m, 1) * 0.8 + 0.2
    assert prdc(real, fake, k, density_k) == pytest.approx(slow_prdc(real, fake, k, density_k))


def test_identical_sets_lie_in_each_others_balls() -> None:
    """A ball holds its own centre and five neighbours, the farthest of them on its border."""
    for points in (features(60, 0), features(60, 0) + 1e4, features(60, 0).repeat(3, 1)):
        found = prdc(points, points[torch.randperm(len(points))])
        assert (found.precision, found.recall, found.coverage) == (1, 1, 1)
        assert found.density >= 1.2
    assert prdc(features(60, 0), features(60, 0)).density == pytest.approx(6 / 5)


def test_far_apart_sets_have_nothing_in_common() -> None:
    assert prdc(features(50, 0), features(50, 1) + 100) == (0, 0, 0, 0)


def test_two_samples_of_one_gaussian() -> None:
    found = prdc(features(2000, 0, d=2), features(2000, 1, d=2))
    assert found.coverage == pytest.approx(1 - 2**-5, abs=0.02)
    assert found.density == pytest.approx(1, abs=0.05)


def test_a_mode_left_out_costs_recall_and_coverage_only() -> None:
    real = torch.cat([features(50, 0), features(50, 1) + 50])
    found = prdc(real, features(50, 0))
    assert (found.precision, found.recall, found.coverage) == (1, 0.5, 0.5)


@settings(deadline=None, max_examples=30)
@given(st.integers(6, 30), st.integers(6, 30), st.integers(0, 1000))
def test_neither_order_nor_moving_nor_scaling_matter(n: int, m: int, seed: int) -> None:
    real, fake = features(n, seed).double(), features(m, seed + 1).double()
    turn = torch.linalg.qr(features(6, seed + 2).double())[0]
    found = pytest.approx(prdc(real, fake))
    assert prdc(real.flip(0), fake[torch.randperm(m)]) == found
    assert prdc(real @ turn * 3 + 100, fake @ turn * 3 + 100) == found
    assert prdc(fake, real)[:2] == pytest.approx(prdc(real, fake)[1::-1])


@pytest.mark.usefixtures("_small_blocks")
@pytest.mark.parametrize("k", [1, 4, 17])
def test_the_nearest_in_blocks_are_those_of_the_whole(k: int) -> None:
    queries, references = features(23, 0), features(17, 1)
    found = nearest(queries, references, k)
    expected = torch.cdist(queries.double(), references.double()).sort(dim=1)
    torch.testing.assert_close(found.distances, expected.values[:, :k])
    assert torch.equal(found.indices, expected.indices[:, :k])


@pytest.mark.usefixtures("_small_blocks")
def test_the_nearest_by_angle() -> None:
    queries, references = features(23, 0), features(17, 1)
    found = nearest(queries, references, 3, "cosine")
    cosines = torch.nn.functional.cosine_similarity(queries.double()[:, None], references.double()[None], dim=2)
    expected = (1 - cosines.abs()).sort(dim=1)
    torch.testing.assert_close(found.distances, expected.values[:, :3])
    assert torch.equal(found.indices, expected.indices[:, :3])


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6])
def test_copies_have_distance_zero_wherever_they_lie(offset: float) -> None:
    references = features(3000, 0, d=40) + offset
    copied = torch.tensor([2999, 0, 1500])
    found = nearest(references[copied], references, 1)
    assert torch.equal(found.indices[:, 0], copied)
    assert (found.distances == 0).all()
    assert nearest(references[:1] + 0.5, references[:1], 1).distances.item() == pytest.approx(0.5 * 40**0.5, rel=1e-2)


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(EvaluationError, match="at least 6 images .* one side has 5"):
        prdc(features(20, 0), features(5, 1))
    with pytest.raises(EvaluationError, match="at least 4 images"):
        nearest(features(20, 0), features(3, 1), 4)
    with pytest.raises(EvaluationError, match="dimensions"):
        nearest(features(20, 0), features(20, 1, d=3), 1)
    with pytest.raises(EvaluationError, match="row 0"):
        prdc(features(20, 0), features(20, 1) / 0)
