"""What only the conditional DCGAN promises: its step is the one of its paper, and the condition is used as it should be."""

import copy
import math
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from impasto.chance import Draws
from impasto.clock import Clock
from impasto.data.batches import ImageSpec, LabelledImages
from impasto.data.digits import Digits, DigitsOptions
from impasto.data.prompts import ClassPrompt
from impasto.errors import RecipeError
from impasto.methods.cdcgan import CDCGAN, CDCGANOptions
from impasto.painting.paint import paint_prompt

TINY = [
    "method.width=4",
    "method.discriminator_width=4",
    "method.latent_size=8",
    "method.augment={kind: ada, images_to_full: 8}",
    "data.image_size=16",
    "data.resize=20",
    "training.batch_size=2",
]
CLASSES = ("a", "b", "c")


def prepared(spec: ImageSpec | None = None, **options: Any) -> CDCGAN:
    torch.manual_seed(0)
    sizes = {"width": 4, "discriminator_width": 4, "latent_size": 8}
    method = CDCGAN(CDCGANOptions(**{**sizes, **options}), spec or ImageSpec(3, 16, CLASSES))
    method.prepare(Fabric(accelerator="cpu", devices=1))
    return method


def batch(count: int = 4, size: int = 16) -> LabelledImages:
    chance = torch.Generator().manual_seed(5)
    return LabelledImages(torch.rand(count, 3, size, size, generator=chance) * 2 - 1, torch.arange(count)[:, None] % 3)


@pytest.mark.parametrize("label_loss_on", ["both", "real"])
def test_a_step_is_the_papers_step_written_plainly(label_loss_on: str) -> None:
    """A slow twin: plain losses, plain Adams, and the discriminator's weights get gradients in both updates."""
    method = prepared(label_loss_on=label_loss_on)
    generator, discriminator = copy.deepcopy(method.generator), copy.deepcopy(method.adversary.network)
    images, labels = batch()
    adams = [torch.optim.Adam(n.parameters(), 2e-4, betas=(0.5, 0.999)) for n in (generator, discriminator)]
    entropy, classes = nn.BCEWithLogitsLoss(), nn.CrossEntropyLoss()
    ones, zeros, wanted = torch.ones(4), torch.zeros(4), labels[:, 0]
    torch.manual_seed(3)
    fakes = generator(torch.randn(4, 8), nn.functional.one_hot(wanted, 3).float())
    real_v, real_c = discriminator(images)
    fake_v, fake_c = discriminator(fakes.detach())
    validity = (entropy(real_v, ones) + entropy(fake_v, zeros)) / 2
    label = classes(real_c, wanted)
    if label_loss_on == "both":
        label = (label + classes(fake_c, wanted)) / 2
    adams[1].zero_grad()
    (validity + label).backward()
    adams[1].step()
    fake_v, fake_c = discriminator(fakes)
    adams[0].zero_grad()
    loss = entropy(fake_v, ones) + classes(fake_c, wanted)
    loss.backward()
    adams[0].step()

    torch.manual_seed(3)
    found = method.training_step(LabelledImages(images, labels), Clock(100))
    assert found["discriminator/validity"].item() == pytest.approx(validity.item(), rel=1e-5)
    assert found["discriminator/label"].item() == pytest.approx(label.item(), rel=1e-5)
    whole = found["generator/adversarial"].item() + found["generator/label"].item()
    assert whole == pytest.approx(loss.item(), rel=1e-5)
    for mine, theirs in ((method.generator, generator), (method.adversary.network, discriminator)):
        for weight, twin in zip(mine.state_dict().values(), theirs.state_dict().values(), strict=True):
            assert torch.allclose(weight, twin, atol=1e-6)


def test_losses_at_logits_of_zero() -> None:
    """They are log 2 and log K for both networks."""
    method = prepared()
    discriminator: Any = method.adversary.network
    for head in (discriminator.validity, discriminator.label):
        nn.init.zeros_(head.weight)
        nn.init.zeros_(head.bias)
    method.adversary.optimizer.param_groups[0]["lr"] = 0.0  # so that the generator learns from the same discriminator
    found = method.training_step(batch(), Clock(100))
    for name in ("discriminator/validity", "generator/adversarial"):
        assert found[name].item() == pytest.approx(math.log(2), rel=1e-6)
    for name in ("discriminator/label", "generator/label"):
        assert found[name].item() == pytest.approx(math.log(3), rel=1e-6)


