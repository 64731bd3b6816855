"""What only CycleGAN promises: spec 03, checks 3, 8, 11, and that merged passes compute what the paper says."""

import copy
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from impasto.clock import Clock
from impasto.data.batches import Images, ImageSpec, UnpairedImages
from impasto.errors import RecipeError
from impasto.method import TrainingState
from impasto.methods.cyclegan import CycleGAN, CycleGANOptions


def prepared(**options: Any) -> tuple[CycleGAN, TrainingState]:
    torch.manual_seed(0)
    sizes = {"width": 8, "blocks": 2, "discriminator_width": 8, "pool_size": 0}
    method = CycleGAN(CycleGANOptions(**{**sizes, **options}), ImageSpec(3, 32))
    return method, method.prepare(Fabric(accelerator="cpu", devices=1))


def batch(count: int = 2, size: int = 32) -> UnpairedImages:
    generator = torch.Generator().manual_seed(5)
    return UnpairedImages(*(torch.rand(count, 3, size, size, generator=generator) * 2 - 1 for _ in range(2)))


@pytest.mark.parametrize("identity_weight", [0.0, 5.0])
def test_a_step_is_the_papers_step_written_plainly(identity_weight: float) -> None:
    """A slow twin: separate passes, two plain Adams, losses as in equations 1 to 3."""
    method, _ = prepared(identity_weight=identity_weight)
    to_painting, to_photo, judge_paintings, judge_photos = (
        copy.deepcopy(n) for n in (method.to_painting, method.to_photo, method.judge_paintings, method.judge_photos)
    )
    a, b = batch()
    generators = torch.optim.Adam([*to_painting.parameters(), *to_photo.parameters()], 2e-4, betas=(0.5, 0.999))
    judges = torch.optim.Adam([*judge_paintings.parameters(), *judge_photos.parameters()], 2e-4, betas=(0.5, 0.999))
    fake_b, fake_a = to_painting(a), to_photo(b)
    adversarial = (judge_paintings(fake_b) - 1).pow(2).mean() + (judge_photos(fake_a) - 1).pow(2).mean()
    cycle = nn.functional.l1_loss(to_photo(fake_b), a) + nn.functional.l1_loss(to_painting(fake_a), b)
    identity = nn.functional.l1_loss(to_painting(b), b) + nn.functional.l1_loss(to_photo(a), a)
    total = adversarial + 10 * cycle + identity_weight * identity
    generators.zero_grad()
    total.backward()
    generators.step()
    judges.zero_grad()
    loss_b = (judge_paintings(b) - 1).pow(2).mean() + judge_paintings(fake_b.detach()).pow(2).mean()
    loss_a = (judge_photos(a) - 1).pow(2).mean() + judge_photos(fake_a.detach()).pow(2).mean()
    (loss_b / 2 + loss_a / 2).backward()
    judges.step()

    found = method.training_step(UnpairedImages(a, b), Clock(10))
    expected = {"adversarial": adversarial, "cycle": cycle, "total": total}
    for name, value in expected.items():
        assert found[f"generator/{name}"].item() == pytest.approx(value.item(), rel=1e-5)
    assert found["discriminator/paintings"].item() == pytest.approx(loss_b.item(), rel=1e-5)
    assert found["discriminator/photos"].item() == pytest.approx(loss_a.item(), rel=1e-5)
    pairs = [(to_painting, method.to_painting), (to_photo, method.to_photo)]
    pairs += [(judge_paintings, method.judge_paintings), (judge_photos, method.judge_photos)]
    for theirs, mine in pairs:
        for (name, expected_weight), weight in zip(theirs.named_parameters(), mine.parameters(), strict=True):
            if name.endswith("weight"):
                assert torch.allclose(weight, expected_weight, atol=2e-5), name


def test_each_update_leaves_the_other_side_alone() -> None:
    method, _ = prepared()
    judges = [p.clone() for n in method.judges().values() for p in n.parameters()]
    method._update_generators(*batch())
    assert all(
        torch.equal(p, q)
        for p, q in zip(judges, [p for n in method.judges().values() for p in n.parameters()], strict=True)
    )
    assert all(p.grad is None for n in method.judges().values() for p in n.parameters())
    generators = [p.clone() for n in method.networks().values() for p in n.parameters()]
    for parameter in (p for n in method.networks().values() for p in n.parameters()):
        parameter.grad = None
    loss, _ = method._judge_loss(method.judge_photos, batch().photos, batch().paintings)
    method.descend(loss, method.judge_optimizer)
    assert all(
        torch.equal(p, q)
        for p, q in zip(generators, [p for n in method.networks().values() for p in n.parameters()], strict=True)
    )
    assert all(p.grad is None for n in method.networks().values() for p in n.parameters())


