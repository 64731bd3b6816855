import math

import pytest
import torch
from torch import nn

from impasto.losses.adversarial import cross_entropy, discriminator_accuracy, gradient_penalty, least_squares
from impasto.losses.cycle import mean_absolute


def test_least_squares_by_hand_and_against_a_slow_twin() -> None:
    scores = torch.tensor([[0.0, 1.0], [0.5, 2.0]])
    assert least_squares(scores, 1.0).item() == pytest.approx((1 + 0 + 0.25 + 1) / 4)
    assert least_squares(scores, 0.0).item() == pytest.approx((0 + 1 + 0.25 + 4) / 4)
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


def test_cross_entropy_by_hand() -> None:
    assert cross_entropy(torch.zeros(4), 1.0).item() == pytest.approx(math.log(2))
    logits = torch.tensor([2.0, -1.0])
    expected = (math.log1p(math.exp(-2)) + math.log1p(math.exp(1))) / 2
    assert cross_entropy(logits, 1.0).item() == pytest.approx(expected)
    assert cross_entropy(logits, 0.0).item() == pytest.approx(cross_entropy(-logits, 1.0).item())
    assert cross_entropy(logits.bfloat16(), 1.0).dtype == torch.float32


def test_real_and_fake_images_have_the_same_weight_in_the_accuracy() -> None:
    real, fake = torch.tensor([2.0, 1.0, -1.0, 3.0]), torch.tensor([[-1.0], [0.5]])
    assert discriminator_accuracy(real, fake) == (3 / 4 + 1 / 2) / 2
    assert discriminator_accuracy(real, fake, torch.tensor(1.5)) == (2 / 4 + 1) / 2
    assert discriminator_accuracy(torch.zeros(2), torch.zeros(2)) == 0, "scores on the boundary count as wrong"


REAL, FAKE = torch.randn(2, 4, 3, 5, 5, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("norm", [0.0, 0.5, 1.0, 3.0])
def test_the_penalty_of_a_linear_critic_has_a_closed_form(norm: float) -> None:
    """f(x) = <u, x> has the gradient u everywhere."""
    direction = torch.randn(3, 5, 5)
    direction = norm * direction / direction.norm()
    penalty = gradient_penalty(lambda points: (points * direction).sum((1, 2, 3)), REAL, FAKE)
    assert penalty.item() == pytest.approx((norm - 1) ** 2, abs=1e-6)


def test_the_penalty_gives_gradients_to_the_critic_only() -> None:
    """Second derivatives reach the weights of the critic, not the images."""
    critic = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Softplus(), nn.Flatten(), nn.Linear(36, 1))
    real, fake = REAL.clone().requires_grad_(), FAKE.clone().requires_grad_()
    gradient_penalty(critic, real, fake).backward()
    assert real.grad is None
    assert fake.grad is None
    for name, weight in critic.named_parameters():
        flat = name == "3.bias"  # a constant has no gradient
        assert flat == (weight.grad is None or bool(weight.grad.abs().max() == 0))


def test_the_penalty_is_taken_at_one_point_of_the_segment_for_each_image() -> None:
    """All pixels of an image have the same share of real and fake; different images have different shares."""
    seen = []

    def critic(points: torch.Tensor) -> torch.Tensor:
        seen.append(points.detach())
        return points.sum((1, 2, 3))

    gradient_penalty(critic, REAL, FAKE)
    places = ((seen[0] - FAKE) / (REAL - FAKE)).flatten(1)
    assert torch.allclose(places, places[:, :1].expand_as(places), atol=1e-3)
    assert places.min() >= -1e-3
    assert places.max() <= 1 + 1e-3
    assert places[:, 0].unique().numel() == 4
