import pytest
import torch

from impasto.clock import Clock
from impasto.engine.schedule import learning_rate_factor, set_learning_rates
from impasto.recipe import Constant, Halving, LinearDecay


def test_the_papers_epochs() -> None:
    """CycleGAN's: lr(e) = lr0 (1 - max(0, e + 1 - n_const) / (n_decay + 1)), with 100 + 100 epochs of 7 images."""
    schedule = LinearDecay(constant_images=700, stair_images=7)
    for epoch in range(200):
        expected = 1 - max(0, epoch + 1 - 100) / 101
        for image in (0, 6):
            assert learning_rate_factor(schedule, epoch * 7 + image, 1400, 1) == pytest.approx(expected)


@pytest.mark.parametrize("batch", [1, 4])
def test_constant_then_linear_and_never_quite_zero(batch: int) -> None:
    schedule = LinearDecay(constant_images=40)
    factors = [learning_rate_factor(schedule, seen, 80, batch) for seen in range(0, 80, batch)]
    assert factors[: 40 // batch] == [1.0] * (40 // batch)
    falls = [a - b for a, b in zip(factors[40 // batch - 1 :], factors[40 // batch :], strict=False)]
    assert falls == pytest.approx([falls[0]] * len(falls))
    assert factors[-1] > 0
    assert factors[-1] == pytest.approx(falls[0]), "one more step would be zero"


def test_every_optimizer_keeps_its_own_rate() -> None:
    fast, slow = (torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=lr) for lr in (0.4, 0.1))
    clock = Clock(images=8, images_seen=6)
    for _ in range(2):
        set_learning_rates({"fast": fast, "slow": slow}, LinearDecay(constant_images=4), clock, 2)
    assert fast.param_groups[0]["lr"] == pytest.approx(0.4 / 3)
    assert slow.param_groups[0]["lr"] == pytest.approx(0.1 / 3)
    set_learning_rates({"fast": fast}, Constant(), clock, 2)
    assert fast.param_groups[0]["lr"] == pytest.approx(0.4)


def test_halving_every_20_epochs() -> None:
    """StackGAN's schedule, with epochs of 7 images."""
    schedule = Halving(every_images=140)
    rates = [2e-4 * learning_rate_factor(schedule, epoch * 7, 700, 7) for epoch in (0, 19, 20, 40, 60)]
    assert rates == pytest.approx([2e-4, 2e-4, 1e-4, 5e-5, 2.5e-5])
    assert learning_rate_factor(schedule, 139, 700, 1) == 1
