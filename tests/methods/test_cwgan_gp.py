"""What only the conditional WGAN-GP promises: its step is Algorithm 1, and the generator learns at every fifth step."""

import copy
import math
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from impasto.clock import Clock
from impasto.data.batches import ImageSpec, LabelledImages
from impasto.methods.cwgan_gp import CWGANGP, CWGANGPOptions

TINY = [
    "method.width=4",
    "method.critic_width=4",
    "method.latent_size=8",
    "method.critic_steps=1",
    "data.image_size=16",
    "data.resize=20",
    "training.batch_size=2",
]
WITHOUT_GRADIENT = ["critic.score.bias"]
"""A constant added to a critic's scores changes nothing, so its gradient is zero."""
MID_CYCLE = ["method.critic_steps=3"]
CLASSES = ("a", "b", "c")


def prepared(size: int = 16, precision: Any = "32-true", **options: Any) -> CWGANGP:
    torch.manual_seed(0)
    sizes = {"width": 4, "critic_width": 4, "latent_size": 8}
    method = CWGANGP(CWGANGPOptions(**{**sizes, **options}), ImageSpec(3, size, CLASSES))
    method.prepare(Fabric(accelerator="cpu", devices=1, precision=precision))
    return method


def batch(count: int = 4, size: int = 16) -> LabelledImages:
    chance = torch.Generator().manual_seed(5)
    return LabelledImages(torch.rand(count, 3, size, size, generator=chance) * 2 - 1, torch.arange(count)[:, None] % 3)


def weights_of(network: nn.Module) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in network.parameters()]


def test_a_step_is_algorithm_1_written_plainly() -> None:
    """A slow twin: separate passes for real, fake and in between; plain Adams; then the generator learns."""
    method = prepared(critic_steps=1)
    generator, critic = copy.deepcopy(method.generator), copy.deepcopy(method.adversary.network)
    images, labels = batch()
    wanted = labels[:, 0]
    conditions = nn.functional.one_hot(wanted, 3).float()
    adams = [torch.optim.Adam(n.parameters(), 2e-4, betas=(0.0, 0.9)) for n in (generator, critic)]
    torch.manual_seed(3)
    with torch.no_grad():
        fakes = generator(torch.randn(4, 8), conditions)
    between = torch.rand(4, 1, 1, 1)
    points = (between * images + (1 - between) * fakes).requires_grad_()
    (slopes,) = torch.autograd.grad(critic(points)[0].sum(), points, create_graph=True)
    penalty = ((slopes.square().sum((1, 2, 3)).sqrt() - 1) ** 2).mean()
    scores, classes = critic(images)
    label = nn.functional.cross_entropy(classes, wanted)
    distance = scores.mean() - critic(fakes)[0].mean()
    adams[1].zero_grad()
    (-distance + 10 * penalty + label).backward()
    adams[1].step()
    scores, classes = critic(generator(torch.randn(4, 8), conditions))
    adams[0].zero_grad()
    loss = -scores.mean() + nn.functional.cross_entropy(classes, wanted)
    loss.backward()
    adams[0].step()

    torch.manual_seed(3)
    found = method.training_step(LabelledImages(images, labels), Clock(100))
    assert found["critic/distance"].item() == pytest.approx(distance.item(), rel=1e-4, abs=1e-6)
    assert found["critic/penalty"].item() == pytest.approx(penalty.item(), rel=1e-4)
    assert found["critic/label"].item() == pytest.approx(label.item(), rel=1e-5)
    whole = found["generator/adversarial"].item() + found["generator/label"].item()
    assert whole == pytest.approx(loss.item(), rel=1e-4)
    for mine, theirs in ((method.generator, generator), (method.adversary.network, critic)):
        for weight, twin in zip(mine.parameters(), theirs.parameters(), strict=True):
            assert twin.grad is not None
            sure = twin.grad.abs() > 1e-4  # Adam's first step is the gradient's sign: noise for a bias before a norm
            assert torch.allclose(weight[sure], twin[sure], atol=2e-5)


def test_the_generator_learns_once_in_critic_steps() -> None:
    method, clock = prepared(critic_steps=5), Clock(1000)
    start = weights_of(method.generator)
    for turn in range(1, 11):
        found = method.training_step(batch(), clock)
        clock.advance(4)
        assert ("generator/adversarial" in found) == (turn % 5 == 0)
        moved = any(not torch.equal(a, b) for a, b in zip(start, weights_of(method.generator), strict=True))
        assert moved == (turn >= 5)
    steps = [int(method.adversary.optimizer.state[w]["step"]) for w in method.adversary.network.parameters()]
    assert set(steps) == {10}
    assert {int(method.generator_optimizer.state[w]["step"]) for w in method.generator.parameters()} == {2}


def test_only_differences_of_scores_count() -> None:
    """A constant added to the critic's scores changes neither the losses nor what is learned."""
    found = []
    for constant in (0.0, 7.0):
        method = prepared()
        with torch.no_grad():
            method.adversary.network.score.bias += constant  # type: ignore[operator, union-attr]
        torch.manual_seed(2)
        scalars = method.training_step(batch(), Clock(100))
        found.append([scalars[f"critic/{name}"].item() for name in ("distance", "penalty", "label", "accuracy")])
    assert found[0] == pytest.approx(found[1], rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("size", [32, 64])
def test_the_penalty_in_bf16_agrees_with_float32(size: int) -> None:
    found = {}
    for precision in ("32-true", "bf16-mixed"):
        method = prepared(size, precision)
        torch.manual_seed(2)
        with method.fabric.autocast():
            found[precision] = method.training_step(batch(4, size), Clock(100))
    for name, value in found["bf16-mixed"].items():
        assert math.isfinite(value)
        if name in ("critic/penalty", "critic/label", "critic/gradient_norm"):
            assert value.item() == pytest.approx(found["32-true"][name].item(), rel=0.05)


def test_the_critic_keeps_its_slope_near_one_and_recognises_fakes() -> None:
    """On flat grey images. Without the penalty its median is above 20 after these steps."""
    method, clock = prepared(width=8, critic_width=16, critic_steps=100, learning_rate=1e-3), Clock(10_000)
    found = []
    for _ in range(40):
        labels = torch.randint(0, 3, (8, 1))
        images = (labels - 1)[..., None, None].expand(-1, 3, 16, 16) * 0.8
        found.append(method.training_step(LabelledImages(images, labels), clock))
        clock.advance(8)
    assert torch.stack([f["critic/penalty"] for f in found[-10:]]).median() < 1.0, "the slope is less than 2"
    assert found[-1]["critic/distance"] > 0.1
    assert torch.stack([f["critic/label_accuracy"] for f in found[-5:]]).mean() > 0.9
