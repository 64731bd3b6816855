"""Fewer multiplications, the same sums."""

import pytest
import torch
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


def test_gradients_that_nobody_asks_for_are_not_computed() -> None:
    weight, images = torch.randn(3, 2, 4, 4), torch.randn(2, 2, 8, 8, requires_grad=True)
    halved(images, weight).sum().backward()
    doubled(torch.randn(1, 3, 2, 2), weight.requires_grad_()).sum().backward()
    assert images.grad is not None
    assert weight.grad is not None


def test_bfloat16_errs_about_four_times_as_much_as_the_plain_sum() -> None:
    torch.manual_seed(0)
    weight, images = torch.randn(32, 16, 4, 4).bfloat16(), torch.randn(4, 16, 16, 16).bfloat16()
    truth = F.conv2d(images.double(), weight.double(), stride=2, padding=1)

    def error(maps: torch.Tensor) -> float:
        return float((maps.double() - truth).norm() / truth.norm())

    assert error(halved(images, weight)) < 6 * error(F.conv2d(images, weight, stride=2, padding=1)) < 0.02
