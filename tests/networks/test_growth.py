import pytest

from impasto.errors import RecipeError
from impasto.networks.growth import Growth, growth


def test_powers_of_two_grow_from_4_and_mnist_from_7() -> None:
    assert growth(64, "cdcgan") == Growth(4, 4)
    assert growth(16, "cdcgan") == Growth(4, 2)
    assert growth(28, "cdcgan") == Growth(7, 2)
    assert growth(256, "cdcgan") == Growth(4, 6)


@pytest.mark.parametrize("size", [8, 30, 48, 65, 512])
def test_other_sizes_are_refused_with_those_nearby(size: int) -> None:
    with pytest.raises(
        RecipeError, match=rf"data.image_size: cdcgan doubles .*; {size} is no power of two .*use \d+ or"
    ):
        growth(size, "cdcgan")


def test_the_sizes_named_are_the_nearest() -> None:
    with pytest.raises(RecipeError, match=r"use 64 or 32$"):
        growth(50, "cdcgan")
