"""Whichever way they are computed, these are the plain layers."""

import pytest
import torch
from torch import Tensor, nn

from impasto.networks import minimal_filtering, strided_convolutions
from impasto.networks.strided_convolutions import DoublingConv, HalvingConv

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
    """The ways that were gone other than PyTorch's, as on a CPU without AMX."""
    called: list[str] = []
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    monkeypatch.setattr(strided_convolutions, "MANY_CHANNELS", 5)
    ways = [
        (minimal_filtering, "halved"),
        (minimal_filtering, "doubled"),
        (strided_convolutions, "_phases_to_channels"),
    ]
    for module, name in ways:
        original = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *inputs, n=name, o=original: called.append(n) or o(*inputs))
    return called


def in_bfloat16(layer: nn.Module, images: Tensor) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        output: Tensor = layer(images)
    return output


@pytest.mark.parametrize(("kind", "plain", "side"), [(*KINDS[0], 8), (*KINDS[1], 4)])
def test_small_maps_of_many_channels_are_filtered(
    kind: type[nn.Module], plain: type[nn.Module], side: int, calls: list[str]
) -> None:
    torch.manual_seed(0)
    layer, twin = layers(kind, plain, 6, 5, bias=False)
    images = torch.randn(3, 6, side, side).to(memory_format=torch.channels_last)
    wanted = torch.randn_like(twin(images))
    with torch.autocast("cpu", torch.bfloat16):
        ours, theirs = found(layer, images, wanted), found(twin, images, wanted)
    assert calls == ["halved" if kind is HalvingConv else "doubled"]
    for mine, its in zip(ours, theirs, strict=True):
        assert mine.dtype == its.dtype == torch.float32
        assert (mine - its).norm() < 0.03 * its.norm()


@pytest.mark.parametrize(("kind", "plain"), KINDS)
def test_elsewhere_they_are_pytorchs(
    kind: type[nn.Module], plain: type[nn.Module], calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Larger maps, odd ones, few channels, float32, painting, AMX, and programs that are compiled."""
    torch.manual_seed(0)
    layer, twin = layers(kind, plain, 6, 5, bias=False)
    larger = 2 if kind is HalvingConv else 1
    sizes = [(16, 16), (16, 2), (7, 7), (4, 7)]
    for height, width in sizes:
        images = torch.randn(2, 6, larger * height, larger * width)
        assert torch.equal(in_bfloat16(layer, images), in_bfloat16(twin, images))
    images = torch.randn(2, 6, 8, 8)
    biased = layers(kind, plain, 6, 5, bias=True)
    assert torch.equal(in_bfloat16(biased[0], images), in_bfloat16(biased[1], images))
    with monkeypatch.context() as narrow:
        narrow.setattr(strided_convolutions, "MANY_CHANNELS", 6)
        assert torch.equal(in_bfloat16(layer, images), in_bfloat16(twin, images))
    assert torch.equal(layer(images), twin(images))
    with torch.no_grad():
        assert torch.equal(in_bfloat16(layer, images), in_bfloat16(twin, images))
    for module, name in ((torch.cpu, "_is_amx_tile_supported"), (torch.compiler, "is_compiling")):
        with monkeypatch.context() as told:
            told.setattr(module, name, lambda: True)
            assert torch.equal(in_bfloat16(layer, images), in_bfloat16(twin, images))
    assert calls == []
    in_bfloat16(layer, images)
    assert len(calls) == 1, "the layer would have been filtered"


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
