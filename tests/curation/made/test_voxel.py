"""Voxels: blocks of few materials that keep the mean colours of the picture."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from impasto.curation.made.voxel import cell_means, materials_of, relief, voxels
from impasto.data.renderers.canvas import luminance
from tests.conftest import picture


def test_cells_have_the_mean_colour_of_their_pixels() -> None:
    pixels = np.asarray(picture(1, 36, 24))
    cells = cell_means(pixels, 12)
    assert cells.shape == (2, 3, 3)
    assert np.allclose(cells[1, 2], pixels[12:, 24:].mean(axis=(0, 1)) / 255)


def test_a_picture_has_at_most_the_given_number_of_materials() -> None:
    cells = cell_means(np.asarray(picture(2, 120, 96)), 6)
    material, colours = materials_of(cells, 5, 0)
    assert material.shape == (16, 20)
    assert set(np.unique(material)) == set(range(5))
    assert colours.shape == (5, 3)
    assert colours.min() >= 0
    assert colours.max() <= 1


def test_two_colours_are_two_materials() -> None:
    halves = np.zeros((24, 48, 3), np.uint8)
    halves[:, 24:] = 200
    material, _ = materials_of(cell_means(halves, 12), 16, 0)
    assert (material == [[0, 0, 1, 1]] * 2).all()


def test_steps_are_lit_on_top_and_dark_on_the_right() -> None:
    material = np.zeros((3, 3), np.intp)
    material[1, 1] = 1
    light = relief(material, 10)
    flat = relief(np.zeros((3, 3), np.intp), 10)
    differs = light != flat
    assert differs[1, :2, 1].all()
    assert differs[1, :, 1, -2:].all()
    assert (light[1, 0, 1] > light[1, 5, 1]).all()
    assert light[1, 5, 1, -2] < light[1, 5, 1, 5]
    assert not differs[0, :, 1].any()  # the block above only casts no shadow
    assert differs[2, :2, 1].all()
    assert differs[1, :, 0, -2:].all()


def test_the_borders_of_the_picture_are_not_steps() -> None:
    beside, below = np.array([[0, 1]]), np.array([[1], [0]])
    assert np.array_equal(relief(beside, 10)[:, :, 1], relief(np.zeros((1, 2), np.intp), 10)[:, :, 1])
    assert np.array_equal(relief(below, 10)[0], relief(np.zeros((2, 1), np.intp), 10)[0])


@pytest.mark.parametrize("block", [4, 12, 16])
def test_the_mean_colours_of_the_picture_are_kept(block: int) -> None:
    pixels = np.asarray(picture(3, 192, 144))
    made = voxels(pixels, block, 16, 0)
    seen, meant = (gaussian_filter(luminance(image.astype(float)), block) for image in (made, pixels))
    assert np.corrcoef(seen.ravel(), meant.ravel())[0, 1] > 0.9


def test_an_even_picture_shows_its_blocks() -> None:
    made = voxels(np.full((48, 48, 3), 120, np.uint8), 12, 16, 0).astype(float)
    rows = made.mean(axis=(1, 2)).reshape(4, 12)
    assert (rows[:, 0] > rows[:, 6]).all()
    assert (rows[:, -1] < rows[:, 6]).all()
