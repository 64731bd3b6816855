"""What only CUT promises: that its merged passes compute what the paper and the authors' code say."""

import copy
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import functional as F

from impasto.chance import Draws
from impasto.clock import Clock
from impasto.data.batches import ImageSpec, UnpairedImages
from impasto.data.prompts import PhotoPrompt
from impasto.errors import RecipeError
from impasto.method import TrainingState
from impasto.methods.cut import CUT, CUTOptions
from impasto.networks.patch_projections import PatchProjections
from impasto.networks.resnet_generator import ResNetGenerator
from impasto.painting.paint import paint_prompt, paint_sheet

TINY = [
    "method.width=4",
    "method.blocks=2",
    "method.discriminator_width=4",
    "method.identity_weight=1",
    "method.patches=20",
    "method.underpainting=2",
    "method.noise=0.1",
    "method.tone_weight=1",
    "method.augment={kind: ada, images_to_full: 8}",
    "data.kind=atelier",
    "data.image_size=24",
    "data.resize=40",
]
ALL_PLACES = 32 * 32


def prepared(channels: int = 3, **options: Any) -> tuple[CUT, TrainingState]:
    torch.manual_seed(0)
    sizes = {"width": 8, "blocks": 3, "discriminator_width": 8, "patches": 32}
    method = CUT(CUTOptions(**{**sizes, **options}), ImageSpec(channels, 32))
    return method, method.prepare(Fabric(accelerator="cpu", devices=1))


def batch(count: int = 2, channels: int = 3) -> UnpairedImages:
    generator = torch.Generator().manual_seed(5)
    return UnpairedImages(*(torch.rand(count, channels, 32, 32, generator=generator) * 2 - 1 for _ in range(2)))


def painted_by(method: CUT, photos: Tensor, seed: int = 0) -> Tensor:
    """Return the paintings of photos in float32."""
    return paint_prompt(method, PhotoPrompt(photos), Draws.for_photos(seed, len(photos)), autocast=nullcontext)


def plain_contrast(
    generator: ResNetGenerator, projections: PatchProjections, source: Tensor, painted: Tensor, finest: int
) -> Tensor:
    """Each image and depth by itself: both encoded again, all places compared, the positive before the negatives."""
    losses = []
    for own, other in zip(source, painted, strict=True):
        depths = [generator.encode(images[None])[finest:] for images in (own, other)]
        for project, key, query in zip(projections.depths, *depths, strict=True):
            keys, queries = (F.normalize(project(f[0].flatten(1).T), dim=1) for f in (key.detach(), query))
            similarities = queries @ keys.detach().T
            negatives = similarities.masked_fill(torch.eye(len(keys), dtype=torch.bool), -10.0)
            logits = torch.cat([similarities.diagonal()[:, None], negatives], 1) / 0.07
            losses.append(F.cross_entropy(logits, torch.zeros(len(keys), dtype=torch.int64)))
    return torch.stack(losses).mean()


