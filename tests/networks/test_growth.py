import pytest
import torch
from torch import nn

from impasto.errors import RecipeError
from impasto.networks.growth import Growth, first_map, growth


def test_powers_of_two_grow_from_4_and_mnist_from_7() -> None:
    assert growth(64, "cdcgan") == Growth(4, 4)
    assert growth(16, "cdcgan") == Growth(4, 2)
    assert growth(28, "cdcgan") == Growth(7, 2)
    assert growth(256, "cdcgan") == Growth(4, 6)


@pytest.mark.parametrize("size", [8, 30, 48, 65, 512])
def test_other_sizes_are_refused_with_those_nearby(size: int) -> None:
    with pytest.raises(
        RecipeError, match=rf"data.image_size: cdcgan doubles .*; {size} is not a power of two .*use \d+ or"
    ):
        growth(size, "cdcgan")


def test_the_sizes_named_are_the_nearest() -> None:
    with pytest.raises(RecipeError, match=r"use 64 or 32$"):
        growth(50, "cdcgan")


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_first_map_lies_in_memory_as_the_weights_do(layout: torch.memory_format) -> None:
    convolution = nn.Conv2d(5, 3, 3).to(memory_format=layout)  # type: ignore[call-overload]
    features = torch.arange(2 * 5 * 16.0).reshape(2, 80)
    found = first_map(features, 4, convolution.weight)
    assert found.is_contiguous(memory_format=layout)
    assert torch.equal(found, features.view(2, 5, 4, 4))
