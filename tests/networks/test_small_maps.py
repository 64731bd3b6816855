"""The multiplication of patches gives the gradients of the convolutions it replaces."""

import pytest
import torch
from torch import nn

from impasto.networks.small_maps import DoublingConv, HalvingConv


@pytest.mark.parametrize(
    ("kind", "plain", "side"), [(HalvingConv, nn.Conv2d, 8), (DoublingConv, nn.ConvTranspose2d, 4)]
)
def test_values_and_gradients_are_those_of_the_plain_layer(
    kind: type[nn.Module], plain: type[nn.Module], side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from impasto.networks import small_maps

    torch.manual_seed(0)
    layer, twin = kind(6, 5, bias=False), plain(6, 5, 4, 2, 1, bias=False)
    twin.load_state_dict(layer.state_dict())
    images = torch.randn(3, 6, side, side).to(memory_format=torch.channels_last)
    wanted = torch.randn_like(twin(images))
    called = []
    original = small_maps._weight_gradient
    monkeypatch.setattr(small_maps, "_weight_gradient", lambda *maps: called.append(1) or original(*maps))
    found = []
    for network in (layer, twin):
        seen = images.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16):
            output = network(seen)
        (output.float() * wanted).sum().backward()
        found.append((output.float(), seen.grad, network.weight.grad))
    assert called == [1], "the fast way was gone, by one of the two"
    for mine, theirs in zip(*found, strict=True):
        mine, theirs = mine.detach(), theirs.detach()
        assert mine.dtype == theirs.dtype == torch.float32
        assert torch.allclose(mine, theirs, rtol=0.02, atol=0.02 * float(theirs.abs().max()))


@pytest.mark.parametrize("kind", [HalvingConv, DoublingConv])
def test_elsewhere_it_is_the_plain_layer(kind: type[nn.Module]) -> None:
    layer = kind(3, 4)
    assert layer(torch.zeros(1, 3, 16, 16)).dtype == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(torch.zeros(1, 3, 16, 16)).dtype == torch.bfloat16
    assert {name: tuple(weight.shape) for name, weight in layer.named_parameters()} == {
        "weight": (4, 3, 4, 4) if kind is HalvingConv else (3, 4, 4, 4),
        "bias": (4,),
    }
