"""What only the conditional DCGAN promises: spec 01, checks 2 to 4, and that its step is the one the sheet writes."""

import copy
import math
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from impasto.chance import generator
from impasto.clock import Clock
from impasto.data.batches import ImageSpec, LabelledImages, Labels
from impasto.data.digits import Digits, DigitsOptions
from impasto.errors import RecipeError
from impasto.methods.cdcgan import CDCGAN, CDCGANOptions

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
def test_a_step_is_the_sheets_step_written_plainly(label_loss_on: str) -> None:
    """A slow twin: plain losses, plain Adams, and the discriminator's weights get gradients in both turns."""
    method = prepared(label_loss_on=label_loss_on)
    painter, judge = copy.deepcopy(method.generator), copy.deepcopy(method.discriminator)
    images, labels = batch()
    paints, judges = (torch.optim.Adam(n.parameters(), 2e-4, betas=(0.5, 0.999)) for n in (painter, judge))
    entropy, classes = nn.BCEWithLogitsLoss(), nn.CrossEntropyLoss()
    ones, zeros, wanted = torch.ones(4), torch.zeros(4), labels[:, 0]
    torch.manual_seed(3)
    fakes = painter(torch.randn(4, 8), nn.functional.one_hot(wanted, 3).float())
    real_v, real_c = judge(images)
    fake_v, fake_c = judge(fakes.detach())
    validity = (entropy(real_v, ones) + entropy(fake_v, zeros)) / 2
    label = classes(real_c, wanted)
    if label_loss_on == "both":
        label = (label + classes(fake_c, wanted)) / 2
    judges.zero_grad()
    (validity + label).backward()
    judges.step()
    fake_v, fake_c = judge(fakes)
    paints.zero_grad()
    loss = entropy(fake_v, ones) + classes(fake_c, wanted)
    loss.backward()
    paints.step()

    torch.manual_seed(3)
    found = method.training_step(LabelledImages(images, labels), Clock(100))
    assert found["discriminator/validity"].item() == pytest.approx(validity.item(), rel=1e-5)
    assert found["discriminator/label"].item() == pytest.approx(label.item(), rel=1e-5)
    whole = found["generator/adversarial"].item() + found["generator/label"].item()
    assert whole == pytest.approx(loss.item(), rel=1e-5)
    for mine, theirs in ((method.generator, painter), (method.discriminator, judge)):
        for weight, twin in zip(mine.state_dict().values(), theirs.state_dict().values(), strict=True):
            assert torch.allclose(weight, twin, atol=1e-6)


def test_losses_at_logits_of_zero() -> None:
    """Spec 01, check 4: log 2 + log K for both."""
    method = prepared()
    for head in (method.discriminator.validity, method.discriminator.label):
        nn.init.zeros_(head.weight)
        nn.init.zeros_(head.bias)  # type: ignore[arg-type]
    method.discriminator_optimizer.param_groups[0]["lr"] = 0.0  # the generator's turn meets it unchanged
    found = method.training_step(batch(), Clock(100))
    for who in ("discriminator/validity", "generator/adversarial"):
        assert found[who].item() == pytest.approx(math.log(2), rel=1e-6)
    for who in ("discriminator/label", "generator/label"):
        assert found[who].item() == pytest.approx(math.log(3), rel=1e-6)


def test_a_condition_may_be_mixed_and_matters() -> None:
    """Spec 01, check 2."""
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
    assert method.paint(Labels(torch.zeros(2, 5)), generator(0)).shape == (2, 3, 16, 16)


def test_odd_sizes_are_refused() -> None:
    with pytest.raises(RecipeError, match=r"data.image_size: cdcgan doubles .* 48 is no power of two .*, use 32 or 64"):
        prepared(ImageSpec(3, 48, CLASSES))


def test_it_learns_which_class_is_which() -> None:
    """Three flat grey levels, one for each class: within seconds a class asked for has its level."""
    method = prepared(ImageSpec(1, 16, CLASSES), width=8, discriminator_width=8, learning_rate=1e-3)
    levels = torch.tensor([-0.8, 0.0, 0.8])
    torch.manual_seed(1)
    clock = Clock(10_000)
    for _ in range(120):
        labels = torch.randint(0, 3, (24, 1))
        noise = 0.05 * torch.randn(24, 1, 16, 16)
        method.training_step(LabelledImages(levels[labels][..., None, None] + noise, labels), clock)
    method.generator.eval()
    painted = method.paint(Labels(torch.eye(3).repeat_interleave(8, 0)), generator(0)).detach()
    found = painted.mean((1, 2, 3)).reshape(3, 8).mean(1)
    assert torch.allclose(found, levels, atol=0.25), found


@pytest.mark.slow
def test_a_classifier_recognises_the_digits_it_learned_to_write() -> None:
    """The issue's proof, in about two minutes: a support vector machine of scikit-learn reads at least 90 % right."""
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
    with torch.no_grad():
        painted = method.paint(Labels(torch.eye(10)[wanted]), generator(0))
    small = nn.functional.avg_pool2d(painted, 2).flatten(1).add(1).mul(8).numpy()
    digits = load_digits()
    reader = SVC(gamma=0.001).fit(digits.data, digits.target)
    names = np.array([int(name) for name in data.spec.classes])
    assert (reader.predict(small) == names[wanted.numpy()]).mean() >= 0.9