@pytest.mark.parametrize(
    ("contrast_weight", "identity_weight", "finest", "tone_weight"),
    [(1.0, 1.0, 0, 0.0), (10.0, 0.0, 0, 0.0), (1.0, 1.0, 2, 0.0), (1.0, 0.0, 2, 5.0)],
)
def test_a_step_is_the_papers_step_written_plainly(
    contrast_weight: float, identity_weight: float, finest: int, tone_weight: float
) -> None:
    """A slow twin: separate passes, three plain Adams, equation 5. Ours has the memory format that the engine gives it."""
    options = {"contrast_weight": contrast_weight, "identity_weight": identity_weight, "contrast_from": finest}
    options["tone_weight"] = tone_weight
    method, _ = prepared(**options, patches=ALL_PLACES)
    assert len(method.projections.depths) == 5 - finest
    generator, projections, discriminator = (
        copy.deepcopy(n) for n in (method.to_painting, method.projections, method.adversary.network)
    )
    adams = [
        torch.optim.Adam(n.parameters(), 2e-4, betas=(0.5, 0.999)) for n in (generator, projections, discriminator)
    ]
    photos, paintings = batch()
    fakes = generator(photos)
    of_real, of_fake = discriminator(paintings), discriminator(fakes.detach())
    learned = (of_real - 1).pow(2).mean() + of_fake.pow(2).mean()
    accuracy = ((of_real > 0.5).float().mean() + (of_fake < 0.5).float().mean()) / 2
    learned.backward()
    adams[2].step()
    adversarial = (discriminator(fakes) - 1).pow(2).mean()
    contrast = plain_contrast(generator, projections, photos, fakes, finest)
    identity = plain_contrast(generator, projections, paintings, generator(paintings), finest)
    tones = torch.stack(
        [  # each square by itself; they overlap by half
            (fakes - photos)[:, :, y : y + 16, x : x + 16].mean((2, 3)).abs() for y in (0, 8, 16) for x in (0, 8, 16)
        ]
    ).mean()
    total = adversarial + contrast_weight * contrast + identity_weight * identity + tone_weight * tones
    total.backward()
    adams[0].step()
    adams[1].step()

    for network in (method.to_painting, method.projections, method.adversary.network):
        network.to(memory_format=torch.channels_last)
    laid_out = (images.contiguous(memory_format=torch.channels_last) for images in (photos, paintings))
    found = method.training_step(UnpairedImages(*laid_out), Clock(10))
    expected = {"adversarial": adversarial, "contrast": contrast, "identity": identity, "tones": tones, "total": total}
    for name, value in expected.items():
        if name != "identity" or identity_weight > 0:
            assert found[f"generator/{name}"].item() == pytest.approx(value.item(), rel=1e-5), name
    assert found["discriminator/loss"].item() == pytest.approx(learned.item(), rel=1e-5)
    assert found["discriminator/accuracy"].item() == pytest.approx(accuracy.item())
    pairs = [(generator, method.to_painting), (projections, method.projections)]
    pairs.append((discriminator, method.adversary.network))
    for theirs, ours in pairs:
        for (name, weight), mine in zip(theirs.named_parameters(), ours.parameters(), strict=True):
            if name.endswith("weight"):  # Adam's first step is a gradient's sign, and rounding turns small ones
                assert (mine - weight).abs().mean() < 0.005 * method.options.learning_rate, name


def snapshot(*networks: nn.Module) -> list[Tensor]:
    return [p.detach().clone() for n in networks for p in n.parameters()]


def same(before: list[Tensor], *networks: nn.Module) -> bool:
    return all(torch.equal(p, q) for p, q in zip(before, snapshot(*networks), strict=True))


def test_each_update_leaves_the_other_side_alone() -> None:
    method, _ = prepared()
    photos, paintings = batch()
    mine, discriminator = (method.to_painting, method.projections), method.adversary.network
    before = snapshot(discriminator)
    features = method.to_painting.encode(torch.cat([photos, paintings]))
    painted = method.to_painting.decode(features)
    method._update_generator(photos, features, painted)
    assert same(before, discriminator)
    assert all(p.grad is None and p.requires_grad for p in discriminator.parameters())
    before = snapshot(*mine)
    for parameter in (p for n in mine for p in n.parameters()):
        parameter.grad = None
    method.adversary.learn(paintings, painted[:2])
    assert same(before, *mine)
    assert all(p.grad is None for n in mine for p in n.parameters())
    assert all(p.grad is not None for p in discriminator.parameters())


@pytest.mark.parametrize(("identity_weight", "passes"), [(1.0, [4, 4]), (0.0, [2, 2])])
def test_photos_are_encoded_once_and_paintings_only_for_the_identity_term(
    identity_weight: float, passes: list[int]
) -> None:
    method, _ = prepared(identity_weight=identity_weight)
    seen: list[int] = []
    method.to_painting.stem.register_forward_hook(lambda _, inputs, __: seen.append(len(inputs[0])))
    scalars = method.training_step(batch(), Clock(10))
    assert seen == passes
    assert (scalars["generator/identity"] > 0) == (identity_weight > 0)


def test_a_painting_that_is_its_photo_is_recognised_patch_by_patch() -> None:
    method, _ = prepared()
    photos, _ = batch()
    with torch.no_grad():
        features = method.to_painting.encode(photos)
        kept, none = method._contrasts(features, photos, 2)
        lost, _ = method._contrasts(features, photos.flip(0), 2)
    assert kept < lost
    assert none == 0


def test_painting_follows_the_generator() -> None:
    method, _ = prepared()
    photos = batch().photos
    painted = painted_by(method, photos)
    sheet = paint_sheet(method, PhotoPrompt(photos), Draws.for_photos(0, 2), autocast=nullcontext)
    with torch.no_grad():
        assert torch.equal(painted, method.to_painting(photos.contiguous(memory_format=torch.channels_last)))
    assert list(sheet) == ["photo", "painting"]
    assert torch.equal(sheet["painting"], painted)


