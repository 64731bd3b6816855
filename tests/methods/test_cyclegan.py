"""What only CycleGAN promises: its losses, and that its merged passes compute what the paper says."""

import copy
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from impasto.chance import Draws
from impasto.clock import Clock
from impasto.data.batches import ImageSpec, UnpairedImages
from impasto.data.prompts import PhotoPrompt
from impasto.errors import RecipeError
from impasto.method import TrainingState
from impasto.methods.cyclegan import CycleGAN, CycleGANOptions
from impasto.painting.paint import paint_prompt, paint_sheet

TINY = [
    "method.width=4",
    "method.blocks=1",
    "method.discriminator_width=4",
    "method.pool_size=3",
    "data.kind=atelier",
    "data.image_size=24",
    "data.resize=40",
]


def prepared(**options: Any) -> tuple[CycleGAN, TrainingState]:
    torch.manual_seed(0)
    sizes = {"width": 8, "blocks": 2, "discriminator_width": 8, "pool_size": 0}
    method = CycleGAN(CycleGANOptions(**{**sizes, **options}), ImageSpec(3, 32))
    return method, method.prepare(Fabric(accelerator="cpu", devices=1))


def batch(count: int = 2, size: int = 32) -> UnpairedImages:
    generator = torch.Generator().manual_seed(5)
    return UnpairedImages(*(torch.rand(count, 3, size, size, generator=generator) * 2 - 1 for _ in range(2)))


def painted_by(method: CycleGAN, photos: torch.Tensor) -> torch.Tensor:
    """Return the paintings of photos in float32."""
    return paint_prompt(method, PhotoPrompt(photos), Draws.for_photos(0, len(photos)), autocast=nullcontext)


def discriminators(method: CycleGAN) -> tuple[nn.Module, nn.Module]:
    """Return D_B, of paintings, and D_A, of photos."""
    return method.painting_adversary.network, method.photo_adversary.network


def weights_of(*networks: nn.Module) -> list[torch.nn.Parameter]:
    return [weight for network in networks for weight in network.parameters()]


def snapshot(*networks: nn.Module) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in weights_of(*networks)]


def same(before: list[torch.Tensor], *networks: nn.Module) -> bool:
    return all(torch.equal(p, q) for p, q in zip(before, weights_of(*networks), strict=True))


@pytest.mark.parametrize("identity_weight", [0.0, 5.0])
def test_a_step_is_the_papers_step_written_plainly(identity_weight: float) -> None:
    """A slow twin: separate passes, losses as in equations 1 to 3, one plain Adam for both discriminators."""
    method, _ = prepared(identity_weight=identity_weight)
    to_painting, to_photo, of_paintings, of_photos = (
        copy.deepcopy(n) for n in (method.to_painting, method.to_photo, *discriminators(method))
    )
    a, b = batch()
    adams = [
        torch.optim.Adam(weights_of(*pair), 2e-4, betas=(0.5, 0.999))
        for pair in ((to_painting, to_photo), (of_paintings, of_photos))
    ]
    fake_b, fake_a = to_painting(a), to_photo(b)
    adversarial = (of_paintings(fake_b) - 1).pow(2).mean() + (of_photos(fake_a) - 1).pow(2).mean()
    cycle = nn.functional.l1_loss(to_photo(fake_b), a) + nn.functional.l1_loss(to_painting(fake_a), b)
    identity = nn.functional.l1_loss(to_painting(b), b) + nn.functional.l1_loss(to_photo(a), a)
    total = adversarial + 10 * cycle + identity_weight * identity
    adams[0].zero_grad()
    total.backward()
    adams[0].step()
    adams[1].zero_grad()
    loss_b = (of_paintings(b) - 1).pow(2).mean() + of_paintings(fake_b.detach()).pow(2).mean()
    loss_a = (of_photos(a) - 1).pow(2).mean() + of_photos(fake_a.detach()).pow(2).mean()
    (loss_b / 2 + loss_a / 2).backward()
    adams[1].step()

    found = method.training_step(UnpairedImages(a, b), Clock(10))
    expected = {"adversarial": adversarial, "cycle": cycle, "total": total}
    for name, value in expected.items():
        assert found[f"generator/{name}"].item() == pytest.approx(value.item(), rel=1e-5)
    assert found["discriminator_paintings/loss"].item() == pytest.approx(loss_b.item(), rel=1e-5)
    assert found["discriminator_photos/loss"].item() == pytest.approx(loss_a.item(), rel=1e-5)
    pairs = [(to_painting, method.to_painting), (to_photo, method.to_photo)]
    pairs += zip((of_paintings, of_photos), discriminators(method), strict=True)
    for theirs, mine in pairs:
        for (name, expected_weight), weight in zip(theirs.named_parameters(), mine.parameters(), strict=True):
            if name.endswith("weight"):
                assert torch.allclose(weight, expected_weight, atol=2e-5), name


def test_each_update_leaves_the_other_side_alone() -> None:
    method, _ = prepared()
    photos, paintings = batch()
    before = snapshot(*discriminators(method))
    _, _, fake_photos = method._update_generators(photos, paintings)
    assert same(before, *discriminators(method))
    assert all(p.grad is None for p in weights_of(*discriminators(method)))
    generators = tuple(method.networks().values())
    before = snapshot(*generators)
    for parameter in weights_of(*generators):
        parameter.grad = None
    method.photo_adversary.learn(photos, fake_photos)
    assert same(before, *generators)
    assert all(p.grad is None for p in weights_of(*generators, method.painting_adversary.network))
    assert all(p.grad is not None for p in weights_of(method.photo_adversary.network))


