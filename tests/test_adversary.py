"""What adversarial methods share: the discriminator's update, the generator's loss, pools, augmentation and names."""

import copy
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn.functional import softplus

from impasto.adversary import AdversarialOptions, Adversary, adam, adversarial_state, prefixed
from impasto.losses.adversarial import CROSS_ENTROPY, LEAST_SQUARES, AdversarialLoss
from impasto.method import Learner, TrainingState, weights_frozen
from impasto.networks.image_pool import ImagePool

ALONE = Fabric(accelerator="cpu", devices=1)
RATES = {"learning_rate": 3e-3, "beta1": 0.3, "beta2": 0.9}


class ToyLearner(Learner[Any]):
    """A learner without networks of its own."""

    def __init__(self, fabric: Any = ALONE) -> None:
        self.fabric = fabric

    def training_state(self) -> TrainingState:
        raise NotImplementedError

    def training_step(self, batch: Any, clock: Any) -> Mapping[str, Tensor]:
        raise NotImplementedError


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.LeakyReLU(0.2), nn.Conv2d(4, 1, 3))


def adversary(fabric: Any = ALONE, augment: str = "none", **how: Any) -> Adversary:
    options = AdversarialOptions(name="toy", augment={"kind": augment}, **RATES)
    return Adversary(ToyLearner(fabric), network(), options, **{"loss": LEAST_SQUARES, **how})


def images(seed: int, count: int = 4) -> Tensor:
    return torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(seed)) * 2 - 1


class Twin:
    """The same update written plainly: separate passes, a plain Adam."""

    def __init__(self, on_real: Callable[[Tensor], Tensor], on_fake: Callable[[Tensor], Tensor], weight: float) -> None:
        self.on_real, self.on_fake, self.weight = on_real, on_fake, weight
        self.network = network()
        betas = (RATES["beta1"], RATES["beta2"])
        self.adam = torch.optim.Adam(self.network.parameters(), RATES["learning_rate"], betas=betas)

    def learn(self, real: Tensor, fake: Tensor) -> Tensor:
        self.adam.zero_grad()
        loss = self.on_real(self.network(real)).mean() + self.on_fake(self.network(fake)).mean()
        (self.weight * loss).backward()
        self.adam.step()
        return loss.detach()

    def gradient_norm(self) -> Tensor:
        return torch.cat([p.grad.flatten() for p in self.network.parameters() if p.grad is not None]).norm()


def assert_same_weights(one: nn.Module, other: nn.Module) -> None:
    for mine, theirs in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=0)


def least_squares_twin(weight: float = 1.0) -> Twin:
    return Twin(lambda scores: (scores - 1) ** 2, lambda scores: scores**2, weight)


def cross_entropy_twin(weight: float = 1.0) -> Twin:
    return Twin(lambda logits: softplus(-logits), softplus, weight)


@pytest.mark.parametrize(
    ("loss", "twin", "boundary"),
    [(LEAST_SQUARES, least_squares_twin, 0.5), (CROSS_ENTROPY, cross_entropy_twin, 0.0)],
    ids=["least squares", "cross-entropy"],
)
def test_learning_is_the_update_written_plainly(
    loss: AdversarialLoss, twin: Callable[[float], Twin], boundary: float
) -> None:
    ours, theirs = adversary(loss=loss, weight=0.5), twin(0.5)
    for step in range(3):
        real, fake = images(step), images(100 + step).requires_grad_()
        with torch.no_grad():
            right = ((theirs.network(real) > boundary).float() + (theirs.network(fake) < boundary).float()).mean() / 2
        expected = theirs.learn(real, fake.detach())
        logged = ours.learn(real, fake)
        assert set(logged) == {f"discriminator/{name}" for name in ("loss", "accuracy", "gradient_norm")}
        assert not any(value.requires_grad for value in logged.values())
        assert logged["discriminator/loss"].item() == pytest.approx(expected.item(), rel=1e-5)
        assert logged["discriminator/accuracy"].item() == pytest.approx(right.item())
        assert logged["discriminator/gradient_norm"].item() == pytest.approx(theirs.gradient_norm().item(), rel=1e-4)
        assert fake.grad is None, "the generator does not learn here"
        assert_same_weights(ours.network, theirs.network)


