import torch

from impasto.networks.initialise import initialise
from impasto.networks.resnet_generator import ResNetGenerator


def test_weights_are_normal_and_biases_zero() -> None:
    generator = ResNetGenerator(width=16, blocks=2)
    initialise(generator)
    for name, weight in generator.named_parameters():
        if name.endswith("bias"):
            assert not weight.any(), name
        elif weight.numel() > 4000:
            assert abs(weight.std().item() - 0.02) < 0.002, name
            assert abs(weight.mean().item()) < 0.002, name


def test_the_seed_decides() -> None:
    first, second = ResNetGenerator(width=4, blocks=1), ResNetGenerator(width=4, blocks=1)
    for generator in (first, second):
        torch.manual_seed(7)
        initialise(generator)
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)
