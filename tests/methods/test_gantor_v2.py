"""What only GANtor-v2 promises: a step computes the corrected losses (docs/methods/stacked-gans.md), and the stages fit."""

import copy
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch.nn.functional import avg_pool2d, cross_entropy, softplus

from impasto.clock import Clock
from impasto.data.batches import ImageSpec, LabelledImages
from impasto.errors import RecipeError
from impasto.methods.gantor_v2 import GANtorV2, GANtorV2Options

TINY = [
    "method.width=12",
    "method.discriminator_width=4",
    "data.image_size=16",
    "data.resize=40",
    "training.batch_size=2",
]
CLASSES = ("dark", "bright", "other")


def prepared(size: int = 16, **options: Any) -> GANtorV2:
    torch.manual_seed(0)
    sizes = {"width": 12, "discriminator_width": 4, "residual_blocks": 1}
    method = GANtorV2(GANtorV2Options(**{**sizes, **options}), ImageSpec(3, size, CLASSES))
    method.prepare(Fabric(accelerator="cpu", devices=1))
    return method


def batch(size: int = 16, labels: tuple[int, ...] = (0, 1, 1, 2)) -> LabelledImages:
    generator = torch.Generator().manual_seed(5)
    images = torch.rand(len(labels), 3, size, size, generator=generator) * 2 - 1
    return LabelledImages(images, torch.tensor(labels)[:, None])


@pytest.mark.parametrize(("stage", "size"), [(1, 16), (2, 64)])
@pytest.mark.parametrize("preset", ["repository", "figure-12"])
def test_a_step_is_the_corrected_step_written_plainly(stage: int, size: int, preset: str) -> None:
    """A slow twin in the form of ArtGAN's code, with plain Adams: -log p_k = CE_K + softplus(Z) - Z."""
    method = prepared(size, stage=stage, preset=preset)
    stack, discriminator = copy.deepcopy(method.stack), copy.deepcopy(method.discriminator)
    images, labels = batch(size)
    k = labels[:, 0]
    adams = [torch.optim.Adam(n.parameters(), 2e-4, betas=(0.5, 0.999)) for n in (stack.learning, discriminator)]

    def class_term(logits: torch.Tensor) -> torch.Tensor:
        z = logits.exp().sum(1).log()
        return cross_entropy(logits, k) + (softplus(z) - z).mean()

    def seen(pictures: torch.Tensor) -> torch.Tensor:
        return avg_pool2d(pictures, 2) if stage == 2 else pictures

    torch.manual_seed(7)
    fakes = stack(torch.randn(4, 100), torch.eye(3)[k])
    real, features = discriminator(seen(images))
    fake, _ = discriminator(seen(fakes.detach()))
    loss_d = class_term(real) + softplus(fake.exp().sum(1).log()).mean()
    (loss_d + (discriminator.decoder(features) - seen(images)).pow(2).mean() / 2).backward()
    adams[1].step()
    adams[0].zero_grad()
    logits, features = discriminator(seen(fakes))
    loss_g = class_term(logits) + (discriminator.decoder(features) - seen(fakes)).pow(2).mean() / 2
    loss_g.backward()
    adams[0].step()

    torch.manual_seed(7)
    found = method.training_step(LabelledImages(images, labels), Clock(8))
    learned = float(found["discriminator/class"] + found["discriminator/fake"])
    assert learned == pytest.approx(loss_d.item(), rel=1e-5)
    assert float(found["generator/class"] + found["generator/reconstruction"]) == pytest.approx(loss_g.item(), rel=1e-4)
    for theirs, mine in ((discriminator, method.discriminator), (stack.learning, method.stack.learning)):
        for (name, expected), weight in zip(theirs.named_parameters(), mine.parameters(), strict=True):
            if not name.endswith("bias"):  # a bias before a batch norm moves by rounding errors alone
                torch.testing.assert_close(weight, expected, atol=2e-5, rtol=0, msg=name)


def test_reconstruction_teaches_the_decoder_from_reals_and_the_generator_from_fakes() -> None:
    method = prepared()
    images, labels = batch()
    fakes = method.stack(torch.randn(4, 100), torch.eye(3)[labels[:, 0]])
    method._update_discriminator(LabelledImages(images, labels), fakes.detach())
    assert all(weight.grad is None for weight in method.stack.learning.parameters())
    assert all(weight.grad is not None for weight in method.discriminator.decoder.parameters())
    method.discriminator.zero_grad(set_to_none=True)
    _, features = method.discriminator(fakes)
    loss = (method.discriminator.decoder(features) - fakes).square().mean()
    gradients = torch.autograd.grad(loss, list(method.stack.learning.parameters()), retain_graph=True)
    assert all(gradient.abs().sum() > 0 for gradient in gradients)
    method._update_generator(fakes, labels[:, 0])
    assert all(weight.grad is None for weight in method.discriminator.parameters())
    assert all(weight.requires_grad for weight in method.discriminator.parameters())


def test_stage_two_shows_its_discriminator_half_the_size_and_leaves_stage_one_alone() -> None:
    method = prepared(64, stage=2)
    sizes: list[torch.Size] = []
    method.discriminator.register_forward_hook(lambda _, inputs, __: sizes.append(inputs[0].shape[-2:]))
    before = copy.deepcopy(method.stack.stage_one.state_dict())
    method.training_step(batch(64), Clock(8))
    method.discriminator.eval()
    method.realness(batch(64).images)
    assert sizes == [(32, 32)] * 4
    after = method.stack.stage_one.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    assert method.draw(torch.eye(3), torch.randn(3, 100)).shape == (3, 3, 64, 64)


@pytest.mark.parametrize("head", ["implicit", "explicit", "sigmoid"])
def test_the_realness_of_an_untrained_discriminator_follows_from_its_head(head: str) -> None:
    method = prepared(head=head)
    torch.nn.init.zeros_(method.discriminator.classifier.weight)
    method.discriminator.eval()
    logits = method.realness(batch().images)
    expected = 0.0 if head == "sigmoid" else torch.tensor(3.0).log()
    torch.testing.assert_close(logits, torch.full((4,), float(expected)))
    assert torch.equal(logits, method.realness(batch().images)), "no noise, no dropout"


def test_fakes_have_the_labels_of_the_batch_or_drawn_ones() -> None:
    for choice, expected in (("batch", {0}), ("uniform", {0, 1, 2})):
        method = prepared(fake_labels=choice)
        seen: list[torch.Tensor] = []
        method.stack.stage_one.register_forward_hook(lambda _, inputs, __, seen=seen: seen.append(inputs[1]))
        method.training_step(batch(labels=(0,) * 32), Clock(8))
        assert set(seen[0].argmax(1).tolist()) == expected
        assert (seen[0].sum(1) == 1).all()


def test_what_it_cannot_learn_is_refused() -> None:
    spec = ImageSpec(3, 16, ("style=a", "style=b", "genre=x", "genre=y"), (2, 2))
    with pytest.raises(
        RecipeError, match=r"data.label: gantor-v2 learns the classes of one label; name one, not several"
    ):
        GANtorV2(GANtorV2Options(), spec)
    with pytest.raises(RecipeError, match=r"data.image_size: stage 2 of gantor-v2 .* use 128 or 64"):
        GANtorV2(GANtorV2Options(stage=2), ImageSpec(3, 100, CLASSES))
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
