import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from impasto.networks.instance_norm import Activation, instance_norm, keeping_statistics, noting_statistics

ACTIVATIONS: list[Activation] = ["none", "relu", "leaky-relu"]
FORMATS = [torch.contiguous_format, torch.channels_last]


def plain(features: Tensor, activation: Activation) -> Tensor:
    normalized = F.instance_norm(features)
    slope = {"none": 1.0, "relu": 0.0, "leaky-relu": 0.2}[activation]
    return F.leaky_relu(normalized, slope)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_equals_torch_forward_and_backward(
    activation: Activation, memory_format: torch.memory_format, batch: int
) -> None:
    features = (3 * torch.randn(batch, 6, 9, 7) + 1).to(memory_format=memory_format).requires_grad_()
    ours, theirs = instance_norm(features, activation=activation), plain(features, activation)
    assert ours.is_contiguous(memory_format=memory_format)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    gradient = torch.randn_like(ours)
    for one, other in zip(*(torch.autograd.grad(y, features, gradient) for y in (ours, theirs)), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("of_gradient", FORMATS)
@pytest.mark.parametrize("of_features", FORMATS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_may_come_in_another_memory_format(
    activation: Activation, of_features: torch.memory_format, of_gradient: torch.memory_format, batch: int
) -> None:
    """Against the formula: of one image and two formats torch's own instance norm is wrong (2.14)."""
    features = torch.randn(batch, 6, 9, 7, dtype=torch.float64).contiguous(memory_format=of_features).requires_grad_()
    gradient = torch.randn(batch, 6, 9, 7, dtype=torch.float64).contiguous(memory_format=of_gradient)
    centred = features - features.mean((2, 3), keepdim=True)
    normalized = centred / (centred.square().mean((2, 3), keepdim=True) + 1e-5).sqrt()
    expected = F.leaky_relu(normalized, {"none": 1.0, "relu": 0.0, "leaky-relu": 0.2}[activation])
    ours = instance_norm(features, activation=activation)
    torch.testing.assert_close(
        torch.autograd.grad(ours, features, gradient), torch.autograd.grad(expected, features, gradient)
    )


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradient_is_the_slope(activation: Activation) -> None:
    features = torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: instance_norm(x, activation=activation), features)


@pytest.mark.parametrize("memory_format", FORMATS)
def test_bfloat16_comes_back_as_bfloat16_and_is_summed_in_float32(memory_format: torch.memory_format) -> None:
    features = (torch.randn(2, 4, 64, 64) + 5).bfloat16().to(memory_format=memory_format).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        normalized = instance_norm(features, activation="relu")
    assert normalized.dtype == torch.bfloat16
    torch.testing.assert_close(normalized.float(), plain(features.float(), "relu"), atol=0.05, rtol=0.01)
    assert abs(float(normalized.detach().float().mean()) - 0.399) < 0.01  # of a rectified standard normal
    (gradient,) = torch.autograd.grad(normalized, features, torch.randn_like(normalized))
    assert gradient.dtype == torch.bfloat16
    assert gradient.isfinite().all()


def test_one_pixel_cannot_be_normalized() -> None:
    with pytest.raises(ValueError, match="more than one pixel"):
        instance_norm(torch.randn(2, 3, 1, 1))


def test_leaves_its_input_alone() -> None:
    features = torch.randn(1, 2, 4, 4)
    before = features.clone()
    instance_norm(features, activation="relu")
    torch.testing.assert_close(features, before, atol=0, rtol=0)


@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_noted_statistics_are_kept(dtype: torch.dtype, memory_format: torch.memory_format) -> None:
    first, second = ((4 * torch.randn(1, 6, 9, 7) + 2).to(dtype).to(memory_format=memory_format) for _ in range(2))
    with noting_statistics() as noted:
        as_ever = instance_norm(first, activation="relu")
    assert torch.equal(as_ever, instance_norm(first, activation="relu"))
    (statistics,) = noted
    torch.testing.assert_close(statistics.mean, first.float().mean((0, 2, 3)))
    torch.testing.assert_close(statistics.variance, first.float().var((0, 2, 3), correction=0), rtol=1e-4, atol=1e-5)
    with keeping_statistics(noted):
        kept = instance_norm(second, activation="leaky-relu")
    mean, variance = (value[:, None, None] for value in statistics)
    expected = F.leaky_relu((second.float() - mean) / (variance + 1e-5).sqrt(), 0.2)
    assert kept.dtype == dtype
    assert kept.is_contiguous(memory_format=memory_format)
    torch.testing.assert_close(kept.float(), expected, atol=1e-5 if dtype == torch.float32 else 0.03, rtol=0.01)


def test_as_many_statistics_as_norms() -> None:
    with noting_statistics() as noted:
        instance_norm(torch.randn(1, 2, 4, 4))
    with pytest.raises(RuntimeError, match="more norms than the 1 whose"), keeping_statistics(noted):
        for _ in range(2):
            instance_norm(torch.randn(1, 2, 4, 4))
    with pytest.raises(RuntimeError, match="1 of 1 noted"), keeping_statistics(noted):
        pass
    assert torch.equal(instance_norm(torch.ones(1, 2, 4, 4)), torch.zeros(1, 2, 4, 4)), "as ever afterwards"
