import pytest
import torch
from torch import nn

from impasto.engine.average import Average


def network(value: float) -> nn.Linear:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, value)
    return layer


def test_half_of_a_step_is_left_after_the_halflife() -> None:
    layer = network(0.0)
    average = Average({"n": layer}, halflife_images=10)
    nn.init.constant_(layer.weight, 1.0)
    for _ in range(5):
        average.update(2, images_seen=1_000_000)
    assert average.state_dict()["n.weight"].item() == pytest.approx(0.5)


def test_the_first_weights_are_forgotten_fast() -> None:
    layer = network(100.0)
    average = Average({"n": layer}, halflife_images=10_000)
    nn.init.constant_(layer.weight, 1.0)
    for step in range(1, 51):
        average.update(1, images_seen=step)
    assert average.state_dict()["n.weight"].item() == pytest.approx(1.0, abs=1e-3)


def test_averaged_weights_are_applied_and_the_live_ones_restored() -> None:
    layer = network(0.0)
    average = Average({"n": layer}, halflife_images=1)
    nn.init.constant_(layer.weight, 1.0)
    average.update(1, images_seen=1000)
    with average.applied():
        assert layer.weight.item() == 0.5
    assert layer.weight.item() == 1.0


def test_without_a_halflife_the_average_is_the_weights() -> None:
    layer = network(3.0)
    average = Average({"n": layer}, halflife_images=None)
    average.update(1, images_seen=1)
    with average.applied():
        assert layer.weight.item() == 3.0
    nn.init.constant_(layer.weight, 4.0)
    assert torch.equal(average.state_dict()["n.weight"], layer.weight)
