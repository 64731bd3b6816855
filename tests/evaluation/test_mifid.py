import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from impasto.errors import EvaluationError
from impasto.evaluation.frechet import Moments, frechet_distance
from impasto.evaluation.mifid import memorisation_distances, mifid, mifid_of


def features(count: int, seed: int, d: int = 12) -> Tensor:
    return torch.randn(count, d, generator=torch.Generator().manual_seed(seed)).relu() + 0.01


def distance(generated: Tensor, reference: Tensor) -> float:
    return memorisation_distances(generated, reference).mean().item()


def test_copies_of_the_reference_are_worth_nothing() -> None:
    reference = features(20, 0)
    copies = reference[:10] * 2  # other features, but the same directions
    found = mifid_of(copies, reference)
    assert found.distance == pytest.approx(0, abs=1e-15)
    assert found.value > 1e12
    same = mifid_of(reference, reference)
    assert same.fid == pytest.approx(0, abs=1e-9)


def test_orthogonal_features_are_not_punished() -> None:
    generated, reference = torch.eye(6)[:3] * 2, torch.eye(6)[3:]
    found = mifid_of(generated, reference)
    assert (found.distance, found.thresholded) == (1, 1)
    assert found.value == pytest.approx(found.fid)


def test_near_the_threshold() -> None:
    """The threshold is strict: a distance of 0.1 is not punished any more."""
    assert mifid(40.0, torch.tensor([0.04, 0.06])).value == pytest.approx(20 * 40)
    at = mifid(40.0, torch.tensor([0.1], dtype=torch.float64))
    assert (at.distance, at.thresholded, at.value) == pytest.approx((0.1, 1, 40))
    assert mifid(40.0, torch.tensor([0.0999])).value == pytest.approx(40 / 0.0999, rel=1e-5)
    assert mifid(40.0, torch.tensor([0.2]), eps=0.25).value == pytest.approx(200)
    assert mifid(1.0, torch.zeros(1)).value == pytest.approx(1e14)


def test_a_known_angle() -> None:
    generated = torch.tensor([[3.0, 4.0], [1.0, 0.0]])
    assert memorisation_distances(generated, torch.tensor([[5.0, 0.0]])).tolist() == pytest.approx([0.4, 0])


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 1000))
def test_the_direction(n: int, m: int, seed: int) -> None:
    """More reference images can only bring copies nearer; more generated ones that copy nothing dilute them."""
    generated, reference, others = features(n, seed), features(m, seed + 1), features(5, seed + 2)
    before = distance(generated, reference)
    assert distance(generated, torch.cat([reference, others])) <= before + 1e-12
    copies = torch.cat([generated, torch.zeros(n, 2)], dim=1)
    unrelated = torch.cat([torch.zeros(3, 12), torch.ones(3, 2)], dim=1)
    among = torch.cat([reference, torch.zeros(m, 2)], dim=1)
    assert distance(torch.cat([copies, unrelated]), among) >= distance(copies, among)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 20), st.integers(0, 1000), st.floats(0.01, 100))
def test_neither_length_nor_zero_rows_matter(n: int, seed: int, scale: float) -> None:
    generated, reference = features(n, seed), features(8, seed + 1)
    expected = pytest.approx(distance(generated, reference), abs=1e-6)
    scaled = generated.clone()
    scaled[0] *= scale
    assert distance(scaled, reference) == expected
    empty = torch.zeros(2, 12)
    assert distance(torch.cat([empty, generated]), torch.cat([reference, empty])) == expected
    assert len(memorisation_distances(torch.cat([empty, generated]), reference)) == n


def test_two_references_for_two_questions() -> None:
    """The Monet contest: FID to paintings held out, copying of those learned from."""
    held_out, learned, generated = features(30, 0), features(25, 1), features(40, 2)
    generated[:38] = learned[torch.arange(38) % 25]
    found = mifid_of(generated, held_out, learned)
    assert found.fid == frechet_distance(Moments.of(generated), Moments.of(held_out)).value
    assert found.distance == pytest.approx(distance(generated, learned))
    assert found.value == pytest.approx(found.fid / found.distance)
    assert mifid_of(generated, held_out).distance > found.distance


def test_features_that_are_all_zero_are_refused() -> None:
    with pytest.raises(EvaluationError, match="generated images are 0"):
        memorisation_distances(torch.zeros(3, 2), torch.ones(3, 2))
    with pytest.raises(EvaluationError, match="reference are 0"):
        memorisation_distances(torch.ones(3, 2), torch.zeros(3, 2))
