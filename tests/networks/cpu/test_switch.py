"""The switch of the fast CPU code: where it applies, what plain PyTorch gives, and second derivatives."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from impasto.networks.convolutions import DoublingConv, HalvingConv, SameConv, conv3x3, conv7x7_to_few
from impasto.networks.cpu import (
    few_channels,
    image_norm,
    instance_norm,
    neighbours_mean,
    twice_differentiable,
    winograd,
)
from impasto.networks.cpu.switch import VARIABLE, fast_cpu, image_gradients_only, is_fast
from impasto.networks.dcgan import DCGANGenerator
from impasto.networks.growth import growth
from impasto.networks.image_norm import ImageNorm
from impasto.networks.instance_norm import instance_norm as normalise
from impasto.networks.residual import ResidualCritic, ResidualGenerator
from impasto.networks.resizing_convolutions import ConvThenHalve, DoubleThenConv
from impasto.networks.resnet_generator import ResNetGenerator

FAST_FUNCTIONS = (
    (winograd, "conv3x3"),
    (few_channels, "halve"),
    (few_channels, "double"),
    (few_channels, "conv7x7"),
    (twice_differentiable, "convolve"),
)
FAST_NODES = (
    winograd._Winograd,
    twice_differentiable._Convolution,
    image_norm._ImageNorm,
    instance_norm._InstanceNorm,
    neighbours_mean._NeighboursMean,
)


def compute(name: str) -> tuple[nn.Module, Tensor]:
    """Return a small network that has fast code, and its input."""
    torch.manual_seed(0)
    networks: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
        "resnet generator": (lambda: ResNetGenerator(3, 8, 1), (1, 3, 16, 16)),
        "residual critic": (lambda: Scores(ResidualCritic(2, 3, growth(16, "test"), 4)), (2, 3, 16, 16)),
        "halving": (lambda: HalvingConv(3, 5).requires_grad_(requires_grad=False), (1, 3, 8, 8)),
        "doubling": (lambda: DoublingConv(5, 3), (1, 5, 4, 4)),
        "convolve then halve": (lambda: ConvThenHalve(3, 5), (1, 3, 8, 8)),
        "double then convolve": (lambda: DoubleThenConv(3, 5), (1, 3, 4, 4)),
        "layer norm": (lambda: ImageNorm(4), (2, 4, 5, 6)),
    }
    make, shape = networks[name]
    return make(), torch.randn(shape)


class Scores(nn.Module):
    """The scores of a critic."""

    def __init__(self, critic: nn.Module) -> None:
        super().__init__()
        self.critic = critic

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.critic(images)[0]
        return scores


NAMES = [
    "resnet generator",
    "residual critic",
    "halving",
    "doubling",
    "convolve then halve",
    "double then convolve",
    "layer norm",
]


@pytest.fixture
def _forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where fast code is called."""

    def refuse(*_: object) -> None:
        pytest.fail("fast CPU code was called")

    for module, name in FAST_FUNCTIONS:
        monkeypatch.setattr(module, name, refuse)
    for node in FAST_NODES:
        monkeypatch.setattr(node, "apply", refuse)


@pytest.fixture
def _everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use Winograd's convolution for networks of any size, on any CPU."""
    monkeypatch.setattr(winograd, "FEWEST_PIXELS", 0)
    monkeypatch.setattr(winograd, "FEWEST_CHANNELS", dict.fromkeys(winograd.FEWEST_CHANNELS, 0))
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)


def gradients(network: nn.Module, images: Tensor) -> list[Tensor]:
    """Return the output, and the gradients by the images and weights, of a loss of no symmetry."""
    seen = images.clone().requires_grad_()
    output = network(seen)
    factors = torch.linspace(-1, 2, output.numel(), dtype=output.dtype, device=output.device)
    wanted = [seen, *(weight for weight in network.parameters() if weight.requires_grad)]
    found = torch.autograd.grad((output.flatten() * factors).sum(), wanted, allow_unused=True)
    return [output.detach(), *(slope for slope in found if slope is not None)]  # a critic has a head for classes, too


@pytest.mark.usefixtures("_everywhere")
@pytest.mark.parametrize("name", NAMES)
def test_plain_pytorch_gives_the_same_up_to_rounding(name: str) -> None:
    network, images = compute(name)
    network, images = network.double(), images.double()
    fast = gradients(network, images)
    with fast_cpu(wanted=False):
        plain = gradients(network, images)
    for mine, reference in zip(fast, plain, strict=True):
        torch.testing.assert_close(mine, reference, rtol=1e-8, atol=1e-8)


