"""Latents depend on seed and number alone, truncation has the right distribution, and walks keep their length."""

import math

import pytest
import scipy.stats
import torch

from impasto.networks.latents import between, truncated
from impasto.painting.latents import drawn_latents


def test_fewer_latents_are_the_first_of_more() -> None:
    many = drawn_latents(7, 3, range(16))
    assert torch.equal(many[:4], drawn_latents(7, 3, range(4)))
    assert torch.equal(many[5:6], drawn_latents(7, 3, [5]))
    assert not torch.equal(many, drawn_latents(7, 4, range(16)))
    assert torch.equal(drawn_latents(7, 3, range(2), 0.5), truncated(many[:2], 0.5))


@pytest.mark.parametrize("threshold", [0.3, 1.0, 2.5])
def test_truncated_latents_have_the_truncated_normal_distribution(threshold: float) -> None:
    values = truncated(drawn_latents(20_000, 1, [0]), threshold)[0]
    assert float(values.abs().max()) <= threshold
    expected = scipy.stats.truncnorm(-threshold, threshold)
    assert scipy.stats.kstest(values.numpy(), expected.cdf).pvalue > 0.01


def test_truncation_keeps_the_order_and_ends_at_nothing_and_at_all() -> None:
    drawn = drawn_latents(1000, 2, [0])
    order = drawn.argsort()
    assert torch.equal(truncated(drawn, 0.3).argsort(), order)
    assert torch.allclose(truncated(drawn, math.inf), drawn, atol=1e-6)
    assert torch.equal(truncated(drawn, 0), torch.zeros_like(drawn))


def test_the_arc_between_latents() -> None:
    start, end = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0])
    positions = torch.tensor([0.0, 1 / 3, 1.0])
    expected = torch.tensor([[2.0, 0.0], [2 * math.cos(math.pi / 6), 2 * math.sin(math.pi / 6)], [0.0, 2.0]])
    assert torch.allclose(between(start, end, positions), expected, atol=1e-6)
    assert torch.equal(between(start, start, positions), start.expand(3, -1))
    assert torch.allclose(between(torch.zeros(2), end, positions)[2], end)