class Constant(nn.Module):
    """A judge that says the same of everything."""

    def __init__(self, verdict: float) -> None:
        super().__init__()
        self.verdict = nn.Parameter(torch.tensor(verdict))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.verdict.expand(len(images), 1, 2, 2)


def test_judges_losses_on_cases_done_by_hand() -> None:
    method, _ = prepared()
    photos, paintings = batch()
    assert method._judge_loss(Constant(0.5), photos, paintings)[0].item() * 0.5 == pytest.approx(0.25)

    class Perfect(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.tensor([1.0, 1.0, 0.0, 0.0]).reshape(4, 1, 1, 1)

    assert method._judge_loss(Perfect(), photos, paintings)[0].item() == 0.0


def test_generators_that_change_nothing_have_no_cycle_or_identity_loss() -> None:
    method, _ = prepared()

    class Same(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(()))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images * self.weight

    method.to_painting, method.to_photo = Same(), Same()  # type: ignore[assignment]
    method.judge_paintings = method.judge_photos = Constant(1.0)  # type: ignore[assignment]
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
    with torch.no_grad():
        painted = method.paint(Images(image), torch.Generator())
        assert torch.equal(painted, method.to_painting(image))
        sheet = method.sheet(Images(image), torch.Generator())
    assert list(sheet) == ["painting", "cycle"]
    assert torch.equal(sheet["cycle"], method.to_photo(painted))


def test_it_learns_to_invert_colours() -> None:
    """Real learning in seconds: photos are dark, paintings bright; the painter must brighten."""
    torch.manual_seed(0)
    method, _ = prepared(identity_weight=0.0, learning_rate=2e-3, pool_size=10)
    generator = torch.Generator().manual_seed(1)

    def images(mean: float) -> torch.Tensor:
        coarse = torch.rand(2, 3, 4, 4, generator=generator) * 0.4 + mean - 0.2
        return nn.functional.interpolate(coarse, size=32, mode="bilinear").clamp(-1, 1)

    def brightness() -> float:
        with torch.no_grad():
            return float(method.paint(Images(images(-0.6)), torch.Generator()).mean())

    cycles = [
        float(method.training_step(UnpairedImages(images(-0.6), images(0.6)), Clock(100))["generator/cycle"])
        for _ in range(150)
    ]
    assert brightness() > 0.3
    assert sum(cycles[-20:]) < 0.6 * sum(cycles[:20])


def test_judges_see_altered_images_only_and_generators_learn_through_it() -> None:
    method, _ = prepared(augment={"kind": "diffaugment"}, identity_weight=0.0)
    seen: list[torch.Tensor] = []
    for judge in method.judges().values():
        judge.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].detach()))
    photos, paintings = batch()
    with torch.no_grad():
        plain = [method.to_painting(photos), method.to_photo(paintings), paintings, photos]
    method.training_step(UnpairedImages(photos, paintings), Clock(10))
    assert [len(images) for images in seen] == [2, 2, 4, 4]
    for shown, images in zip(seen, plain, strict=True):
        assert not any(torch.allclose(a, b, atol=0.1) for a, b in zip(shown, images, strict=False))
    assert all(p.grad is not None and p.grad.isfinite().all() for p in method.to_painting.parameters())


@pytest.mark.parametrize(("verdict", "expected"), [(0.9, 0.4), (0.1, 0.0)])
def test_adaptive_augmentation_follows_the_judges_verdicts_on_real_images(verdict: float, expected: float) -> None:
    method, state = prepared(augment={"kind": "ada", "images_to_full": 40})
    method.judge_paintings = method.judge_photos = Constant(verdict)  # type: ignore[assignment]
    for _ in range(8):
        scalars = method.training_step(batch(), Clock(10))
    assert scalars["discriminator/augment_probability"].item() == pytest.approx(expected)
    assert state.memory["augment"].state_dict()["probability"].item() == pytest.approx(expected)


def test_sizes_its_generators_cannot_halve_twice_are_refused() -> None:
    with pytest.raises(RecipeError, match=r"generators halve images twice; 30 is not a multiple of 4"):
        CycleGAN(CycleGANOptions(), ImageSpec(3, 30))
