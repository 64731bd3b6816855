"""K classes and one more, "fake" (docs/methods/stacked-gans.md, "Losses")."""

import math
from typing import get_args

import pytest
import torch
from torch.nn import functional

from impasto.losses.class_or_fake import Head, class_loss, fake_loss, outputs, real_logits

HEADS: tuple[Head, ...] = get_args(Head)


def logits(rows: int = 6, classes: int = 10) -> torch.Tensor:
    return 3 * torch.randn(rows, classes, generator=torch.Generator().manual_seed(0))


def test_the_implicit_head_is_a_softmax_over_one_more_logit_of_zero() -> None:
    given = logits()
    labels = torch.arange(6)
    explicit = torch.cat([given, torch.zeros(6, 1)], 1)
    z = given.logsumexp(1)
    reference = functional.cross_entropy(given, labels) + (functional.softplus(z) - z).mean()
    for found in (class_loss(given, labels, "implicit"), class_loss(explicit, labels, "explicit")):
        torch.testing.assert_close(found, reference, atol=1e-6, rtol=1e-6)
    for found in (fake_loss(given, "implicit"), fake_loss(explicit, "explicit")):
        torch.testing.assert_close(found, functional.softplus(z).mean(), atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(real_logits(given, "implicit"), z)
    torch.testing.assert_close(real_logits(explicit, "explicit"), z)


@pytest.mark.parametrize("classes", [2, 10, 27])
def test_logits_of_zero(classes: int) -> None:
    for head in ("implicit", "explicit"):
        zeros = torch.zeros(3, outputs(classes, head))  # type: ignore[arg-type]
        labels = torch.zeros(3, dtype=torch.int64)
        assert class_loss(zeros, labels, head).item() == pytest.approx(math.log(classes + 1))  # type: ignore[arg-type]
        assert fake_loss(zeros, head).item() == pytest.approx(math.log(classes + 1))  # type: ignore[arg-type]
    zeros = torch.zeros(3, outputs(classes, "sigmoid"))
    assert fake_loss(zeros, "sigmoid").item() == pytest.approx((classes + 1) * math.log(2))


def test_the_sigmoid_head_is_a_sum_of_binary_losses() -> None:
    given = logits(2, 4)
    predicted = torch.sigmoid(given.double())
    right = [[1, 0, 0, 0], [0, 0, 1, 0]]
    slow = (
        sum(-math.log(predicted[i, j] if right[i][j] else 1 - predicted[i, j]) for i in range(2) for j in range(4)) / 2
    )
    assert class_loss(given, torch.tensor([0, 2]), "sigmoid").item() == pytest.approx(slow, rel=1e-5)


@pytest.mark.parametrize("head", HEADS)
def test_the_generators_loss_falls_as_the_logit_of_the_requested_class_rises(head: Head) -> None:
    """The printed L_G, -log p(y_i | G, i != khat), does the opposite."""
    given = logits(1, outputs(4, head)).requires_grad_()
    class_loss(given, torch.tensor([2]), head).backward()
    gradient = given.grad
    assert gradient is not None
    assert gradient[0, 2] < 0
    others = [place for place in range(gradient.shape[1]) if place != 2]
    assert (gradient[0, others] > 0).all()
    printed = logits(1, 4).requires_grad_()
    others_share = printed.softmax(1)[0, [0, 1, 3]].sum()
    (-others_share.log()).backward()
    assert printed.grad is not None
    assert printed.grad[0, 2] > 0


@pytest.mark.parametrize("head", HEADS)
def test_the_loss_of_an_image_does_not_depend_on_the_others(head: Head) -> None:
    given, labels = logits(5, outputs(4, head)), torch.tensor([0, 1, 0, 3, 2])
    for loss in (lambda rows, which: class_loss(rows, which, head), lambda rows, _: fake_loss(rows, head)):
        alone = torch.stack([loss(given[i : i + 1], labels[i : i + 1]) for i in range(5)])
        torch.testing.assert_close(loss(given, labels), alone.mean())
    assert real_logits(given, head).shape == (5,)


@pytest.mark.parametrize("head", HEADS)
def test_huge_logits_and_half_precision_stay_finite(head: Head) -> None:
    given = (1000 * logits(3, outputs(4, head))).bfloat16()
    for loss in (class_loss(given, torch.tensor([0, 1, 3]), head), fake_loss(given, head)):
        assert loss.dtype == torch.float32
        assert torch.isfinite(loss)
