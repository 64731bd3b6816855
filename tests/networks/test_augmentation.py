"""What a discriminator sees: laws in closed form, the published code's corner cases, and that nothing else changes."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from impasto.networks import augmentation
from impasto.networks.augmentation import Augmentation, AugmentOptions, cut_out, jittered, moved, recoloured, shifted

ALWAYS = torch.ones(())
NEVER = torch.zeros(())


def images(count: int = 6, channels: int = 3, size: int = 16, dtype: torch.dtype = torch.float32) -> Tensor:
    chance = torch.Generator().manual_seed(7)
    return torch.rand(count, channels, size, size, generator=chance, dtype=dtype) * 2 - 1


def ada(probability: float, **options: Any) -> Augmentation:
    made = Augmentation(AugmentOptions(kind="ada", **options))
    made.load_state_dict({**made.state_dict(), "probability": torch.tensor(probability)})
    return made


def made(kind: str) -> Augmentation:
    return ada(0.8) if kind == "ada" else Augmentation(AugmentOptions(kind="diffaugment"))


def test_none_returns_the_images_themselves() -> None:
    shown = images()
    augment = Augmentation(AugmentOptions())
    assert augment(shown) is shown
    assert augment.scalars() == {}


@pytest.mark.parametrize("channels", [1, 3])
def test_at_probability_zero_not_a_bit_changes(channels: int) -> None:
    assert torch.equal(ada(0.0)(images(channels=channels)), images(channels=channels))


@pytest.mark.parametrize("kind", ["diffaugment", "ada"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_shape_and_type_stay_and_chance_is_torchs(kind: str, channels: int, dtype: torch.dtype) -> None:
    shown = images(channels=channels, dtype=torch.float32).to(dtype)
    results = []
    with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
        for seed in (1, 1, 2):
            torch.manual_seed(seed)
            results.append(made(kind)(shown))
    assert results[0].shape == shown.shape
    assert results[0].dtype == dtype
    assert torch.isfinite(results[0]).all()
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


def test_autocast_does_not_make_it_coarse() -> None:
    torch.manual_seed(3)
    plain = ada(0.8)(images())
    torch.manual_seed(3)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(ada(0.8)(images()), plain)


@pytest.mark.parametrize("kind", ["diffaugment", "ada"])
def test_images_are_altered_each_in_its_own_way(kind: str) -> None:
    torch.manual_seed(0)
    altered = made(kind)(images(1).expand(8, -1, -1, -1))
    distances = torch.cdist(altered.flatten(1), altered.flatten(1))
    assert (distances[~torch.eye(8, dtype=torch.bool)] > 0.1).all()


@pytest.mark.parametrize("kind", ["diffaugment", "ada"])
@pytest.mark.parametrize("channels", [1, 3])
def test_gradients_are_the_slopes(kind: str, channels: int) -> None:
    def altered(shown: Tensor) -> Tensor:
        torch.manual_seed(4)
        return made(kind)(shown)

    shown = images(2, channels, 5, torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(altered, shown)


# DiffAugment


def test_brightness_saturation_and_contrast_have_the_published_laws() -> None:
    """Of a two-coloured image all three can be read off again, whatever was drawn."""
    torch.manual_seed(0)
    count = 4000
    left, right = torch.tensor([0.6, -0.2, 0.2]), torch.tensor([-0.1, 0.1, -0.9])
    shown = torch.stack([left, right], 1)[None, :, None, :].expand(count, 3, 1, 2)
    altered = jittered(shown)
    brightness = altered.mean((1, 2, 3)) - shown.mean((1, 2, 3))
    grey = altered.mean(1)[:, 0]
    contrast = (grey[:, 0] - grey[:, 1]) / (left.mean() - right.mean())
    saturation = (altered[:, 0, 0, 0] - grey[:, 0]) / (left[0] - left.mean()) / contrast
    for found, low, high in ((brightness, -0.5, 0.5), (contrast, 0.5, 1.5), (saturation, 0.0, 2.0)):
        width = high - low
        assert found.min() >= low - 1e-4
        assert found.max() <= high + 1e-4
        assert found.mean().item() == pytest.approx((low + high) / 2, abs=0.03 * width)
        assert found.var().item() == pytest.approx(width**2 / 12, rel=0.08)
    assert torch.corrcoef(torch.stack([brightness, contrast, saturation])).triu(1).abs().max() < 0.06


def test_saturation_leaves_grey_alone() -> None:
    torch.manual_seed(0)
    grey = images(channels=1)
    altered = jittered(grey)
    factor = (altered - altered.mean((1, 2, 3), keepdim=True)) / (grey - grey.mean((1, 2, 3), keepdim=True))
    assert torch.allclose(factor, factor[:, :, :1, :1], atol=1e-3)


@pytest.mark.parametrize("size", [8, 28, 33])
def test_translation_is_by_whole_pixels_up_to_an_eighth_and_zeros_come_in(size: int) -> None:
    torch.manual_seed(0)
    shown = torch.arange(1.0, size * size + 1).view(1, 1, size, size).expand(400, 1, size, size)
    moves = []
    for altered in shifted(shown)[:, 0]:
        places = {int(value) - 1: place for place, value in enumerate(altered.flatten().tolist()) if value}
        (move,) = {(new // size - old // size, new % size - old % size) for old, new in places.items()}
        assert len(places) == (size - abs(move[0])) * (size - abs(move[1]))
        moves.append(move)
    far = size // 8
    for axis in range(2):
        assert {move[axis] for move in moves} == set(range(-far, far + 1))


@pytest.mark.parametrize("size", [8, 9, 28])
def test_cutout_is_a_square_of_half_the_size_centred_anywhere(size: int) -> None:
    torch.manual_seed(0)
    altered = cut_out(torch.ones(600, 2, size, size))
    assert torch.equal(altered[:, 0], altered[:, 1])
    holes = altered[:, 0] == 0
    heights, widths = holes.any(2).sum(1), holes.any(1).sum(1)
    assert torch.equal(holes.sum((1, 2)), heights * widths), "a rectangle"
    assert heights.max() == widths.max() == size // 2
    assert heights.min() == widths.min() == size // 2 // 2, "half of it is cut off where its centre is on the border"
    rate, centres = holes.float().mean(0), size + 1 - size // 2 % 2
    assert rate[size // 2, size // 2].item() == pytest.approx((size // 2 / centres) ** 2, abs=0.05)
    assert min(rate[0, 0], rate[0, -1], rate[-1, 0], rate[-1, -1]) > 0


def test_policies_are_applied_in_their_order() -> None:
    torch.manual_seed(5)
    found = Augmentation(AugmentOptions(kind="diffaugment", policies=("cutout", "colour")))(images())
    torch.manual_seed(5)
    assert torch.equal(found, jittered(cut_out(images())))
    assert set(augmentation.POLICIES) == {"colour", "translation", "cutout"}


# ADA


def test_blitting_and_geometry_move_places_by_the_published_laws() -> None:
    """Of the affine map, all draws together have moments that can be computed by hand."""
    torch.manual_seed(0)
    count, size = 20_000, 64
    like = torch.zeros(count, dtype=torch.float64)
    places = augmentation._places(augmentation._Chance(like, ALWAYS), size)
    assert torch.equal(places[:, 2], torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64).expand(count, 3))
    logs = torch.linalg.det(places[:, :2, :2]).abs().log2()
    assert logs.mean().item() == pytest.approx(0, abs=0.01)
    assert logs.std().item() == pytest.approx(2 * 0.2, rel=0.03), "isotropic scaling; stretching keeps the area"
    singular = torch.linalg.svdvals(places[:, :2, :2])
    stretch = (singular[:, 0] / singular[:, 1]).log2() / 2
    assert stretch.mean().item() == pytest.approx(0.2 * math.sqrt(2 / math.pi), rel=0.03), "half a normal law"
    mirrored = torch.linalg.det(places[:, :2, :2]) < 0
    assert mirrored.double().mean().item() == pytest.approx(0.5, abs=0.015)
    turned = torch.atan2(places[:, 1, 0], places[:, 0, 0])
    assert (torch.histc(turned, 8, -math.pi, math.pi) / count).sub(1 / 8).abs().max() < 0.01


def test_each_alteration_comes_with_the_probability() -> None:
    """An image stays as it is where none of seven coins, one of them for two rotations, falls."""
    torch.manual_seed(0)
    probability, count = torch.tensor(0.2), 20_000
    chance = augmentation._Chance(torch.zeros(count), probability)
    stays = (augmentation._places(chance, 16) == torch.eye(3)).all(2).all(1).float().mean().item()
    mirror, quarter, shift, others = 1 - 0.2 / 2, 1 - 0.2 * 3 / 4, 1 - 0.2 * (1 - 1 / 25), 0.8**4
    assert stays == pytest.approx(mirror * quarter * shift * others, abs=0.01)


def test_whole_pixel_moves_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mirroring, quarter turns and whole shifts rearrange pixels; the border is reflected."""
    shown = images(1, size=6)
    quarter = augmentation._quarter_turn(torch.tensor([1.0]))
    mirror = augmentation._scaling(-torch.ones(1), torch.ones(1))
    shift = augmentation._translation(torch.tensor([2 * 2 / 6]), torch.zeros(1))
    expected = {
        "quarter": (quarter, shown.rot90(1, (2, 3))),
        "mirror": (mirror, shown.flip(3)),
        "shift": (shift, torch.cat([shown[..., 2:], shown[..., -2:].flip(3)], 3)),
    }
    for places, result in expected.values():
        monkeypatch.setattr(augmentation, "_places", lambda chance, size, places=places: places)
        assert torch.allclose(moved(shown, ALWAYS), result, atol=1e-5)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_quarter_turns_are_rotations(quarters: int) -> None:
    angle = torch.tensor([quarters * math.pi / 2])
    found = augmentation._quarter_turn(torch.tensor([float(quarters)]))
    assert torch.allclose(found, augmentation._rotation(torch.cos(angle), torch.sin(angle)), atol=1e-6)


