"""The criterion for one picture: differences between neighbouring pixels, detail, and tones."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from impasto.data.likeness import LEAST_COSINE, cosines, detail, same_picture, vectors


def thumbnails(count: int) -> NDArray[np.uint8]:
    """Made pictures with coarse and fine detail."""
    made = []
    for seed in range(count):
        grid = np.random.default_rng(seed).integers(30, 226, (7, 9), dtype=np.uint8)
        made.append(np.asarray(Image.fromarray(grid).resize((16, 16), Image.Resampling.BICUBIC)).reshape(256))
    return np.stack(made)


def test_a_product_of_vectors_is_the_cosine_of_all_differences() -> None:
    found = thumbnails(4)
    mapped = vectors(found)
    assert mapped.shape == (4, 256)
    np.testing.assert_allclose(np.linalg.norm(mapped, axis=1), 1, atol=1e-5)

    def slow(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
        places = np.stack(np.meshgrid(np.arange(16), np.arange(16), indexing="ij"), axis=-1).reshape(256, 2)
        plane = np.column_stack([np.ones(256), places])

        def differences(thumbnail: NDArray[np.uint8]) -> NDArray[np.float64]:
            fit, *_ = np.linalg.lstsq(plane, thumbnail.astype(float), rcond=None)
            grid = (thumbnail - plane @ fit).reshape(16, 16)
            return np.concatenate([np.diff(grid, axis=0).ravel(), np.diff(grid, axis=1).ravel()])

        a, b = differences(first), differences(second)
        return float(a @ b / np.sqrt((a @ a) * (b @ b)))

    expected = [[slow(a, b) for b in found] for a in found]
    np.testing.assert_allclose(mapped @ mapped.T, expected, atol=1e-4)


def test_what_has_no_contrast_has_no_vector() -> None:
    ramp = np.add.outer(np.arange(16) * 3, np.arange(16) * 5).astype(np.uint8).reshape(1, 256)
    assert not vectors(ramp).any()
    assert not vectors(np.full((1, 256), 80, dtype=np.uint8)).any()


def test_detail_counts_equal_differences() -> None:
    checks = np.indices((16, 16)).sum(axis=0) % 2 * 100
    assert detail(checks.astype(np.uint8).reshape(1, 256))[0] == pytest.approx(480, rel=0.01)
    dots = np.zeros((16, 16), dtype=np.uint8)
    dots[3, 3] = dots[8, 8] = dots[3, 12] = 200  # a dot differs from four neighbours
    assert detail(dots.reshape(1, 256))[0] == pytest.approx(12, rel=0.05)


def test_tones_may_change_by_any_curve() -> None:
    found = thumbnails(6)
    curved = (255 * (found / 255.0) ** 2).round().astype(np.uint8)
    clipped = np.clip(found.astype(int) + 50, 0, 220).astype(np.uint8)
    assert same_picture(found, curved).all()
    assert same_picture(found, clipped).all()


def test_cosines_of_pairs_are_those_of_all_with_all() -> None:
    first, second = thumbnails(3), thumbnails(6)[3:]
    np.testing.assert_allclose(cosines(first, second), np.diag(vectors(first) @ vectors(second).T), atol=1e-6)
    np.testing.assert_allclose(cosines(first, first), 1, atol=1e-5)


def test_different_pictures_are_not_the_same() -> None:
    found = thumbnails(40)
    assert (vectors(found) @ vectors(found).T - np.eye(40)).max() < LEAST_COSINE
    assert not same_picture(found[:-1], found[1:]).any()


def test_slack_allows_a_larger_difference() -> None:
    """Two simple pictures: a bar with a faint end, to the right and to the left."""
    right = np.full((16, 16), 220, dtype=np.uint8)
    right[6:10, 3:13] = 40
    left = right.copy()
    right[6:10, 13] = left[6:10, 2] = 180
    first, second = right.reshape(1, 256), left.reshape(1, 256)
    assert cosines(first, second)[0] > LEAST_COSINE
    assert not same_picture(first, second)[0]
    assert same_picture(first, second, slack=10)[0]
