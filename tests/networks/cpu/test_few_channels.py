"""However they are computed, these are the plain layers."""

import pytest
import torch
from torch import Tensor, nn

from impasto.networks.convolutions import DoublingConv, HalvingConv
from impasto.networks.cpu import few_channels

KINDS = [(HalvingConv, nn.Conv2d), (DoublingConv, nn.ConvTranspose2d)]


def layers(kind: type[nn.Module], plain: type[nn.Module], *channels: int, bias: bool) -> tuple[nn.Module, nn.Module]:
    """A layer and its plain twin, of equal weights."""
    layer, twin = kind(*channels, bias=bias), plain(*channels, 4, 2, 1, bias=bias)
    twin.load_state_dict(layer.state_dict())
    return layer, twin


def found(network: nn.Module, images: Tensor, wanted: Tensor) -> list[Tensor | None]:
    """The output, and gradients by the images and the weights."""
    seen = images.clone().requires_grad_()
    output = network(seen)
    (output.float() * wanted).sum().backward()
    return [output.detach().float(), seen.grad, *(weight.grad for weight in network.parameters())]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The fast functions that were called."""
    called: list[str] = []
    for name in ("halve", "double"):
        original = getattr(few_channels, name)
        monkeypatch.setattr(few_channels, name, lambda *inputs, n=name, o=original: called.append(n) or o(*inputs))
    return called


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("memory_format", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize(("kind", "plain", "channels"), [(*KINDS[0], (3, 5)), (*KINDS[1], (5, 3))])
def test_images_of_few_channels_are_made_as_phases(
    kind: type[nn.Module],
    plain: type[nn.Module],
    channels: tuple[int, int],
    memory_format: torch.memory_format,
    bias: bool,
    calls: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(0)
    layer, twin = (one.double() for one in layers(kind, plain, *channels, bias=bias))
    images = torch.randn(2, channels[0], 6, 10, dtype=torch.float64).to(memory_format=memory_format)
    wanted = torch.randn_like(twin(images))
    for frozen in (False, True):
        calls.clear()
        for network in (layer, twin):
            network.zero_grad()
            network.requires_grad_(not frozen)
        for mine, its in zip(found(layer, images, wanted), found(twin, images, wanted), strict=True):
            torch.testing.assert_close(mine, its, rtol=1e-5, atol=1e-5)
        assert bool(calls) == (frozen or kind is DoublingConv)
    assert layer(images).stride(1) == 1 or memory_format == torch.contiguous_format
    calls.clear()
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    assert torch.equal(layer(images.requires_grad_()), twin(images))
    assert calls == []


def test_odd_images_have_no_phases() -> None:
    layer, twin = (one.requires_grad_(requires_grad=False) for one in layers(*KINDS[0], 3, 5, bias=True))
    images = torch.randn(1, 3, 9, 8, requires_grad=True)
    assert torch.equal(layer(images), twin(images))


@pytest.mark.parametrize(("kind", "plain"), KINDS)
def test_weights_are_the_plain_layers(kind: type[nn.Module], plain: type[nn.Module]) -> None:
    layer, twin = layers(kind, plain, 3, 4, bias=True)
    assert [(name, weight.shape) for name, weight in layer.named_parameters()] == [
        (name, weight.shape) for name, weight in twin.named_parameters()
    ]
