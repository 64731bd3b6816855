"""Shapes, exact parameter counts (docs/methods/conditional-gans.md), and why the critic has layer norm."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from impasto.networks.dcgan import DCGANDiscriminator
from impasto.networks.growth import growth
from impasto.networks.residual import (
    DownBlock,
    FirstBlock,
    PlainBlock,
    ResidualCritic,
    ResidualGenerator,
    UpBlock,
    initialise_residual,
)

SIZES = [(28, 1, 10, 1_497_601, 1_054_091), (32, 3, 10, 1_224_963, 1_056_651), (64, 3, 25, 8_746_243, 7_697_626)]
SIZES.append((64, 3, 27, 8_762_627, 7_714_012))


def parameters(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


@pytest.mark.parametrize(("size", "channels", "classes", "generator", "critic"), SIZES)
def test_parameters_of_the_tables(size: int, channels: int, classes: int, generator: int, critic: int) -> None:
    way = growth(size, "cwgan-gp")
    assert parameters(ResidualGenerator(128, classes, channels, way)) == generator
    assert parameters(ResidualCritic(classes, channels, way)) == critic


@pytest.mark.parametrize(("size", "channels"), [(16, 1), (28, 1), (32, 3), (64, 3), (128, 3)])
def test_shapes_and_range(size: int, channels: int) -> None:
    way = growth(size, "cwgan-gp")
    images = ResidualGenerator(7, 3, channels, way, width=4)(torch.randn(2, 7), torch.eye(3)[:2])
    assert images.shape == (2, channels, size, size)
    assert images.abs().max() <= 1
    scores, label = ResidualCritic(3, channels, way, width=4)(images)
    assert (scores.shape, label.shape) == ((2,), (2, 3))


@pytest.mark.parametrize("size", [32, 64])
def test_a_score_does_not_depend_on_the_other_images_unlike_dcgans(size: int) -> None:
    torch.manual_seed(0)
    way = growth(size, "cwgan-gp")
    image, others = torch.randn(1, 3, size, size), torch.randn(2, 3, 3, size, size)

    def difference(network: nn.Module) -> float:
        initialise_residual(network)
        first, second = (network(torch.cat([image, other * 3]))[0][0] for other in others)
        return float((first - second).detach().abs())

    assert difference(ResidualCritic(2, 3, way, width=4).train()) < 1e-5
    assert difference(DCGANDiscriminator(2, 3, way, width=4).train()) > 1e-3


@pytest.mark.parametrize("size", [32, 64])
def test_only_what_is_within_blocks_is_drawn_as_he_has_it(size: int) -> None:
    """Gulrajani et al.'s code: Glorot's spread for the first and last convolutions, shortcuts and linear layers."""
    torch.manual_seed(0)
    way = growth(size, "cwgan-gp")
    networks = ResidualGenerator(100, 10, 3, way, width=32), ResidualCritic(10, 3, way, width=32)
    he = 0
    for network in networks:
        initialise_residual(network)
        for name, module in network.named_modules():
            if not isinstance(module, nn.Conv2d | nn.Linear):
                continue
            fan_in = module.weight[0].numel()
            fan_out = module.weight[:, 0].numel()
            inside = name.endswith(("conv1", "conv2"))
            expected = (2 / fan_in if inside else 2 / (fan_in + fan_out)) ** 0.5
            assert module.weight.std().item() == pytest.approx(expected, rel=0.2), name
            assert module.bias is not None
            assert module.bias.abs().max() == 0
            he += inside
    assert he == 2 * sum(
        isinstance(m, UpBlock | DownBlock | FirstBlock | PlainBlock) for n in networks for m in n.modules()
    )


def test_blocks_are_those_of_the_sheet_written_plainly() -> None:
    torch.manual_seed(0)
    features = torch.randn(2, 4, 8, 8)
    up, down = UpBlock(4, 6).eval(), DownBlock(4, 6)

    def plain_conv(convolution: nn.Conv2d, images: torch.Tensor) -> torch.Tensor:
        return functional.conv2d(images, convolution.weight, convolution.bias, padding=1)

    doubled = functional.interpolate(functional.relu(up.norm1(features)), scale_factor=2)
    inner = up.conv2(functional.relu(up.norm2(plain_conv(up.conv1, doubled))))
    assert torch.allclose(
        up(features), inner + up.shortcut(functional.interpolate(features, scale_factor=2)), atol=1e-5
    )
    inner = functional.relu(down.norm2(down.conv1(functional.relu(down.norm1(features)))))
    inner = functional.avg_pool2d(plain_conv(down.conv2, inner), 2)
    assert torch.allclose(down(features), inner + functional.avg_pool2d(down.shortcut(features), 2), atol=1e-5)
    normed = functional.layer_norm(features, features.shape[1:])
    assert torch.allclose(down.norm1(features), normed, atol=1e-5), "over all of an image"