def test_one_colour_matrix_is_the_published_matrices_multiplied() -> None:
    """The slow twin: brightness, contrast, Householder's reflection, a rotation about the luma axis, saturation."""
    luma = torch.full((3,), 1 / math.sqrt(3), dtype=torch.float64)
    along, one = torch.outer(luma, luma), torch.eye(3, dtype=torch.float64)
    contrast, flip, hue, saturation = 1.3, -1.0, 0.7, 1.8
    reflection = one - 2 * along
    cross = torch.linalg.cross(one, luma.expand(3, 3), dim=1)  # rows e_i x luma: the matrix of luma x .
    rotation = torch.matrix_exp(hue * cross)
    expected = (along + (one - along) * saturation) @ rotation @ reflection @ (contrast * one)
    tensors = [torch.tensor([value], dtype=torch.float64) for value in (contrast * flip, contrast * saturation, hue)]
    (found,) = augmentation._colour_matrices(*tensors)
    assert torch.allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("channels", [1, 3])
def test_brightness_contrast_and_luma_flip_have_the_published_laws(channels: int) -> None:
    """Two greys tell the factor and the shift of each image; hue and saturation leave them grey."""
    torch.manual_seed(0)
    count = 20_000
    shown = torch.tensor([-0.5, 0.5]).expand(count, channels, 1, 2)
    altered = recoloured(shown, ALWAYS)
    assert torch.allclose(altered, altered[:, :1].expand_as(altered), atol=1e-4)
    factor = altered[:, 0, 0, 1] - altered[:, 0, 0, 0]
    assert (factor < 0).float().mean().item() == pytest.approx(0.5, abs=0.015)
    logs = factor.abs().log2()
    assert logs.mean().item() == pytest.approx(0, abs=0.02)
    assert logs.std().item() == pytest.approx(0.5, rel=0.03)
    brightness = altered[:, 0, 0].mean(1) / factor
    assert brightness.mean().item() == pytest.approx(0, abs=0.01)
    assert brightness.std().item() == pytest.approx(0.2, rel=0.03)


