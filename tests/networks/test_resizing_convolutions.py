"""The order of sums changes, not the sum."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from impasto.networks.resizing_convolutions import ConvThenHalve, DoubleThenConv, neighbours_mean


def plain(layer: nn.Conv2d, images: torch.Tensor) -> torch.Tensor:
    """What the papers write: two operations."""
    if isinstance(layer, ConvThenHalve):
        return functional.avg_pool2d(functional.conv2d(images, layer.weight, layer.bias, padding=1), 2)
    doubled = functional.interpolate(images, scale_factor=2, mode="nearest")
    return functional.conv2d(doubled, layer.weight, layer.bias, padding=1)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", [ConvThenHalve, DoubleThenConv])
def test_it_computes_what_two_operations_compute(kind: type[nn.Conv2d], bias: bool) -> None:
    torch.manual_seed(0)
    layer = kind(3, 5, bias=bias).double()
    images = torch.randn(2, 3, 6, 10, dtype=torch.float64)
    assert torch.allclose(layer(images), plain(layer, images), atol=1e-12)
    assert layer.weight.shape == (5, 3, 3, 3), "the published network's weights"


@pytest.mark.parametrize("kind", [ConvThenHalve, DoubleThenConv])
def test_gradients_are_the_same_and_so_are_those_of_gradients(kind: type[nn.Conv2d]) -> None:
    """A gradient penalty differentiates twice."""
    torch.manual_seed(0)
    layer = kind(2, 3).double()
    found = []
    for way in (layer, lambda images: plain(layer, images)):
        images = torch.linspace(-1, 1, 2 * 2 * 4 * 4, dtype=torch.float64).reshape(2, 2, 4, 4).requires_grad_()
        (slope,) = torch.autograd.grad(way(images).pow(3).sum(), images, create_graph=True)
        found.append((slope.detach(), *torch.autograd.grad(slope.square().sum(), [images, layer.weight])))
    for mine, theirs in zip(*found, strict=True):
        assert torch.allclose(mine, theirs, atol=1e-9)
        assert mine.abs().max() > 0


@pytest.mark.parametrize("border", [0, 1])
def test_the_mean_of_neighbours_is_its_own_transpose_but_for_the_border(border: int) -> None:
    torch.manual_seed(0)
    images = torch.randn(2, 3, 5, 6, dtype=torch.float64, requires_grad=True)
    means = neighbours_mean(images, border)
    torch.testing.assert_close(means, functional.avg_pool2d(images, 2, stride=1, padding=border))
    toward = torch.randn_like(means)
    (slope,) = torch.autograd.grad(means, images, toward)
    torch.testing.assert_close((means * toward).sum(), (images * slope).sum())
    torch.testing.assert_close(slope, neighbours_mean(toward, 1 - border))
