import numpy as np
import pytest
from PIL import Image

from impasto.errors import PictureError
from impasto.gallery.page import figure
from impasto.gallery.pictures import load_pictures
from tests.gallery.pages import picture


def test_heavy_pictures_are_shrunk_to_the_budget_and_light_ones_stay(tmp_path):
    heavy = [picture(tmp_path / f"{seed}.png", size=(300, 200), seed=seed) for seed in range(3)]
    light = picture(tmp_path / "light.png", size=(30, 20), seed=9)
    pictures = load_pictures([*heavy, light], 1000, 60_000)
    assert 30_000 < sum(picture.weight for picture in pictures.values()) <= 60_000
    assert list(pictures) == [*heavy, light]
    assert pictures[light].pixels.size == (30, 20)
    sizes = [pictures[path].pixels.size for path in heavy]
    assert len(set(sizes)) == 1
    assert 100 < sizes[0][0] < 300


def test_pictures_within_the_budget_are_not_touched(tmp_path):
    paths = [picture(tmp_path / f"{seed}.png", noisy=False, seed=seed) for seed in range(3)]
    for path, loaded in load_pictures([*paths, *paths], 1000, 10_000).items():
        assert np.array_equal(np.asarray(loaded.pixels), np.asarray(Image.open(path)))


def test_progress_counts_pictures(tmp_path):
    told = []
    load_pictures([picture(tmp_path / f"{seed}.png") for seed in range(3)], 1000, 10**6, lambda *of: told.append(of))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_picture_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(PictureError, match=r"torn\.png"):
        load_pictures([tmp_path / "torn.png"], 1000, 10**6)


def test_figures_have_four_digits():
    assert [figure(value) for value in (61.234, 0.031249, 12345.6, 5, -0.00001234)] == [
        "61.23",
        "0.03125",
        "12,346",
        "5",
        "-1.234e-05",
    ]