def test_it_learns_to_brighten_and_keeps_the_composition() -> None:
    """Real learning in seconds: photos are dark, paintings bright. Dark places stay the darker ones."""
    method, _ = prepared(identity_weight=0.0, learning_rate=2e-3, blocks=1)
    generator = torch.Generator().manual_seed(1)

    def images(mean: float) -> Tensor:
        coarse = torch.rand(2, 3, 4, 4, generator=generator) * 0.4 + mean - 0.2
        return F.interpolate(coarse, size=32, mode="bilinear").clamp(-1, 1)

    def step() -> float:
        return float(method.training_step(UnpairedImages(images(-0.6), images(0.6)), Clock(100))["generator/contrast"])

    contrasts = [step() for _ in range(40)]
    assert painted_by(method, images(-0.6)).mean() > 0.2
    assert sum(contrasts[-10:]) < 0.8 * sum(contrasts[:10])


def test_the_discriminator_sees_augmented_images_only_and_the_generator_learns_through_it() -> None:
    method, _ = prepared(augment={"kind": "diffaugment"})
    seen: list[Tensor] = []
    method.adversary.network.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].detach()))
    photos, paintings = batch()
    with torch.no_grad():
        fakes = method.to_painting(photos)
    method.training_step(UnpairedImages(photos, paintings), Clock(10))
    plain = [torch.cat([paintings, fakes]), fakes]
    assert [len(images) for images in seen] == [4, 2]
    for shown, images in zip(seen, plain, strict=True):
        assert not any(torch.allclose(a, b, atol=0.1) for a, b in zip(shown, images, strict=True))
    assert all(p.grad is not None and p.grad.isfinite().all() for p in method.to_painting.parameters())


class Constant(nn.Module):
    """A discriminator that gives all images the same score."""

    def __init__(self, score: float) -> None:
        super().__init__()
        self.score = nn.Parameter(torch.tensor(score))

    def forward(self, images: Tensor) -> Tensor:
        return self.score.expand(len(images), 1, 2, 2)


@pytest.mark.parametrize(("score", "expected"), [(0.9, 0.4), (0.1, 0.0)])
def test_adaptive_augmentation_follows_the_scores_of_real_images(score: float, expected: float) -> None:
    method, state = prepared(augment={"kind": "ada", "images_to_full": 40})
    method.adversary.network = Constant(score)
    for _ in range(8):
        scalars = method.training_step(batch(), Clock(10))
    assert scalars["discriminator/augment_probability"].item() == pytest.approx(expected)
    assert state.memory["discriminator_augment"].state_dict()["probability"].item() == pytest.approx(expected)


def test_grey_pictures_are_painted_too() -> None:
    method, _ = prepared(channels=1, upsampling="resized")
    scalars = method.training_step(batch(channels=1), Clock(10))
    assert all(value.isfinite() for value in scalars.values())
    assert painted_by(method, batch(channels=1).photos).shape == (2, 1, 32, 32)


def test_has_the_papers_number_of_weights() -> None:
    """As the authors' code prints: 11.378 M, 0.560 M and 2.765 M."""
    method = CUT(CUTOptions(), ImageSpec(3, 256))
    method.prepare(Fabric(accelerator="cpu", devices=1))
    networks = (method.to_painting, method.projections, method.adversary.network)
    counts = [sum(w.numel() for w in n.parameters()) for n in networks]
    assert counts == [11_378_179, 560_384, 2_764_737]


@pytest.mark.parametrize(("size", "why"), [(20, "need 24 pixels, not 20"), (30, "30 is not a multiple of 4")])
def test_sizes_its_networks_cannot_take_are_refused(size: int, why: str) -> None:
    with pytest.raises(RecipeError, match=rf"data.image_size: cut's .*{why}"):
        CUT(CUTOptions(), ImageSpec(3, size))


def test_a_photo_is_painted_alike_twice_and_differently_with_another_seed() -> None:
    method, _ = prepared(underpainting=3, noise=0.2)
    photo = torch.zeros(1, 3, 32, 32)
    first, again, other = (painted_by(method, photo, seed) for seed in (1, 1, 2))
    assert first.equal(again)
    assert (first - other).abs().mean() > 0.01


def test_noise_without_dabs_to_break_is_refused() -> None:
    with pytest.raises(ValueError, match=r"set method\.underpainting=6 or method\.noise=0"):
        CUTOptions(noise=0.1)