def test_with_a_pool_the_discriminator_learns_from_earlier_fakes() -> None:
    torch.manual_seed(1)
    pool = ImagePool(3, "discriminator")
    ours, theirs = adversary(pool_size=3), least_squares_twin()
    ours.pool = copy.deepcopy(pool)
    earlier = 0
    for step in range(8):
        real, fake = images(step), images(100 + step)
        shown = pool.exchange(fake)
        earlier += int((shown != fake).flatten(1).any(1).sum())
        theirs.learn(real, shown)
        ours.learn(real, fake)
        assert_same_weights(ours.network, theirs.network)
    assert earlier > 0


def test_the_pool_has_the_name_of_its_adversary() -> None:
    """So two pools of a method draw different random numbers."""
    torch.manual_seed(1)
    pools = [adversary(name=name, pool_size=2).pool for name in ("photos", "paintings", "photos")]
    drawn = [torch.rand(4, generator=pool.generator) for pool in pools if pool is not None]
    assert torch.equal(drawn[0], drawn[2])
    assert not torch.equal(drawn[0], drawn[1])
    assert adversary().pool is None


def test_the_generators_loss_leaves_the_discriminator_alone() -> None:
    ours, theirs = adversary(), network()
    fakes = images(3).requires_grad_()
    (expected,) = torch.autograd.grad(((theirs(fakes) - 1) ** 2).mean(), fakes)
    loss = ours.loss_on(fakes)
    loss.backward()
    assert fakes.grad is not None
    torch.testing.assert_close(fakes.grad, expected)
    assert all(weight.grad is None and weight.requires_grad for weight in ours.network.parameters())
    assert_same_weights(ours.network, theirs)


def test_what_the_discriminator_sees_is_augmented_always() -> None:
    ours = adversary(augment="diffaugment")
    seen: list[Tensor] = []
    ours.network.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].detach()))
    real, fake = images(1), images(2)
    ours.learn(real, fake)
    ours.loss_on(fake)
    ours(real)
    for shown, plain in zip(seen, (torch.cat([real, fake]), fake, real), strict=True):
        assert shown.shape == plain.shape
        assert not any(torch.allclose(a, b, atol=0.1) for a, b in zip(shown, plain, strict=True))


def test_an_update_lowers_the_total_and_logs_the_losses_it_is_given() -> None:
    ours = adversary(name="critic")
    first = ours.network[0].weight  # type: ignore[index]
    before = first.detach().clone()
    parts = {"distance": first.sum(), "label": first.square().sum()}
    logged = ours.update(first.sum(), parts, torch.tensor([3.0, 1.0]), torch.tensor([0.0, 2.5]), boundary=2.0)
    torch.testing.assert_close(first.detach(), before - RATES["learning_rate"])  # Adam's first step
    assert {name: float(value) for name, value in logged.items()} == {
        "critic/distance": pytest.approx(float(before.sum())),
        "critic/label": pytest.approx(float(before.square().sum())),
        "critic/accuracy": 0.5,
        "critic/gradient_norm": pytest.approx(before.numel() ** 0.5),
    }
    assert not any(value.requires_grad for value in logged.values())


