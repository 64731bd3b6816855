"""What only GANtor-v1 promises: a step computes the corrected losses (docs/methods/stacked-gans.md), and the stages fit."""

import copy
import math
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch.nn.functional import binary_cross_entropy_with_logits

from impasto.clock import Clock
from impasto.data.batches import ImageSpec, LabelledImages
from impasto.errors import RecipeError
from impasto.methods.gantor_v1 import GANtorV1, GANtorV1Options
from impasto.networks.augmentation import Augmentation

TINY = [
    "method.width=8",
    "method.discriminator_width=4",
    "data.image_size=16",
    "data.resize=40",
    "training.batch_size=2",
]
CLASSES = ("dark", "bright", "other")


def prepared(size: int = 16, spec: ImageSpec | None = None, **options: Any) -> GANtorV1:
    torch.manual_seed(0)
    sizes = {"width": 8, "discriminator_width": 4, "residual_blocks": 1}
    method = GANtorV1(GANtorV1Options(**{**sizes, **options}), spec or ImageSpec(3, size, CLASSES))
    method.prepare(Fabric(accelerator="cpu", devices=1))
    return method


def batch(size: int = 16, labels: tuple[int, ...] = (0, 1, 1, 2)) -> LabelledImages:
    generator = torch.Generator().manual_seed(5)
    images = torch.rand(len(labels), 3, size, size, generator=generator) * 2 - 1
    return LabelledImages(images, torch.tensor(labels)[:, None])


def bce(logits: torch.Tensor, target: float) -> torch.Tensor:
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


@pytest.mark.parametrize(("stage", "size"), [(1, 16), (2, 64)])
def test_a_step_is_the_corrected_step_written_plainly(stage: int, size: int) -> None:
    """A slow twin with plain Adams: rows 0, 2 and 3 have neighbours of other classes."""
    method = prepared(size, stage=stage)
    stack, discriminator = copy.deepcopy(method.stack), copy.deepcopy(method.discriminator)
    images, labels = batch(size)
    y = torch.eye(3)[labels[:, 0]]
    adams = [torch.optim.Adam(n.parameters(), 2e-4, betas=(0.5, 0.999)) for n in (stack.learning, discriminator)]
    torch.manual_seed(7)
    fakes = stack(torch.randn(4, 100), y)
    real, fake = discriminator(images), discriminator(fakes.detach())
    real_pairs, fake_pairs = discriminator.pair_logits(real, y), discriminator.pair_logits(fake, y)
    wrong = bce(discriminator.pair_logits(real, y[[3, 0, 1, 2]])[[0, 1, 3]], 0)
    if stage == 1:
        loss_d = bce(real_pairs, 1) + (bce(fake_pairs, 0) + wrong) / 2
    else:
        loss_d = (bce(real_pairs, 1) + bce(discriminator.alone_logits(real), 1)) / 2
        loss_d = loss_d + (bce(fake_pairs, 0) + wrong + bce(discriminator.alone_logits(fake), 0)) / 3
    loss_d.backward()
    adams[1].step()
    features = discriminator(fakes)
    loss_g = bce(discriminator.pair_logits(features, y), 1)
    if stage == 2:
        loss_g = loss_g + bce(discriminator.alone_logits(features), 1)
    adams[0].zero_grad()
    loss_g.backward()
    adams[0].step()

    torch.manual_seed(7)
    found = method.training_step(LabelledImages(images, labels), Clock(8))
    assert found["discriminator/wrong_pair"].item() == pytest.approx(wrong.item(), rel=1e-5)
    total = sum(float(found[f"generator/{part}"]) for part in (("pair",) if stage == 1 else ("pair", "alone")))
    assert total == pytest.approx(loss_g.item(), rel=1e-4)
    pairs = [(discriminator, method.discriminator), (stack.learning, method.stack.learning)]
    for theirs, mine in pairs:
        for (name, expected), weight in zip(theirs.named_parameters(), mine.parameters(), strict=True):
            torch.testing.assert_close(weight, expected, atol=2e-5, rtol=0, msg=name)


def test_losses_of_a_discriminator_that_knows_nothing() -> None:
    method = prepared()
    head = method.discriminator.pair[-1]
    torch.nn.init.zeros_(head.weight)  # type: ignore[arg-type]
    scalars = method._update_discriminator(batch(), batch().images, torch.eye(3)[[0, 1, 1, 2]])
    for part in ("real", "fake", "wrong_pair"):
        assert scalars[f"discriminator/{part}"].item() == pytest.approx(math.log(2))


def test_a_batch_of_one_class_has_no_wrong_pairs() -> None:
    method = prepared()
    scalars = method.training_step(batch(labels=(1, 1, 1)), Clock(8))
    assert scalars["discriminator/wrong_pair"] == 0
    without = prepared(use_wrong_pairs=False)
    assert "discriminator/wrong_pair" not in without.training_step(batch(), Clock(8))


@pytest.mark.parametrize(("stage", "size"), [(1, 16), (2, 64)])
def test_where_no_pair_is_wrong_their_term_is_left_out(stage: int, size: int) -> None:
    """The step is the one without wrong pairs."""
    learned, scalars = [], []
    for use_wrong_pairs in (True, False):
        method = prepared(size, stage=stage, use_wrong_pairs=use_wrong_pairs)
        torch.manual_seed(7)
        scalars.append(method.training_step(batch(size, labels=(1, 1, 1)), Clock(8)))
        learned.append(torch.cat([weight.detach().flatten() for weight in method.discriminator.parameters()]))
    torch.testing.assert_close(*learned, atol=1e-6, rtol=0)
    torch.testing.assert_close(*(found["discriminator/gradient_norm"] for found in scalars))