@pytest.mark.usefixtures("_everywhere", "_forbidden")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("off", ["recipe", "environment", "compiling", "device"])
def test_fast_code_is_not_called(name: str, off: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not where a recipe or the environment turns it off, in a compiled or exported program, or on another device."""
    if (off, name) == ("device", "resnet generator"):
        pytest.skip(
            "autocast does not know the meta device; tests/conformance/test_devices.py has this network on CUDA"
        )
    network, images = compute(name)
    if off == "environment":
        monkeypatch.setenv(VARIABLE, "0")
    if off == "compiling":
        monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    if off == "device":
        network, images = network.to("meta"), images.to("meta")
    with fast_cpu(wanted=off != "recipe"):
        assert gradients(network, images)


@pytest.mark.usefixtures("_everywhere")
@pytest.mark.parametrize("name", ["resnet generator", "residual critic", "layer norm"])
def test_fast_code_is_called_where_it_applies(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network, images = compute(name)
    kinds: set[str] = set()
    for node in FAST_NODES:
        original = node.apply
        monkeypatch.setattr(node, "apply", lambda *inputs, o=original, n=node: kinds.add(n.__name__) or o(*inputs))
    network(images)
    expected = {
        "resnet generator": {"_Winograd", "_InstanceNorm"},
        "residual critic": {"_Winograd", "_ImageNorm", "_Convolution", "_NeighboursMean"},
        "layer norm": {"_ImageNorm"},
    }
    assert kinds == expected[name]


def test_an_exported_program_has_pytorchs_convolutions_and_norms_alone() -> None:
    network, images = compute("resnet generator")
    graph = torch.export.export(network.eval(), (images,)).graph
    called = {str(node.target) for node in graph.nodes if node.op == "call_function"}
    assert {"aten.conv2d.default", "aten.instance_norm.default"} <= called
    assert not any(word in name for name in called for word in ("bmm", "unfold", "native_batch_norm"))
    convolutions = [node for node in graph.nodes if str(node.target) == "aten.conv2d.default"]
    assert len(convolutions) == sum(isinstance(part, nn.Conv2d) for part in network.modules())


@pytest.mark.usefixtures("_everywhere")
@pytest.mark.parametrize("name", NAMES)
def test_a_graph_of_gradients_reaches_every_weight_as_in_pytorch(name: str) -> None:
    """Second derivatives by images and weights, of gradients by images and weights."""

    def twice(network: nn.Module, images: Tensor) -> list[Tensor]:
        seen = images.clone().requires_grad_()
        weights = [weight for weight in network.parameters() if weight.requires_grad]
        wanted = [seen, *weights]
        output = functional.softplus(network(seen)).pow(2).sum()
        first = [s for s in torch.autograd.grad(output, wanted, create_graph=True, allow_unused=True) if s is not None]
        second = torch.autograd.grad(sum(slope.pow(2).sum() for slope in first), wanted, allow_unused=True)
        return [*first, *(slope for slope in second if slope is not None)]

    network, images = compute(name)
    network, images = network.double(), images.double()
    fast = twice(network, images)
    with fast_cpu(wanted=False):
        plain = twice(network, images)
    assert len(fast) == len(plain)
    for mine, reference in zip(fast, plain, strict=True):
        torch.testing.assert_close(mine, reference, rtol=1e-7, atol=1e-7)


@pytest.mark.usefixtures("_everywhere")
def test_gradcheck_of_both_orders() -> None:
    torch.manual_seed(1)
    images = torch.randn(1, 2, 5, 5, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(3, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, w: conv3x3(x, w, None), (images, weight))
    assert torch.autograd.gradgradcheck(lambda x, w: conv3x3(x, w, None), (images, weight))
    assert torch.autograd.gradgradcheck(lambda x: normalise(x, activation="leaky-relu"), (images,))


@pytest.mark.filterwarnings("ignore:Using backward")
@pytest.mark.usefixtures("_everywhere")
def test_backward_with_a_graph_leaves_gradients_on_the_weights() -> None:
    """Before, it left None there without an error."""
    layer, images = SameConv(2, 3, 3), torch.randn(1, 2, 6, 6)
    layer(images).square().sum().backward(create_graph=True)
    expected = torch.autograd.grad(
        functional.conv2d(images, layer.weight, layer.bias, padding=1).square().sum(), layer.weight
    )[0]
    assert layer.weight.grad is not None
    assert torch.allclose(layer.weight.grad, expected, atol=1e-4)


def test_gradients_with_a_graph_are_partial_where_the_weight_depends_on_the_images() -> None:
    """Otherwise the way through the weight counts twice."""
    torch.manual_seed(2)
    images, kernel = torch.randn(1, 2, 6, 6, requires_grad=True), torch.randn(3, 2, 3, 3)
    weight = kernel * images.mean()
    fast = twice_differentiable.convolve(images, weight, None, twice_differentiable.Geometry(1, 0)).square().sum()
    plain = functional.conv2d(images, weight).square().sum()
    slopes = [torch.autograd.grad(total, images, create_graph=True)[0] for total in (fast, plain)]
    assert torch.allclose(*slopes, atol=1e-4)


def test_transformed_and_watched_programs_are_plain_pytorch() -> None:
    seen: list[bool] = []

    def look(image: Tensor) -> Tensor:
        seen.append(is_fast(image))
        return image * 2

    torch.func.vmap(look)(torch.zeros(2, 3))
    with FlopCounterMode(display=False):
        look(torch.zeros(3))
    assert seen == [False, False]


def test_the_switch_is_left_as_it_was_found() -> None:
    image = torch.zeros(1)
    assert is_fast(image)
    with pytest.raises(ValueError, match="stop"), fast_cpu(wanted=False), image_gradients_only():
        assert not is_fast(image)
        raise ValueError("stop")
    assert is_fast(image)


def test_other_networks_have_no_fast_code_left_on() -> None:
    """A generator of labels, too, is plain PyTorch where the switch is off."""
    torch.manual_seed(0)
    latents, classes = torch.randn(2, 8), torch.eye(2)
    for generator in (DCGANGenerator(8, 2, 3, growth(16, "t"), 4), ResidualGenerator(8, 2, 3, growth(16, "t"), 4)):
        fast = generator.eval()(latents, classes)
        with fast_cpu(wanted=False):
            assert torch.allclose(generator(latents, classes), fast, atol=1e-5)


def test_few_output_channels() -> None:
    features, weight, bias = torch.randn(1, 4, 9, 10), torch.randn(3, 4, 7, 7), torch.randn(3)
    fast = conv7x7_to_few(features, weight, bias)
    with fast_cpu(wanted=False):
        assert torch.allclose(conv7x7_to_few(features, weight, bias), fast, atol=1e-4)
