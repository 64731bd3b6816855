import math

import pytest
import torch
from torch.nn import functional as F

from impasto.losses.contrast import patch_contrast

PLACES, TAU = 8, 0.5
ORTHOGONAL = torch.eye(PLACES).expand(3, PLACES, PLACES)


def test_loss_of_right_and_of_confused_places_in_closed_form() -> None:
    """Orthogonal features have a similarity of 1 with themselves and 0 with others."""
    right = math.log(1 + (PLACES - 1) * math.exp(-1 / TAU))
    assert patch_contrast(ORTHOGONAL, ORTHOGONAL, TAU).item() == pytest.approx(right, rel=1e-5)
    wrong = math.log(math.exp(1 / TAU) + PLACES - 1)
    assert patch_contrast(ORTHOGONAL, ORTHOGONAL.roll(1, 1), TAU).item() == pytest.approx(wrong, rel=1e-5)


def test_equal_places_give_the_loss_of_guessing() -> None:
    alike = F.normalize(torch.ones(2, 5, 4), dim=2)
    assert patch_contrast(alike, alike, 0.07).item() == pytest.approx(math.log(5), rel=1e-5)


def test_equals_the_authors_form() -> None:
    """The positive comes first, then all similarities but the diagonal. Negatives come from the same image only."""
    queries, keys = (F.normalize(torch.randn(3, 7, 6, dtype=torch.float64), dim=2) for _ in range(2))
    expected = []
    for query, key in zip(queries, keys, strict=True):
        similarities = (query @ key.T).masked_fill(torch.eye(7, dtype=torch.bool), -math.inf)
        logits = torch.cat([(query * key).sum(1, keepdim=True), similarities], 1) / 0.07
        expected.append(F.cross_entropy(logits, torch.zeros(7, dtype=torch.int64)))
    torch.testing.assert_close(
        patch_contrast(queries, keys, 0.07).double(), torch.stack(expected).mean(), rtol=1e-5, atol=0
    )


def test_gradients_reach_queries_only() -> None:
    queries, keys = (F.normalize(torch.randn(2, 5, 4), dim=2).requires_grad_() for _ in range(2))
    patch_contrast(queries, keys, 0.1).backward()
    assert keys.grad is None
    assert queries.grad is not None
    assert queries.grad.abs().sum() > 0


def test_half_precision_is_computed_in_float32() -> None:
    queries = F.normalize(torch.randn(1, 64, 32), dim=2).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        loss = patch_contrast(queries, queries, 0.07)
    assert loss.dtype == torch.float32
    assert loss == patch_contrast(queries.float(), queries.float(), 0.07)
