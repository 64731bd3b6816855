"""First and second derivatives are those of PyTorch's own convolution."""

from contextlib import nullcontext

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from impasto.networks.convolutions import SameConv
from impasto.networks.cpu import winograd
from impasto.networks.cpu.switch import image_gradients_only
from impasto.networks.cpu.twice_differentiable import Geometry, _Convolution, convolve

CASES = [(3, Geometry(1, 1)), (4, Geometry(2, 1)), (1, Geometry(1, 0))]


def penalty_gradients(own: bool, kernel: int, geometry: Geometry, images_only: bool) -> list[Tensor]:
    """Return gradients of a loss with a gradient penalty and the output, through two convolutions in float64."""
    torch.manual_seed(0)
    images = torch.randn(2, 3, 8, 8, dtype=torch.float64, requires_grad=True)
    weights = [torch.randn(o, i, kernel, kernel, dtype=torch.float64, requires_grad=True) for i, o in ((3, 4), (4, 3))]
    biases = [torch.randn(o, dtype=torch.float64, requires_grad=True) for o in (4, 3)]

    def through(seen: Tensor) -> Tensor:
        for weight, bias in zip(weights, biases, strict=True):
            seen = convolve(seen, weight, bias, geometry) if own else functional.conv2d(seen, weight, bias, *geometry)
            seen = functional.softplus(seen)
        return seen

    with image_gradients_only() if images_only else nullcontext():
        (slope,) = torch.autograd.grad(through(images).sum(), images, create_graph=True)
    loss = slope.square().sum() + through(images).pow(3).mean()
    return [slope.detach(), *torch.autograd.grad(loss, [images, *weights, *biases])]


@pytest.mark.parametrize("images_only", [True, False])
@pytest.mark.parametrize(("kernel", "geometry"), CASES)
def test_derivatives_of_both_orders_are_pytorchs(kernel: int, geometry: Geometry, images_only: bool) -> None:
    found, expected = (penalty_gradients(own, kernel, geometry, images_only) for own in (True, False))
    for mine, theirs in zip(found, expected, strict=True):
        assert torch.allclose(mine, theirs, rtol=1e-9, atol=1e-9)
        assert mine.abs().max() > 0


def test_a_graph_of_gradients_reaches_the_images_alone_where_that_is_asked_for() -> None:
    layer, images = SameConv(2, 3, 3), torch.randn(1, 2, 4, 4, requires_grad=True)
    with image_gradients_only():
        slopes = torch.autograd.grad(layer(images).sum(), [images, layer.weight], create_graph=True, allow_unused=True)
    assert slopes[0] is not None
    assert slopes[1] is None
    layer(images).sum().backward()
    assert layer.weight.grad is not None, "without such a graph it learns"


def test_under_autocast_it_computes_in_autocasts_type_and_learns_in_float32() -> None:
    layer, images = SameConv(2, 3, 3), torch.randn(1, 2, 4, 4)
    with torch.autocast("cpu", torch.bfloat16):
        output = layer(images)
        assert output.dtype == torch.bfloat16
        assert torch.equal(output, functional.conv2d(images, layer.weight, layer.bias, padding=1))
    output.float().sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.dtype == torch.float32


def test_many_channels_use_winograds_convolution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(winograd, "FEWEST_PIXELS", 0)
    monkeypatch.setattr(winograd, "FEWEST_CHANNELS", dict.fromkeys(winograd.FEWEST_CHANNELS, 0))
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    plain = _Convolution.apply
    monkeypatch.setattr(_Convolution, "apply", lambda *_: pytest.fail("the plain way was taken"))
    layer, images = SameConv(3, 5, 3), torch.randn(2, 3, 9, 10)
    convolved = layer(images)
    assert torch.allclose(convolved, plain(images, layer.weight, layer.bias, Geometry(1, 1)), atol=1e-5)


def test_frozen_weights_pass_gradients_to_the_images() -> None:
    layer, images = (
        SameConv(2, 3, 3).requires_grad_(requires_grad=False),
        torch.randn(1, 2, 4, 4, requires_grad=True),
    )
    layer(images).sum().backward()
    assert images.grad is not None
    assert layer.weight.grad is None
