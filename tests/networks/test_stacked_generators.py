"""The layers of both generators, with their exact numbers of weights (docs/methods/stacked-gans.md, "Networks")."""

import pytest
import torch
from torch import nn

from impasto.errors import RecipeError
from impasto.networks.stacked_generators import (
    GeneratorStack,
    StageOneGenerator,
    StageTwoGenerator,
    figure_12_widths,
    repository_widths,
    stage_one_size,
)


def weights_of(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


@pytest.mark.parametrize(
    ("classes", "one", "two", "two_of_the_code"),
    [(10, 16_858_464, 36_052_464, 25_483_936), (27, 17_276_256, 36_169_968, 25_562_272)],
)
def test_published_shapes_and_numbers_of_weights(classes: int, one: int, two: int, two_of_the_code: int) -> None:
    with torch.device("meta"):
        stage_one = StageOneGenerator(classes, 3, repository_widths(192, 64), 0.0)
        stage_two = StageTwoGenerator(classes, 3, 192, 2, 0.0)
        code = StageTwoGenerator(classes, 3, 128, 4, 0.0)
        latents, conditions = torch.empty(2, 100), torch.empty(2, classes)
        shapes = [stage_one.project[0](torch.cat([latents, conditions], 1)).unflatten(1, (-1, 4, 4)).shape]
        features = torch.empty(shapes[0])
        for layer in stage_one.up:
            features = layer(features)
            shapes += [features.shape] if isinstance(layer, nn.Conv2d) else []
        small = stage_one(latents, conditions)
        large = stage_two(small, conditions)
        assert stage_two.blocks(stage_two.join(torch.empty(2, 768 + classes, 16, 16))).shape == (2, 768, 16, 16)
    assert [tuple(shape[1:]) for shape in shapes] == [
        (1536, 4, 4), (768, 8, 8), (384, 16, 16), (192, 32, 32), (96, 64, 64),
    ]  # fmt: skip
    assert (small.shape, large.shape) == ((2, 3, 64, 64), (2, 3, 256, 256))
    assert (weights_of(stage_one), weights_of(stage_two), weights_of(code)) == (one, two, two_of_the_code)


def test_figure_12s_preset() -> None:
    assert figure_12_widths(192, 64) == [512, 512, 256, 128, 64]
    with torch.device("meta"):
        assert weights_of(StageOneGenerator(10, 3, figure_12_widths(192, 64), 0.2)) == 4_828_736
    assert figure_12_widths(192, 16) == [128, 128, 64]


@pytest.mark.parametrize("size", [16, 32, 128])
def test_other_sizes_end_with_the_same_widths(size: int) -> None:
    widths = repository_widths(8, size)
    assert widths[-1] == 4
    images = StageOneGenerator(3, 1, widths, 0.0)(torch.randn(2, 100), torch.eye(3)[:2])
    assert images.shape == (2, 1, size, size)


@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_stage_one_equals_its_plain_twin(slope: float) -> None:
    """Nearest doubling and a 3x3 convolution, as the spec writes them, in eval mode."""
    ours = StageOneGenerator(3, 3, [16, 8, 4], slope).eval()

    def activation() -> nn.Module:
        return nn.LeakyReLU(slope) if slope else nn.ReLU()

    layers: list[nn.Module] = [
        nn.Linear(103, 256, bias=False),
        nn.BatchNorm1d(256),
        activation(),
        nn.Unflatten(1, (16, 4, 4)),
    ]
    for before, after in ((16, 8), (8, 4)):
        convolution = nn.Conv2d(before, after, 3, 1, 1, bias=False)
        layers += [nn.Upsample(scale_factor=2), convolution, nn.BatchNorm2d(after), activation()]
    plain = nn.Sequential(*layers, nn.Conv2d(4, 3, 3, 1, 1, bias=False), nn.Tanh()).eval()
    with torch.no_grad():
        for weight, copy in zip(ours.parameters(), plain.parameters(), strict=True):
            copy.copy_(weight)
    latents, conditions = torch.randn(2, 100), torch.tensor([[1.0, 0, 0], [0.3, 0.7, 0]])
    torch.testing.assert_close(
        ours(latents, conditions), plain(torch.cat([latents, conditions], 1)), atol=1e-5, rtol=1e-5
    )


def test_stage_two_looks_at_image_and_class() -> None:
    stage_two = StageTwoGenerator(2, 3, 8, 1, 0.2).eval()
    image, classes = torch.rand(1, 3, 16, 16) * 2 - 1, torch.eye(2)
    first = stage_two(image, classes[:1])
    assert first.shape == (1, 3, 64, 64)
    assert first.abs().max() <= 1
    assert not torch.equal(first, stage_two(image, classes[1:]))
    assert not torch.equal(first, stage_two(-image, classes[:1]))


def test_a_frozen_stage_one_stays_as_it_is_whatever_it_is_told() -> None:
    stage_one = StageOneGenerator(2, 3, [8, 4, 4], 0.0)
    stack = GeneratorStack(stage_one, StageTwoGenerator(2, 3, 8, 1, 0.0))
    for network in stack.networks.values():
        network.train()
    before = {name: tensor.clone() for name, tensor in stage_one.state_dict().items()}
    latents, classes = torch.randn(4, 100), torch.eye(2)[[0, 1, 0, 1]]
    stack(latents, classes).sum().backward()
    assert not any(part.training for part in stage_one.modules())
    assert all(part.training for part in stack.learning.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in stage_one.state_dict().items())
    assert all(weight.grad is None for weight in stage_one.parameters())
    assert stack.stage_two is not None
    stack.stage_two.eval()
    assert torch.equal(stack(latents, classes), stack.stage_two(stage_one(latents, classes), classes))


@pytest.mark.parametrize(
    ("size", "stage", "expected"),
    [
        (60, 1, "stage 1 of m doubles its images from 4 pixels; 60 is no power of two from 16 to 128, use 64 or 32"),
        (100, 2, "stage 2 of m doubles its images from 4 pixels; 100 is no power of two from 64 to 512, use 128 or 64"),
        (32, 2, "32 is no power of two from 64 to 512, use 64 or 128"),
        (256, 1, "256 is no power of two from 16 to 128, use 128 or 64"),
        (1024, 2, "1024 is no power of two from 64 to 512, use 512 or 256"),
    ],
)
def test_sizes_that_cannot_be_reached_are_refused(size: int, stage: int, expected: str) -> None:
    with pytest.raises(RecipeError, match=expected):
        stage_one_size(size, stage, "m")  # type: ignore[arg-type]


def test_stage_twos_images_are_four_times_as_large() -> None:
    assert [stage_one_size(64, 1, "m"), stage_one_size(256, 2, "m")] == [64, 64]
    assert [stage_one_size(128, 1, "m"), stage_one_size(512, 2, "m")] == [128, 128]