class TwoDevices(SimpleNamespace):
    """What a learner needs of Lightning Fabric, on one of two devices. Images of both are given."""

    world_size, device = 2, torch.device("cpu")
    global_rank: int
    gathered: Tensor
    """[2, N, C, H, W]"""
    averaged: list[Tensor]

    def setup_optimizers(self, optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
        return optimizer

    def backward(self, loss: Tensor) -> None:
        loss.backward()

    def all_gather(self, given: Tensor) -> Tensor:
        assert torch.equal(given, self.gathered[self.global_rank])
        return self.gathered

    def all_reduce(self, value: Tensor, reduce_op: str) -> Tensor:
        assert reduce_op == "mean"
        if value.dim():  # gradients
            return value
        self.averaged.append(value)
        return value + 0.25


@pytest.mark.parametrize("boundary", [0.0, 1.0])
def test_an_adaptive_augmentation_takes_in_the_mean_sign_of_all_devices(boundary: float) -> None:
    fabric = TwoDevices(global_rank=0, averaged=[])
    ours = adversary(fabric, augment="ada", name="critic")
    scores = torch.tensor([[3.0, 0.1], [-0.2, 5.0]], requires_grad=True) + boundary
    middle = torch.tensor(boundary, requires_grad=True)
    weights = sum(weight.sum() for weight in ours.network.parameters())
    assert isinstance(weights, Tensor)
    logged = ours.update(weights, {}, scores, -scores, middle)
    assert [(float(value), value.requires_grad) for value in fabric.averaged] == [(0.5, False)]
    known = ours.augment.state_dict()
    assert (float(known["signs"]), known["images"], known["batches"]) == (0.75, 4, 1)
    assert not known["signs"].requires_grad
    assert logged["critic/augment_probability"] == 0


@pytest.mark.parametrize("kind", ["none", "diffaugment"])
def test_the_other_augmentations_cost_the_devices_no_message(kind: str) -> None:
    fabric = TwoDevices(global_rank=0, averaged=[])
    ours = adversary(fabric, augment=kind)
    logged = ours.learn(images(1), images(2))
    assert fabric.averaged == []
    assert ours.augment.state_dict()["batches"] == 0
    assert "discriminator/augment_probability" not in logged


def test_pools_are_the_same_on_all_devices_and_each_learns_from_its_share() -> None:
    torch.manual_seed(1)
    pool = ImagePool(3, "discriminator")
    devices = [adversary(TwoDevices(global_rank=rank, averaged=[]), pool_size=3) for rank in (0, 1)]
    shares: list[list[Tensor]] = [[], []]
    for device, seen in zip(devices, shares, strict=True):
        device.pool = copy.deepcopy(pool)
        device.network.register_forward_hook(lambda _, inputs, __, seen=seen: seen.append(inputs[0][2:]))
    for step in range(6):
        fakes = torch.stack([images(10 * step + rank, 2) for rank in (0, 1)])
        for rank, device in enumerate(devices):
            device.learner.fabric.gathered = fakes  # type: ignore[attr-defined]
            device.learn(images(step, 2), fakes[rank])
        expected = pool.exchange(fakes.flatten(0, 1))
        assert torch.equal(torch.cat([shares[0][step], shares[1][step]]), expected)
    for device in devices:
        assert device.pool is not None
        assert all(torch.equal(a, b) for a, b in zip(device.pool.images, pool.images, strict=True))


def test_what_is_saved_has_the_names_of_the_adversaries() -> None:
    photos, paintings = adversary(name="photos", pool_size=2), adversary(name="paintings")
    generator = adam(ToyLearner(), AdversarialOptions(name="toy"), network(), network())
    projections = nn.Linear(2, 2)
    state = adversarial_state(generator, photos, paintings, networks={"projections": projections})
    assert state.optimizers == {"generator": generator, "photos": photos.optimizer, "paintings": paintings.optimizer}
    assert state.networks == {"photos": photos.network, "paintings": paintings.network, "projections": projections}
    assert state.memory == {
        "photos_augment": photos.augment,
        "photos_pool": photos.pool,
        "paintings_augment": paintings.augment,
    }
    assert len(generator.param_groups[0]["params"]) == 8, "the weights of both networks"


def test_losses_are_logged_without_their_graph() -> None:
    found = prefixed("generator", {"total": torch.ones((), requires_grad=True)})
    assert list(found) == ["generator/total"]
    assert not found["generator/total"].requires_grad


def test_frozen_weights_get_no_gradients_and_are_as_before_afterwards() -> None:
    learning, partly = network(), network()
    partly[0].requires_grad_(requires_grad=False)
    before = [weight.requires_grad for weight in (*learning.parameters(), *partly.parameters())]
    assert before == [True] * 4 + [False] * 2 + [True] * 2
    with weights_frozen(learning, partly):
        assert not any(weight.requires_grad for weight in (*learning.parameters(), *partly.parameters()))
    assert [weight.requires_grad for weight in (*learning.parameters(), *partly.parameters())] == before
    with pytest.raises(ZeroDivisionError), weights_frozen(learning, partly):
        _ = 1 / 0
    assert [weight.requires_grad for weight in (*learning.parameters(), *partly.parameters())] == before
