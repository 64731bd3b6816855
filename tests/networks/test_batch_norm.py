import pytest
import torch
from torch import nn

from impasto.errors import RecipeError
from impasto.networks.batch_norm import need_two_images, normed


@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_a_convolution_its_norm_and_a_leaky_relu(slope: float) -> None:
    torch.manual_seed(0)
    layers = normed(nn.Conv2d(3, 4, 3), slope)
    features = layers[0](torch.randn(5, 3, 6, 6))
    mean, spread = features.mean((0, 2, 3), keepdim=True), features.std((0, 2, 3), correction=0, keepdim=True)
    plain = (features - mean) / spread
    found = layers[2](layers[1](features))
    assert torch.allclose(found, torch.where(plain > 0, plain, slope * plain), atol=1e-4)


def test_a_single_image_is_refused() -> None:
    need_two_images(torch.empty(2, 3, 4, 4))
    with pytest.raises(RecipeError, match=r"training.batch_size: batch norm needs at least 2 images on each device"):
        need_two_images(torch.empty(1, 3, 4, 4))
