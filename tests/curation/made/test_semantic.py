"""Semantic maps: few colours, each the mean of its pixels, the same for the same seed."""

from typing import Literal

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.cluster import KMeans

from impasto.curation.made.semantic import Semantic, as_codes, as_colours, blurred, k_means, nearest, semantic_map
from impasto.data.renderers.canvas import Picture
from tests.conftest import picture


@pytest.fixture
def painting() -> Picture:
    """A picture of many colours, [60, 80, 3]."""
    return np.asarray(picture(5, 80, 60))


def colours_of(pixels: Picture) -> Picture:
    return np.unique(pixels.reshape(-1, 3), axis=0)


@pytest.mark.parametrize("blur", ["before", "after", "none"])
@pytest.mark.parametrize("quantiser", ["k-means", "pillow"])
@pytest.mark.parametrize("colours", [2, 4, 9])
def test_a_map_has_few_colours(
    painting: Picture,
    blur: Literal["before", "after", "none"],
    quantiser: Literal["k-means", "pillow"],
    colours: int,
) -> None:
    made = semantic_map(painting, Semantic(blur=blur, quantiser=quantiser, colours=colours), 0)
    assert 1 < len(colours_of(made)) <= colours


def test_the_order_in_the_paper_makes_many_colours(painting: Picture) -> None:
    made = semantic_map(painting, Semantic(blur="after-raw"), 0)
    assert len(colours_of(made)) > 4
    assert np.array_equal(made, blurred(semantic_map(painting, Semantic(blur="none"), 0), 4.0))


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_picture_of_few_colours_stays_unchanged(count: int) -> None:
    rng = np.random.default_rng(count)
    few = rng.integers(0, 256, (count, 3), dtype=np.uint8)[rng.integers(count, size=(20, 30))]
    assert np.array_equal(semantic_map(few, Semantic(blur="none"), 0), few)


def test_reducing_twice_changes_nothing(painting: Picture) -> None:
    once = semantic_map(painting, Semantic(blur="none"), 0)
    assert np.array_equal(semantic_map(once, Semantic(blur="none"), 1), once)


def test_each_colour_is_the_mean_of_its_pixels(painting: Picture) -> None:
    made = k_means(painting, 4, 0)
    for colour in colours_of(made):
        members = painting[(made == colour).all(axis=-1)]
        assert np.abs(members.mean(axis=0) - colour).max() <= 0.5


def test_a_pixel_takes_the_nearest_colour(painting: Picture) -> None:
    palette = np.random.default_rng(0).integers(0, 256, (5, 3), dtype=np.uint8)
    made = nearest(painting, palette)
    away = np.linalg.norm(painting[:, :, None].astype(float) - palette, axis=-1)
    assert np.allclose(np.linalg.norm(painting.astype(float) - made, axis=-1), away.min(axis=-1))


def test_the_result_equals_k_means_over_all_pixels() -> None:
    """Weighted distinct colours give the result of plain k-means, even if most pixels share a few colours."""
    rng = np.random.default_rng(0)
    many = rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)
    few = np.array([[20, 30, 40], [40, 30, 20], [30, 40, 60], [50, 50, 50], [60, 20, 20]], np.uint8)
    crowded = np.where(rng.random((60, 80, 1)) < 0.9, few[rng.integers(5, size=(60, 80))], many)
    values = crowded.reshape(-1, 3).astype(float)
    plain = KMeans(4, n_init=10, random_state=0).fit(values).inertia_
    best = min(np.square(k_means(crowded, 4, seed).reshape(-1, 3) - values).sum() for seed in range(10))
    assert best == pytest.approx(plain, rel=0.01)


def test_the_blur_is_gaussian() -> None:
    dot = np.zeros((65, 65, 3), np.uint8)
    dot[20:45, 20:45] = 255
    exact = gaussian_filter(dot.astype(float), (4, 4, 0), mode="nearest")
    assert np.abs(blurred(dot, 4.0) - exact).max() < 6


def test_codes_and_colours_are_one_to_one() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    assert np.array_equal(as_colours(as_codes(colours)), colours)


def test_the_map_without_noise_does_not_depend_on_the_noise(painting: Picture) -> None:
    clean = Semantic().make(painting, 3)
    noisy = Semantic(noise=0.25).make(painting, 3)
    assert (clean.note, noisy.note) == ("", "with noise")
    changed = (clean.picture != noisy.picture).any(axis=-1)
    assert 0.2 < changed.mean() < 0.3


def test_a_share_of_the_pictures_gets_noise(painting: Picture) -> None:
    small = painting[:8, :8]
    some, more = (
        {seed for seed in range(200) if Semantic(noise=0.5, noisy_images=share).make(small, seed).note == "with noise"}
        for share in (0.25, 0.75)
    )
    assert some < more  # a sweep adds noise to pictures, and takes it from none
    assert abs(len(some) - 50) < 3 * np.sqrt(200 * 0.25 * 0.75)
    assert abs(len(more) - 150) < 3 * np.sqrt(200 * 0.75 * 0.25)
    untouched = Semantic(noise=0.5, noisy_images=0.0).make(small, 0)
    assert untouched.note == "without noise"
    assert np.array_equal(untouched.picture, Semantic().make(small, 0).picture)
