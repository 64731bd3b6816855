"""The photo's palette on a painting, against scikit-image's Lab."""

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab

from impasto.painting import palette
from impasto.painting.palette import with_palette_of
from tests.conftest import picture


def lab(image: Image.Image) -> np.ndarray:
    return rgb2lab(np.asarray(image)).reshape(-1, 3)


def test_the_painting_takes_the_photos_means_and_deviations() -> None:
    photo = picture(1, 80, 60).point(lambda value: 60 + value // 3)  # dull enough for all of it to be within sRGB
    painting = picture(2, 50, 70).point(lambda value: 100 + value // 4)
    kept = with_palette_of(photo, painting)
    assert kept.size == painting.size
    wanted, before, after = (lab(image) for image in (photo, painting, kept))
    assert np.abs(before.mean(0) - wanted.mean(0)).max() > 5
    np.testing.assert_allclose(after.mean(0), wanted.mean(0), atol=1)
    np.testing.assert_allclose(after.std(0), wanted.std(0), rtol=0.1, atol=0.5)
    assert np.corrcoef(before[:, 0], after[:, 0])[0, 1] > 0.98, "what is drawn stays"


def test_bands_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    photo, painting = picture(1, 50, 40), picture(2, 30, 47)
    whole = with_palette_of(photo, painting)
    monkeypatch.setattr(palette, "BAND", 130)
    assert np.array_equal(with_palette_of(photo, painting), whole)


def test_its_own_palette_changes_nothing_and_flat_pictures_are_fine() -> None:
    photo = picture(3, 64, 64)
    same = with_palette_of(photo, photo)
    assert np.abs(np.asarray(same).astype(int) - np.asarray(photo)).mean() < 2, "8 bits of Lab"
    grey = Image.new("RGB", (20, 20), (90, 90, 90))
    assert np.asarray(with_palette_of(grey, photo)).std() < 2
    red = with_palette_of(Image.new("RGB", (20, 20), (200, 40, 30)), grey)
    np.testing.assert_allclose(np.asarray(red)[0, 0], (200, 40, 30), atol=3)
