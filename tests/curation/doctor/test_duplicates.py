"""Copies are found, similar but different pictures are not."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

from impasto.curation.doctor import duplicates
from impasto.curation.doctor.duplicates import find_groups
from impasto.curation.doctor.examine import Record, _with_pixels
from impasto.data.likeness import same_picture

Paint = Callable[..., Image.Image]


def groups(*pictures: Image.Image) -> list[tuple[int, ...]]:
    """Return the groups of pictures that are all different byte for byte."""
    records = [_with_pixels(Record(digest=str(place)), picture) for place, picture in enumerate(pictures)]
    return [group.members for group in find_groups(records)]


def compressed(picture: Image.Image, quality: int) -> Image.Image:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return Image.open(stream)


def brightened(picture: Image.Image, factor: float = 1.0, shift: float = 0.0) -> Image.Image:
    return Image.fromarray(np.clip(np.asarray(picture) * factor + shift, 0, 255).astype(np.uint8))


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "halved": lambda picture: picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.LANCZOS),
    "doubled": lambda picture: picture.resize((2 * picture.width, 2 * picture.height), Image.Resampling.BICUBIC),
    "squared": lambda picture: picture.resize((100, 100), Image.Resampling.BICUBIC),
    "compressed": lambda picture: compressed(picture, 25),
    "darker": lambda picture: brightened(picture, 0.7),
    "brighter": lambda picture: brightened(picture, 1.2),
    "shifted": lambda picture: brightened(picture, shift=25),
    "grey": lambda picture: picture.convert("L"),
    "all at once": lambda picture: compressed(brightened(picture.resize((90, 70)), 1.1), 40),
}


@pytest.mark.parametrize("change", COPIES)
def test_copies_are_found(change: str, paint: Paint) -> None:
    originals = [paint(seed, 160 + 10 * seed, 150) for seed in range(12)]
    copies = [COPIES[change](picture) for picture in originals]
    assert groups(*originals, *copies) == [(place, place + 12) for place in range(12)]


def test_different_pictures_are_not_duplicates(paint: Paint) -> None:
    assert groups(*[paint(seed) for seed in range(300)]) == []


def test_flat_pictures_and_plain_skies_are_not_duplicates() -> None:
    chance = np.random.default_rng(3)
    flat = [Image.new("RGB", (64, 48), tuple(chance.integers(0, 256, 3).tolist())) for _ in range(20)]
    noisy = [Image.fromarray(np.clip(chance.normal(180, 4, (48, 64)), 0, 255).astype(np.uint8)) for _ in range(20)]
    skies = []
    for _ in range(20):
        top, bottom, tilt = chance.uniform(90, 160), chance.uniform(170, 240), chance.uniform(-20, 20)
        rows, columns = np.linspace(0, 1, 48)[:, None], np.linspace(-0.5, 0.5, 64)[None]
        sky = top + (bottom - top) * rows + tilt * columns + chance.normal(0, 2, (48, 64))
        skies.append(Image.fromarray(np.clip(sky, 0, 255).astype(np.uint8)))
    assert groups(*flat, *noisy, *skies) == []


def test_handwritten_digits_are_not_duplicates() -> None:
    digits = load_digits().images[:1000]
    pictures = [Image.fromarray((digit * 15.9).astype(np.uint8)).resize((28, 28), 2) for digit in digits]
    assert len(groups(*pictures)) <= 1  # of half a million pairs; two hands may draw the same 64 dots


def test_simple_shapes_of_other_tones_are_not_duplicates() -> None:
    """A dark and a red square on white have the same outline but are two pictures."""
    squares = []
    for tone, margin in ((30, 12), (90, 13), (150, 12)):
        pixels = np.full((100, 100), 235, dtype=np.uint8)
        pixels[margin : 100 - margin, margin : 100 - margin] = tone
        pixels[40:60, 45 + tone // 10 : 65 + tone // 10] += 40
        squares.append(Image.fromarray(pixels))
    assert groups(*squares) == []


def test_groups_do_not_depend_on_blocks_or_order(paint: Paint, monkeypatch: pytest.MonkeyPatch) -> None:
    originals = [paint(seed, 140, 110) for seed in range(10)]
    pictures = [*originals, *[brightened(picture, 0.8) for picture in originals[:7]]]
    pictures += [compressed(picture, 50) for picture in originals[2:5]]
    expected = groups(*pictures)
    assert [len(members) for members in expected] == [2, 2, 3, 3, 3, 2, 2]
    monkeypatch.setattr(duplicates, "ROWS", 3)
    monkeypatch.setattr(duplicates, "COLUMNS", 6)
    monkeypatch.setattr(duplicates, "CHECKED", 2)
    assert groups(*pictures) == expected
    backwards = groups(*pictures[::-1])
    turned = sorted(tuple(sorted(len(pictures) - 1 - place for place in members)) for members in backwards)
    assert turned == sorted(expected)


def test_many_frames_of_one_scene_are_one_group_without_comparing_every_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(0)
    scene = chance.integers(20, 235, 256)
    frames = np.clip(scene + chance.integers(-2, 3, (1500, 256)), 0, 255).astype(np.uint8)
    looks = 0

    def counting(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.bool_]:
        nonlocal looks
        looks += len(first)
        return same_picture(first, second)

    monkeypatch.setattr(duplicates, "same_picture", counting)
    records = [Record(digest=str(place), thumbnail=frame.tobytes()) for place, frame in enumerate(frames)]
    assert [len(group.members) for group in find_groups(records)] == [1500]
    assert looks < 1500 * 1499 / 2 / 10


def test_exact_copies_need_no_thumbnail_but_must_have_no_fault() -> None:
    vast, flat = Record(digest="v", width=9), Record(digest="f", thumbnail=bytes(256))
    broken = Record(digest="b", fault="corrupt", says="is broken")
    found = find_groups([vast, flat, broken, vast, broken, flat])
    assert [(group.members, group.exact) for group in found] == [((0, 3), True), ((1, 5), True)]


def test_a_group_can_hold_exact_and_near_copies(paint: Paint) -> None:
    original, darker = (
        _with_pixels(Record(digest=name), picture)
        for name, picture in (("a", paint(1)), ("b", brightened(paint(1), 0.8)))
    )
    other = _with_pixels(Record(digest="c"), paint(2))
    found = find_groups([original, other, darker, original])
    assert [(group.members, group.exact) for group in found] == [((0, 2, 3), False)]


def test_progress_is_told(paint: Paint) -> None:
    told: list[tuple[str, int, int]] = []
    records = [_with_pixels(Record(digest=str(seed)), paint(seed)) for seed in range(3)]
    find_groups(records, lambda *said: told.append(said))
    assert told == [("compared", 3, 3)]
    assert find_groups([]) == []
