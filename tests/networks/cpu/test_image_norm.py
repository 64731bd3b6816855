"""Values and derivatives of both orders are those of PyTorch's group norm with one group."""

from contextlib import nullcontext

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from impasto.networks.cpu.switch import image_gradients_only
from impasto.networks.image_norm import ImageNorm


def both(channels: int, dtype: torch.dtype) -> tuple[ImageNorm, nn.GroupNorm]:
    ours, theirs = ImageNorm(channels), nn.GroupNorm(1, channels)
    for weight in ours.parameters():
        nn.init.normal_(weight)
    theirs.load_state_dict(ours.state_dict())
    return ours.to(dtype), theirs.to(dtype)


def penalty_gradients(norm: nn.GroupNorm, features: Tensor, toward: Tensor, images_only: bool = True) -> list[Tensor]:
    """Return gradients of a loss with a gradient penalty and the output itself."""
    features = features.clone().requires_grad_()
    with image_gradients_only() if images_only else nullcontext():
        loss = (functional.softplus(norm(features)) * toward).sum()
        (slope,) = torch.autograd.grad(loss, features, create_graph=True)
    loss = slope.square().sum() + norm(features).pow(3).mean()
    return [slope.detach(), *torch.autograd.grad(loss, [features, norm.weight, norm.bias])]


@pytest.mark.parametrize("images_only", [True, False])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_derivatives_of_both_orders_are_group_norms(memory_format: torch.memory_format, images_only: bool) -> None:
    torch.manual_seed(0)
    ours, theirs = both(4, torch.float64)
    features, toward = (2 + 3 * torch.randn(2, 4, 5, 6, dtype=torch.float64) for _ in range(2))
    features = features.contiguous(memory_format=memory_format)
    assert torch.allclose(ours(features), theirs(features), rtol=1e-12, atol=1e-12)
    found, expected = (penalty_gradients(norm, features, toward, images_only) for norm in (ours, theirs))
    for mine, reference in zip(found, expected, strict=True):
        assert torch.allclose(mine, reference, rtol=1e-9, atol=1e-9)
        assert mine.abs().max() > 0


def test_bfloat16_errs_no_more_than_its_own_rounding() -> None:
    torch.manual_seed(0)
    ours, exact = both(8, torch.float32)[0], both(8, torch.float64)[1]
    exact.load_state_dict(ours.state_dict())
    features, toward = (torch.randn(4, 8, 16, 16).to(memory_format=torch.channels_last) for _ in range(2))
    with torch.autocast("cpu", torch.bfloat16):
        found = penalty_gradients(ours, features.bfloat16(), toward)
    expected = penalty_gradients(exact, features.double(), toward.double())
    for mine, reference in zip(found, expected, strict=True):
        assert (mine.double() - reference).norm() < 0.02 * reference.norm()


def test_a_graph_of_gradients_reaches_the_features_alone_where_that_is_asked_for() -> None:
    norm, features = ImageNorm(2), torch.randn(1, 2, 4, 4, requires_grad=True)
    with image_gradients_only():
        slopes = torch.autograd.grad(
            norm(features).sum(), [features, norm.weight], create_graph=True, allow_unused=True
        )
    assert slopes[0] is not None
    assert slopes[1] is None
    norm(features).sum().backward()
    assert norm.weight.grad is not None, "without such a graph it learns"