def test_hue_and_saturation_turn_and_stretch_the_colour() -> None:
    torch.manual_seed(0)
    count = 20_000
    shown = torch.tensor([0.6, -0.6, 0.0])[None, :, None, None].expand(count, 3, 1, 1)
    altered = recoloured(shown, ALWAYS)[:, :, 0, 0]
    colour = altered - altered.mean(1, keepdim=True)
    logs = (colour.norm(dim=1) / shown[0].norm()).log2()
    assert logs.std().item() == pytest.approx(math.hypot(0.5, 1.0), rel=0.03), "contrast and saturation"
    angles = torch.atan2(
        colour @ torch.tensor([1.0, 1.0, -2.0]) / 6**0.5, colour @ torch.tensor([1.0, -1.0, 0.0]) / 2**0.5
    )
    assert (torch.histc(angles, 8, -math.pi, math.pi) / count).sub(1 / 8).abs().max() < 0.01


# The controller


def probability(augment: Augmentation) -> float:
    return float(augment.state_dict()["probability"])


def steps(augment: Augmentation, sign: float, batches: int) -> list[float]:
    found = []
    for _ in range(batches):
        augment.observe(torch.tensor(sign), 10)
        found.append(probability(augment))
    return found


def test_the_probability_moves_every_four_batches_towards_the_target() -> None:
    augment = ada(0.0, images_to_full=400)
    assert steps(augment, 0.9, 8) == pytest.approx([0, 0, 0, 0.1, 0.1, 0.1, 0.1, 0.2])
    assert steps(augment, 0.59, 4)[-1] == pytest.approx(0.1)
    assert steps(augment, -1.0, 8)[-1] == 0.0
    assert steps(augment, 1.0, 400)[-1] == pytest.approx(0.8), "no further than alterations leak"
    assert list(augment.scalars()) == ["discriminator/augment_probability"]
    assert list(augment.scalars("critic")) == ["critic/augment_probability"]


def test_signs_are_averaged_over_the_four_batches() -> None:
    augment = ada(0.4, images_to_full=400)
    for sign in (1.0, 1.0, 1.0, -0.9):
        augment.observe(torch.tensor(sign), 10)
    assert probability(augment) == pytest.approx(0.3), "their mean, 0.525, is below the target"


def test_other_kinds_have_nothing_to_adapt() -> None:
    augment = Augmentation(AugmentOptions(kind="diffaugment"))
    assert steps(augment, 1.0, 8) == [0.0] * 8


def test_what_was_seen_is_saved() -> None:
    whole = ada(0.0, images_to_full=400)
    steps(whole, 0.9, 6)
    resumed = Augmentation(AugmentOptions(kind="ada", images_to_full=400))
    resumed.load_state_dict(whole.state_dict())
    assert steps(resumed, 0.2, 6) == steps(whole, 0.2, 6)


def test_overfitting_a_toy_discriminator_raises_it_and_it_settles() -> None:
    """Augmentation makes reals harder to tell: the verdict falls as the probability rises, and meets the target."""
    augment = ada(0.0, images_to_full=2000)
    for _ in range(600):
        augment.observe(torch.tensor(1.0 - probability(augment)), 10)
    assert probability(augment) == pytest.approx(0.4, abs=0.03)