class Constant(nn.Module):
    """A discriminator that gives all images the same score."""

    def __init__(self, score: float) -> None:
        super().__init__()
        self.score = nn.Parameter(torch.tensor(score))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.score.expand(len(images), 1, 2, 2)


class Perfect(Constant):
    """A discriminator that is right: in a pass, real images come first."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        scores = torch.arange(len(images)) < len(images) // 2
        return scores.float().reshape(-1, 1, 1, 1) + 0 * self.score


@pytest.mark.parametrize(("discriminator", "loss"), [(Constant(0.5), 0.25), (Perfect(0.0), 0.0)])
def test_losses_of_discriminators_on_cases_done_by_hand(discriminator: nn.Module, loss: float) -> None:
    method, _ = prepared()
    method.photo_adversary.network = discriminator
    scalars = method.photo_adversary.learn(*batch())
    assert method.photo_adversary.weight * scalars["discriminator_photos/loss"].item() == pytest.approx(loss)


def test_generators_that_change_nothing_have_no_cycle_or_identity_loss() -> None:
    method, _ = prepared()

    class Same(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(()))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images * self.weight

    method.to_painting, method.to_photo = Same(), Same()  # type: ignore[assignment]
    method.painting_adversary.network = method.photo_adversary.network = Constant(1.0)
    method.generator_optimizer = torch.optim.SGD([method.to_painting.weight, method.to_photo.weight], lr=0.0)  # type: ignore[list-item]
    losses, fake_paintings, _ = method._update_generators(*batch())
    assert losses["generator/cycle"] == losses["generator/identity"] == losses["generator/adversarial"] == 0
    assert torch.equal(fake_paintings, batch().photos)


def test_no_identity_weight_no_identity_passes() -> None:
    method, _ = prepared(identity_weight=0.0)
    seen: list[int] = []
    method.to_painting.register_forward_hook(lambda _, inputs, __: seen.append(len(inputs[0])))
    losses, *_ = method._update_generators(*batch())
    assert losses["generator/identity"] == 0
    assert sum(seen) == 4, "two fakes and two reconstructions"


def test_painting_follows_the_generator() -> None:
    method, _ = prepared()
    image = batch().photos
    painted = painted_by(method, image)
    sheet = paint_sheet(method, PhotoPrompt(image), Draws.for_photos(0, 2), autocast=nullcontext)
    assert list(sheet) == ["photo", "painting", "cycle"]
    with torch.no_grad():
        assert torch.equal(painted, method.to_painting(image.contiguous(memory_format=torch.channels_last)))
        assert torch.equal(sheet["cycle"], method.to_photo(painted))


def test_it_learns_to_brighten() -> None:
    """Real learning in seconds: photos are dark, paintings bright."""
    method, _ = prepared(identity_weight=0.0, learning_rate=2e-3, pool_size=10, blocks=1)
    generator = torch.Generator().manual_seed(1)

    def images(mean: float) -> torch.Tensor:
        coarse = torch.rand(2, 3, 4, 4, generator=generator) * 0.4 + mean - 0.2
        return nn.functional.interpolate(coarse, size=32, mode="bilinear").clamp(-1, 1)

    cycles = [
        float(method.training_step(UnpairedImages(images(-0.6), images(0.6)), Clock(100))["generator/cycle"])
        for _ in range(60)
    ]
    assert painted_by(method, images(-0.6)).mean() > 0.3
    assert sum(cycles[-20:]) < 0.6 * sum(cycles[:20])


def test_discriminators_see_augmented_images_only_and_generators_learn_through_it() -> None:
    method, _ = prepared(augment={"kind": "diffaugment"}, identity_weight=0.0)
    seen: list[torch.Tensor] = []
    for discriminator in discriminators(method):
        discriminator.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].detach()))
    photos, paintings = batch()
    with torch.no_grad():
        plain = [method.to_painting(photos), method.to_photo(paintings), paintings, photos]
    method.training_step(UnpairedImages(photos, paintings), Clock(10))
    assert [len(images) for images in seen] == [2, 2, 4, 4]
    for shown, images in zip(seen, plain, strict=True):
        assert not any(torch.allclose(a, b, atol=0.1) for a, b in zip(shown, images, strict=False))
    assert all(p.grad is not None and p.grad.isfinite().all() for p in method.to_painting.parameters())


def test_adaptive_augmentation_follows_the_scores_of_real_images_of_each_discriminator() -> None:
    method, state = prepared(augment={"kind": "ada", "images_to_full": 40})
    method.painting_adversary.network, method.photo_adversary.network = Constant(0.9), Constant(0.1)
    for _ in range(8):
        scalars = method.training_step(batch(), Clock(10))
    for name, expected in (("discriminator_paintings", 0.4), ("discriminator_photos", 0.0)):
        assert scalars[f"{name}/augment_probability"].item() == pytest.approx(expected)
        assert state.memory[f"{name}_augment"].state_dict()["probability"].item() == pytest.approx(expected)


def test_sizes_its_generators_cannot_halve_twice_are_refused() -> None:
    with pytest.raises(RecipeError, match=r"generators halve images twice; 30 is not a multiple of 4"):
        CycleGAN(CycleGANOptions(), ImageSpec(3, 30))
