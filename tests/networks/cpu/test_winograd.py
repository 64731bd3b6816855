from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from impasto.networks.cpu import winograd
from impasto.networks.cpu.winograd import conv3x3

FORMATS = [torch.contiguous_format, torch.channels_last]


@pytest.fixture
def _always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Go Winograd's way however small the features, on any CPU."""
    monkeypatch.setattr(winograd, "FEWEST_PIXELS", 0)
    monkeypatch.setattr(winograd, "FEWEST_CHANNELS", dict.fromkeys(winograd.FEWEST_CHANNELS, 0))
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)


def tensors(*shape: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor]:
    """Features of this shape, a weight of 5 output channels and a bias."""
    features = torch.randn(shape, dtype=dtype, requires_grad=True)
    weight_dtype = torch.promote_types(dtype, torch.float32)
    weight = torch.randn(5, shape[1], 3, 3, dtype=weight_dtype, requires_grad=True)
    return features, weight, torch.randn(5, dtype=weight_dtype, requires_grad=True)


def relative_error(value: Tensor, truth: Tensor) -> float:
    return ((value.double() - truth).norm() / truth.norm()).item()


def errors(inputs: tuple[Tensor, Tensor, Tensor], output: Tensor) -> list[float]:
    """Relative errors of the output and the three gradients, against the plain convolution in float64."""
    exact = tuple(tensor.detach().double().requires_grad_() for tensor in inputs)
    truth = F.conv2d(*exact)
    gradient = torch.randn_like(output)
    ours, theirs = torch.autograd.grad(output, inputs, gradient), torch.autograd.grad(truth, exact, gradient.double())
    pairs = zip(ours, theirs, strict=True)
    return [relative_error(output, truth), *(relative_error(*pair) for pair in pairs)]


@pytest.mark.usefixtures("_always")
@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize("shape", [(1, 4, 10, 10), (3, 4, 9, 16), (2, 7, 3, 3), (1, 3, 12, 5)])
def test_equals_the_plain_convolution(shape: tuple[int, ...], memory_format: torch.memory_format) -> None:
    features, weight, bias = tensors(*shape)
    output = conv3x3(features.to(memory_format=memory_format), weight, bias)
    assert output.stride(1) == 1 or memory_format == torch.contiguous_format
    assert max(errors((features, weight, bias), output)) < 1e-5


@pytest.mark.usefixtures("_always")
def test_bfloat16_errs_about_twice_as_much_as_the_plain_convolution() -> None:
    inputs = tensors(2, 16, 14, 18, dtype=torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        ours, theirs = conv3x3(*inputs), F.conv2d(*inputs)
        assert ours.dtype == torch.bfloat16
        for one, other in zip(errors(inputs, ours), errors(inputs, theirs), strict=True):
            assert one < 4 * other + 1e-3


@pytest.mark.usefixtures("_always")
def test_painting_in_bfloat16_takes_larger_tiles_and_errs_about_seven_times_as_much() -> None:
    features, weight, bias = (tensor.detach() for tensor in tensors(2, 16, 15, 18, dtype=torch.bfloat16))
    truth = F.conv2d(features.double(), weight.double(), bias.double())
    with torch.autocast("cpu", torch.bfloat16):
        plain = relative_error(F.conv2d(features, weight, bias), truth)
        careful = relative_error(conv3x3(features, weight, bias), truth)
        with torch.inference_mode():
            painting = relative_error(conv3x3(features, weight, bias), truth)
    assert plain < careful < 4 * plain + 1e-3
    assert careful < painting < 14 * plain


@pytest.mark.usefixtures("_always")
@pytest.mark.parametrize("size", [6, 7])
def test_gradients_are_the_slopes(size: int) -> None:
    assert torch.autograd.gradcheck(conv3x3, tensors(2, 2, size, 6, dtype=torch.float64))


@pytest.mark.usefixtures("_always")
def test_a_penalty_on_the_slope_is_the_plain_convolutions() -> None:
    torch.manual_seed(0)
    features, weight, bias = tensors(2, 4, 9, 10, dtype=torch.float64)
    toward = torch.randn(2, 5, 7, 8, dtype=torch.float64)

    def gradients(convolve: Callable[..., Tensor]) -> list[Tensor]:
        output = F.softplus(convolve(features, weight, bias))
        (slope,) = torch.autograd.grad((output * toward).sum(), features, create_graph=True)
        loss = slope.square().sum() + convolve(features, weight, bias).pow(3).mean()
        return [slope.detach(), *torch.autograd.grad(loss, [features, weight, bias])]

    for mine, theirs in zip(gradients(conv3x3), gradients(F.conv2d), strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-9, rtol=1e-9)


@pytest.mark.usefixtures("_always")
def test_bands_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = tensors(2, 4, 23, 14)
    whole = conv3x3(*inputs)
    monkeypatch.setattr(winograd, "MOST_TILES", 12)  # two rows of 2 x 3 tiles
    torch.testing.assert_close(conv3x3(*inputs), whole, atol=1e-4, rtol=0)  # products of other sizes round otherwise
    assert max(errors(inputs, conv3x3(*inputs))) < 1e-5


@pytest.mark.usefixtures("_always")
def test_bias_may_be_absent() -> None:
    features, weight, _ = tensors(1, 3, 8, 8)
    torch.testing.assert_close(conv3x3(features, weight, None), F.conv2d(features, weight), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("channels", "pixels", "taken"), [(256, 32, True), (64, 32, False), (256, 16, False)])
def test_only_large_convolutions_go_winograds_way(
    channels: int, pixels: int, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Tensor] = []
    monkeypatch.setattr(winograd._Winograd, "apply", lambda features, *_: calls.append(features) or features)
    conv3x3(torch.randn(1, channels, pixels + 2, pixels + 2), torch.randn(channels, channels, 3, 3), None)
    assert bool(calls) == taken


@pytest.mark.usefixtures("_always")
def test_learns_after_painting_in_inference_mode() -> None:
    """The transforms are computed once, perhaps while painting: they must not forbid gradients afterwards."""
    winograd._transforms_at.cache_clear()
    inputs = tensors(1, 3, 10, 10)
    with torch.inference_mode():
        conv3x3(*inputs)
    assert max(errors(inputs, conv3x3(*inputs))) < 1e-5


@pytest.mark.usefixtures("_always")
def test_filters_of_frozen_weights_are_made_once_and_again_when_these_change(monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0
    make = winograd._filters

    def counted(weight: Tensor, dtype: torch.dtype) -> Tensor:
        nonlocal made
        made += 1
        return make(weight, dtype)

    monkeypatch.setattr(winograd, "_filters", counted)
    features, weight, _ = (tensor.detach() for tensor in tensors(1, 3, 10, 10))
    with torch.inference_mode():
        for _ in range(3):
            first = conv3x3(features, weight, None)
        assert made == 1
    weight.mul_(2)
    with torch.inference_mode():
        torch.testing.assert_close(conv3x3(features, weight, None), 2 * first)
    assert made == 2
    count = len(winograd._FILTERS)
    del weight
    assert len(winograd._FILTERS) == count - 1, "kept no longer than the weight"
