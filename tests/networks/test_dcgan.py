"""Shapes, and the exact parameter counts of docs/methods/conditional-gans.md, "Networks"."""

import pytest
import torch
from torch import nn

from impasto.networks.dcgan import DCGANDiscriminator, DCGANGenerator, PointToMap, initialise_dcgan
from impasto.networks.growth import growth

SIZES = [(28, 1, 10, 1_906_945, 201_419), (32, 3, 10, 3_530_499, 704_331), (64, 3, 25, 3_781_507, 2_970_458)]
SIZES.append((64, 3, 27, 3_797_891, 2_986_844))


def parameters(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


@pytest.mark.parametrize(("size", "channels", "classes", "generator", "discriminator"), SIZES)
def test_parameters_of_the_tables(size: int, channels: int, classes: int, generator: int, discriminator: int) -> None:
    way = growth(size, "cdcgan")
    assert parameters(DCGANGenerator(100, classes, channels, way)) == generator
    assert parameters(DCGANDiscriminator(classes, channels, way)) == discriminator


@pytest.mark.parametrize(("size", "channels"), [(16, 1), (28, 1), (32, 3), (64, 3), (128, 3), (256, 3)])
def test_shapes_and_range(size: int, channels: int) -> None:
    way = growth(size, "cdcgan")
    images = DCGANGenerator(7, 3, channels, way, width=4)(torch.randn(2, 7), torch.eye(3)[:2])
    assert images.shape == (2, channels, size, size)
    assert images.abs().max() <= 1
    validity, label = DCGANDiscriminator(3, channels, way, width=4)(images)
    assert (validity.shape, label.shape) == ((2,), (2, 3))


def test_the_heads_are_two_convolutions_over_the_whole_map() -> None:
    torch.manual_seed(0)
    network = DCGANDiscriminator(3, 3, growth(32, "cdcgan"), width=4).eval()
    images = torch.randn(2, 3, 32, 32)
    validity, label = network(images)
    features = network.layers(images)
    assert torch.allclose(validity, network.validity(features).flatten(), atol=1e-5)
    assert torch.allclose(label, network.label(features).flatten(1), atol=1e-5)


def test_the_first_layer_is_a_transposed_convolution_over_one_pixel() -> None:
    torch.manual_seed(0)
    layer, pixels = PointToMap(5, 6, 4), torch.randn(3, 5)
    expected = nn.functional.conv_transpose2d(pixels[:, :, None, None], layer.weight)
    assert torch.allclose(layer(pixels), expected, atol=1e-6)


def test_initial_weights_are_radfords() -> None:
    torch.manual_seed(0)
    network = DCGANGenerator(100, 10, 3, growth(32, "cdcgan"))
    initialise_dcgan(network)
    first, norm, last = network.layers[0], network.layers[1], network.layers[-2]
    assert first.weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert norm.weight.mean().item() == pytest.approx(1.0, abs=0.01)
    assert norm.weight.std().item() == pytest.approx(0.02, rel=0.2)
    assert norm.bias.abs().max() == last.bias.abs().max() == 0
