"""Fewer multiplications, the same sums."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from impasto.networks.minimal_filtering import doubled, halved

SIZES = [(8, 12), (4, 4)]
FORMATS = [torch.channels_last, torch.contiguous_format]


@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_it_computes_the_strided_convolution_and_its_transpose(
    height: int, width: int, memory_format: torch.memory_format
) -> None:
    torch.manual_seed(0)
    weight = torch.randn(6, 5, 4, 4, dtype=torch.float64).to(memory_format=memory_format)
    images = torch.randn(3, 5, height, width, dtype=torch.float64).to(memory_format=memory_format)
    maps = halved(images, weight)
    torch.testing.assert_close(maps, F.conv2d(images, weight, stride=2, padding=1))
    torch.testing.assert_close(doubled(maps, weight), F.conv_transpose2d(maps, weight, stride=2, padding=1))
    assert maps.stride(1) == doubled(maps, weight).stride(1) == 1, "channels last"


def test_gradients_are_the_slopes() -> None:
    torch.manual_seed(0)
    weight = torch.randn(3, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    images = torch.randn(2, 2, 4, 8, dtype=torch.float64, requires_grad=True)
    maps = torch.randn(2, 3, 2, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(halved, (images, weight))
    assert torch.autograd.gradcheck(doubled, (maps, weight))


@pytest.mark.parametrize(("function", "shape"), [(halved, (2, 2, 8, 8)), (doubled, (2, 3, 2, 2))])
def test_gradients_that_nobody_asks_for_are_not_computed(
    function: Callable[[Tensor, Tensor], Tensor], shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    products: list[tuple[Tensor, Tensor]] = []
    multiply = torch.bmm
    monkeypatch.setattr(torch, "bmm", lambda *factors: products.append(factors) or multiply(*factors))
    for learning, multiplications in (((True, True), 3), ((True, False), 2), ((False, True), 2)):
        products.clear()
        inputs = [torch.randn(shape), torch.randn(3, 2, 4, 4)]
        for one, learns in zip(inputs, learning, strict=True):
            one.requires_grad_(learns)
        function(*inputs).sum().backward()
        assert len(products) == multiplications
        assert [one.grad is not None for one in inputs] == list(learning)


def test_bfloat16_errs_about_four_times_as_much_as_the_plain_sum() -> None:
    torch.manual_seed(0)
    weight, images = torch.randn(32, 16, 4, 4).bfloat16(), torch.randn(4, 16, 16, 16).bfloat16()
    truth = F.conv2d(images.double(), weight.double(), stride=2, padding=1)

    def error(maps: Tensor) -> float:
        return float((maps.double() - truth).norm() / truth.norm())

    plain = error(F.conv2d(images, weight, stride=2, padding=1))
    assert 2 * plain < error(halved(images, weight)) < 6 * plain < 0.02