def test_stage_two_leaves_stage_one_as_it_was_and_starts_from_its_image() -> None:
    method = prepared(64, stage=2)
    assert method.borrowed == ("stage_one",)
    for network in method.networks().values():
        network.train()
    before = copy.deepcopy(method.stack.stage_one.state_dict())
    moved = copy.deepcopy(method.stack.learning.state_dict())
    for _ in range(2):
        method.training_step(batch(64), Clock(8))
    after = method.stack.stage_one.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    assert not all(torch.equal(tensor, method.stack.learning.state_dict()[name]) for name, tensor in moved.items())
    optimized = {id(p) for group in method.generator_optimizer.param_groups for p in group["params"]}
    assert optimized == {id(weight) for weight in method.stack.learning.parameters()}

    alone = prepared(16)
    alone.stack.stage_one.load_state_dict(before)
    latents, weights = torch.randn(2, 100), torch.eye(3)[:2]
    seen: list[torch.Tensor] = []
    method.stack.learning.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    with torch.no_grad():
        alone.stack.stage_one.eval()
        method.draw(weights, latents)
        assert torch.equal(seen[0], alone.draw(weights, latents))


def test_unknown_and_several_labels() -> None:
    spec = ImageSpec(3, 16, ("style=a", "style=b", "genre=x", "genre=y", "genre=z"), (2, 3))
    method = prepared(spec=spec)
    seen: list[torch.Tensor] = []
    method.stack.stage_one.register_forward_hook(lambda _, inputs, __: seen.append(inputs[1]))
    images = batch().images
    method.training_step(LabelledImages(images, torch.tensor([[0, 2], [1, -1], [-1, 0], [-1, -1]])), Clock(8))
    assert seen[0].tolist() == [[1, 0, 0, 0, 1], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0]]


@pytest.mark.parametrize(("stage", "size"), [(1, 16), (2, 64)])
def test_realness_is_a_number_for_each_image_alone(stage: int, size: int) -> None:
    method = prepared(size, stage=stage)
    method.discriminator.eval()
    images = batch(size).images
    together = method.realness(images)
    assert together.shape == (4,)
    torch.testing.assert_close(
        torch.cat([method.realness(image[None]) for image in images]), together, atol=1e-5, rtol=1e-5
    )


def test_realness_is_of_the_likeliest_class_of_each_attribute() -> None:
    """A discriminator whose logit is a sum over the classes: the likeliest class of each attribute counts."""
    spec = ImageSpec(3, 16, ("style=a", "style=b", "genre=x", "genre=y", "genre=z"), (2, 3))
    method = prepared(spec=spec)
    likely = torch.tensor([1.0, 3.0, 9.0, 2.0, 5.0])
    method.discriminator.pair_logits = lambda _, weights: weights.float() @ likely  # type: ignore[method-assign]
    assert method.realness(batch().images).tolist() == [3.0 + 9.0] * 4


@pytest.mark.parametrize("kind", ["diffaugment", "ada"])
def test_the_discriminator_sees_augmented_images(kind: str) -> None:
    calls: list[int] = []
    observed: list[tuple[float, int]] = []

    class Counting(Augmentation):
        def __call__(self, images: torch.Tensor) -> torch.Tensor:
            calls.append(len(images))
            return super().__call__(images)

        def observe(self, sign_mean: torch.Tensor, images: int) -> None:
            observed.append((float(sign_mean), images))

    method = prepared(augment={"kind": kind, "images_to_full": 16})
    method.adversary.augment = Counting(method.options.augment)
    method.training_step(batch(), Clock(8))
    assert calls == [4, 4, 4], "real and fake while the discriminator learns, fake while the generator learns"
    assert [count for _, count in observed] == ([4] if kind == "ada" else [])
    assert all(-1 <= sign <= 1 for sign, _ in observed)


def test_a_batch_of_one_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"training.batch_size: batch norm needs at least 2 images"):
        prepared().training_step(batch(labels=(0,)), Clock(8))


def test_it_learns_under_mixed_precision() -> None:
    """Real learning in seconds: one class is dark, the other bright."""
    method = prepared(width=32, discriminator_width=8, learning_rate=4e-3)
    generator = torch.Generator().manual_seed(1)
    for _ in range(60):  # both colours overshoot at first; by now they have settled with any seed
        labels = torch.randint(2, (16, 1), generator=generator)
        brightness = 1.2 * labels[:, :, None, None] - 0.6
        noise = 0.2 * torch.randn(16, 3, 16, 16, generator=generator)
        with torch.autocast("cpu", torch.bfloat16):
            scalars = method.training_step(LabelledImages(brightness + noise, labels), Clock(1000))
    assert all(value.dtype == torch.float32 and torch.isfinite(value) for value in scalars.values())
    method.stack.learning.eval()  # batch norm over paintings of one class would take their brightness away
    with torch.no_grad():
        latents = torch.randn(16, 100, generator=generator)
        dark, bright = (float(method.draw(torch.eye(3)[[k] * 16], latents).mean()) for k in (0, 1))
    assert dark < -0.2
    assert bright > 0.2
