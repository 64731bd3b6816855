import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from impasto.networks.initialise import initialise
from impasto.networks.resnet_generator import ResNetGenerator, conv7x7_to_few, translate
from impasto.networks.underpainting import Underpainting


class PlainBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        layer = [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), nn.InstanceNorm2d(channels)]
        again = [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), nn.InstanceNorm2d(channels)]
        self.change = nn.Sequential(*layer, nn.ReLU(), *again)

    def forward(self, features: Tensor) -> Tensor:
        return features + self.change(features)


def plain_generator(width: int, blocks: int) -> nn.Sequential:
    """Zhu et al. 2017, section 7.2, layer by layer: c7s1-64, d128, d256, R256 x blocks, u128, u64, c7s1-3."""
    layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7), nn.InstanceNorm2d(width), nn.ReLU()]
    for channels in (width, 2 * width):
        layers += [nn.Conv2d(channels, 2 * channels, 3, 2, 1), nn.InstanceNorm2d(2 * channels), nn.ReLU()]
    layers += [PlainBlock(4 * width) for _ in range(blocks)]
    for channels in (4 * width, 2 * width):
        up = nn.ConvTranspose2d(channels, channels // 2, 3, 2, 1, 1)
        layers += [up, nn.InstanceNorm2d(channels // 2), nn.ReLU()]
    return nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh())


def twins(width: int, blocks: int) -> tuple[ResNetGenerator, nn.Sequential]:
    ours, plain = ResNetGenerator(3, width, blocks), plain_generator(width, blocks)
    with torch.no_grad():
        for weight, copy in zip(ours.parameters(), plain.parameters(), strict=True):
            copy.copy_(weight)
    return ours, plain


@pytest.mark.parametrize(("blocks", "weights"), [(9, 11_378_179), (6, 7_837_699)])
def test_has_the_papers_number_of_weights(blocks: int, weights: int) -> None:
    assert sum(weight.numel() for weight in ResNetGenerator(blocks=blocks).parameters()) == weights


@pytest.mark.parametrize(("blocks", "middle"), [(9, 5), (6, 4), (2, 2), (1, 1)])
def test_encodes_at_the_depths_of_its_plain_twin_and_decodes_the_last(blocks: int, middle: int) -> None:
    ours, plain = twins(4, blocks)
    pictures = 2 * torch.rand(2, 3, 32, 32) - 1
    with torch.no_grad():
        depths = ours.encode(pictures)
        layers = (0, 5, 8, *sorted({11, 10 + middle}))  # before norms; the blocks are layers 10, 11, ...
        for features, count in zip(depths, layers, strict=True):
            torch.testing.assert_close(features, plain[:count](pictures), atol=1e-5, rtol=1e-5)
        assert [features.shape[1] for features in depths] == ours.depth_widths
        assert torch.equal(ours.decode(depths), ours(pictures))


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("width", "blocks", "size"), [(4, 2, 32), (64, 1, 96)])  # the second goes Winograd's way
def test_equals_its_plain_twin(width: int, blocks: int, size: int, memory_format: torch.memory_format) -> None:
    ours, plain = twins(width, blocks)
    ours.to(memory_format=memory_format)
    pictures = (2 * torch.rand(2, 3, size, size) - 1).to(memory_format=memory_format)
    with torch.no_grad():
        painted = ours(pictures)
        assert painted.is_contiguous(memory_format=memory_format)
        torch.testing.assert_close(painted, plain(pictures), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("width", "size"), [(4, 32), (64, 96)])
def test_learns_like_its_plain_twin(width: int, size: int) -> None:
    """In float64: in float32 a ReLU at zero opens or shuts by rounding, and gradients agree to 1e-3 only."""
    ours, plain = (network.double() for network in twins(width, 1))
    pictures = 2 * torch.rand(2, 3, size, size, dtype=torch.float64) - 1
    gradient = torch.randn_like(pictures)
    for network in (ours, plain):
        network(pictures).backward(gradient)
    for weight, copy in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(weight.grad, copy.grad, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("underpainting", [0, 3])
def test_every_weight_learns(underpainting: int) -> None:
    generator = ResNetGenerator(width=4, blocks=2, underpainting=underpainting)
    generator(torch.randn(1, 3, 16, 16)).square().mean().backward()
    for name, weight in generator.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.isfinite().all(), name
        assert weight.grad.abs().sum() > 0, name


@pytest.mark.parametrize(("size", "painted"), [((16, 24), (16, 24)), ((18, 21), (20, 24))])
def test_paints_pictures_of_any_size_in_range(size: tuple[int, int], painted: tuple[int, int]) -> None:
    generator = ResNetGenerator(width=4, blocks=1)
    initialise(generator)
    output = generator(torch.randn(2, 3, *size))
    assert output.shape == (2, 3, *painted)
    assert output.abs().max() <= 1


def test_an_underpainting_is_what_is_seen_where_nothing_is_painted() -> None:
    """A dark picture and a bright one, alike but for that, differ by it; without underpainting they are one painting."""
    pictures = torch.rand(1, 3, 48, 64) * 0.4 - 0.8
    bare, upon = (ResNetGenerator(width=8, blocks=1, underpainting=radius) for radius in (0, 3))
    with torch.no_grad():
        torch.testing.assert_close(bare(pictures + 1), bare(pictures), atol=1e-4, rtol=0)
        for weight in upon.head.parameters():
            weight.zero_()
        torch.testing.assert_close(upon(pictures), Underpainting(3)(pictures))
        assert (upon(pictures + 1) - upon(pictures)).mean().item() == pytest.approx(1, abs=1e-4)


def test_half_precision_stays_close() -> None:
    generator = ResNetGenerator(width=8, blocks=2)
    pictures = torch.rand(1, 3, 32, 32)
    with torch.autocast("cpu", torch.bfloat16):
        assert (generator(pictures) - generator(pictures.bfloat16())).abs().max() < 0.1
        half = generator(pictures)
    assert (half - generator(pictures)).abs().mean() < 0.02


@pytest.mark.parametrize("channels", [1, 3])
def test_seven_columns_are_one_convolution(channels: int) -> None:
    features = torch.randn(2, 8, 14, 13, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(channels, 8, 7, 7, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(channels, dtype=torch.float64, requires_grad=True)
    inputs = (features, weight, bias)
    ours, plain = conv7x7_to_few(*inputs), F.conv2d(*inputs)
    torch.testing.assert_close(ours, plain)
    gradient = torch.randn_like(ours)
    torch.testing.assert_close(
        torch.autograd.grad(ours, inputs, gradient), torch.autograd.grad(plain, inputs, gradient)
    )


@pytest.mark.parametrize("size", [(1, 1), (5, 9), (16, 30), (33, 18)])
def test_translate_keeps_any_size_and_ignores_what_it_adds(size: tuple[int, int]) -> None:
    image = torch.rand(1, 3, *size) * 2 - 1
    assert torch.equal(translate(nn.Identity(), image), image)
    seen: list[torch.Size] = []

    class Watching(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            seen.append(images.shape)
            return images

    translate(Watching(), image)
    assert all(side % 4 == 0 and side >= 16 for side in seen[0][-2:])


def test_resized_pixels_double_without_a_checkerboard() -> None:
    """Equal features come back equal, which a transposed convolution's uneven overlaps do not allow."""
    torch.manual_seed(0)
    flat = torch.randn(1, 16, 1, 1).expand(1, 16, 12, 12)
    for upsampling, even in (("resized", True), ("transposed", False)):
        doubled = ResNetGenerator(width=4, blocks=1, upsampling=upsampling).up[0](flat)
        assert doubled.shape == (1, 8, 24, 24)
        inner = doubled[..., 2:-2, 2:-2].detach()
        assert (float(inner.std((2, 3)).max()) < 1e-5) == even