def test_a_condition_may_be_mixed_and_matters() -> None:
    """The first layer is linear in the class weights."""
    method = prepared()
    method.generator.eval()
    latents = torch.randn(1, 8).expand(3, -1)
    weights = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0.6, 0.4, 0]])
    one, other, mixed = method.draw(weights, latents)
    assert not torch.equal(one, other)
    assert not torch.equal(mixed, one)
    first = method.generator.layers[0]

    def before(condition: torch.Tensor) -> torch.Tensor:
        return first(torch.cat([latents[:1], condition[None]], 1))

    assert torch.allclose(before(weights[2]), 0.6 * before(weights[0]) + 0.4 * before(weights[1]), atol=1e-6), "linear"


def test_several_attributes_some_unknown_are_learned() -> None:
    spec = ImageSpec(3, 16, ("style=x", "style=y", "genre=p", "genre=q", "genre=r"), (2, 3))
    method = prepared(spec)
    labels = torch.tensor([[0, 2], [1, -1], [-1, 0], [1, 1]])
    found = method.training_step(LabelledImages(batch().images, labels), Clock(100))
    assert all(math.isfinite(float(value)) for value in found.values())
    prompt = ClassPrompt(torch.zeros(2, 5))
    assert paint_prompt(method, prompt, Draws.numbered(0, range(2))).shape == (2, 3, 16, 16)


def test_odd_sizes_are_refused() -> None:
    with pytest.raises(
        RecipeError, match=r"data.image_size: cdcgan doubles .* 48 is not a power of two .*, use 32 or 64"
    ):
        prepared(ImageSpec(3, 48, CLASSES))


def test_it_learns_which_class_is_which() -> None:
    """Three flat grey levels, one for each class. Within seconds, paintings of a class have its level."""
    method = prepared(ImageSpec(1, 16, CLASSES), width=8, discriminator_width=8, learning_rate=1e-3)
    levels = torch.tensor([-0.8, 0.0, 0.8])
    torch.manual_seed(1)
    clock = Clock(10_000)
    for _ in range(120):
        labels = torch.randint(0, 3, (24, 1))
        noise = 0.05 * torch.randn(24, 1, 16, 16)
        method.training_step(LabelledImages(levels[labels][..., None, None] + noise, labels), clock)
    method.generator.eval()
    prompt = ClassPrompt(torch.eye(3).repeat_interleave(8, 0))
    painted = paint_prompt(method, prompt, Draws.numbered(0, range(24)))
    found = painted.mean((1, 2, 3)).reshape(3, 8).mean(1)
    assert torch.allclose(found, levels, atol=0.25), found


@pytest.mark.slow
def test_a_classifier_recognises_the_digits_it_learned_to_write() -> None:
    """In about two minutes: a support vector machine of scikit-learn reads at least 90 % right."""
    import numpy as np
    from sklearn.datasets import load_digits
    from sklearn.svm import SVC

    data = Digits(DigitsOptions(image_size=16))
    method = prepared(data.spec, width=32, discriminator_width=32, latent_size=32)
    clock = Clock(10**9)
    stream = data.stream(64, 0)
    for _ in range(1500):
        method.training_step(next(stream), clock)
    method.generator.eval()
    wanted = torch.arange(500) % 10
    painted = paint_prompt(method, ClassPrompt(torch.eye(10)[wanted]), Draws.numbered(0, range(500)))
    small = nn.functional.avg_pool2d(painted, 2).flatten(1).add(1).mul(8).numpy()
    digits = load_digits()
    reader = SVC(gamma=0.001).fit(digits.data, digits.target)
    names = np.array([int(name) for name in data.spec.classes])
    assert (reader.predict(small) == names[wanted.numpy()]).mean() >= 0.9
