"""Noise replaces a share of the pixels by colours of a palette."""

import colorsys

import numpy as np
import pytest

from impasto.curation.made.noise import LOW_SATURATION, Palette, add_noise, read_palette
from impasto.data.renderers.canvas import Picture
from impasto.errors import ImpastoError

GREEN, RED = (10, 200, 30), (250, 0, 1)


@pytest.fixture
def flat() -> Picture:
    """Two colours side by side, [256, 256, 3]."""
    made = np.empty((256, 256, 3), np.uint8)
    made[:, :128], made[:, 128:] = GREEN, RED
    return made


def noisy(picture: Picture, fraction: float, palette: Palette = "uniform") -> Picture:
    return add_noise(picture, fraction, palette, np.random.default_rng(0))


@pytest.mark.parametrize("fraction", [1 / 16, 1 / 8, 1 / 4, 1 / 2])
def test_the_share_of_changed_pixels(flat: Picture, fraction: float) -> None:
    changed = (noisy(flat, fraction) != flat).any(axis=-1)
    three_sigma = 3 * np.sqrt(fraction * (1 - fraction) / changed.size)
    assert abs(changed.mean() - fraction) < three_sigma


def test_none_and_all(flat: Picture) -> None:
    assert np.array_equal(noisy(flat, 0.0), flat)
    everywhere = noisy(flat, 1.0)
    assert np.abs(everywhere.mean(axis=(0, 1)) - 127.5).max() < 3 * np.sqrt((256**2 - 1) / 12 / 256**2)
    for channel in np.moveaxis(everywhere, -1, 0):
        assert len(np.unique(channel)) == 256  # 255 too, which the author's code never drew


def test_pixels_change_one_by_one(flat: Picture) -> None:
    changed = (noisy(flat, 0.25) != flat).any(axis=-1)
    together = (changed[:, 1:] & changed[:, :-1]).mean()
    assert together == pytest.approx(1 / 16, abs=0.01)


def test_the_input_picture_is_not_changed(flat: Picture) -> None:
    before = flat.copy()
    noisy(flat, 0.5)
    assert np.array_equal(flat, before)


def test_grey_noise_is_grey(flat: Picture) -> None:
    everywhere = noisy(flat, 1.0, "grey")
    assert (everywhere == everywhere[..., :1]).all()
    assert len(np.unique(everywhere)) == 256


@pytest.mark.parametrize("palette", ["own", (GREEN, RED)])
def test_noise_of_given_colours(flat: Picture, palette: Palette) -> None:
    colours, counts = np.unique(noisy(flat, 1.0, palette).reshape(-1, 3), axis=0, return_counts=True)
    assert [tuple(colour) for colour in colours.tolist()] == [GREEN, RED]
    assert counts[0] / counts.sum() == pytest.approx(0.5, abs=0.01)


def test_pale_noise_has_all_hues_and_values_but_little_saturation(flat: Picture) -> None:
    everywhere = noisy(flat, 1.0, "low-saturation").reshape(-1, 3)
    bright = everywhere[everywhere.max(axis=1) > 128][:3000] / 255
    hues, saturations, _ = np.array([colorsys.rgb_to_hsv(*colour) for colour in bright]).T
    assert saturations.max() < LOW_SATURATION + 0.01
    assert saturations.mean() == pytest.approx(LOW_SATURATION / 2, abs=0.01)
    assert np.histogram(hues, 12, (0, 1))[0].min() > 100
    assert everywhere.max() == 255


def test_palettes_are_read_from_text() -> None:
    assert read_palette("low-saturation") == "low-saturation"
    assert read_palette("#0ac81e, #FA0001") == (GREEN, RED)


@pytest.mark.parametrize("text", ["gray", "", "#12345", "#0ac81e;#fa0001", "#0ac81e,"])
def test_invalid_palettes_are_refused(text: str) -> None:
    with pytest.raises(ImpastoError, match=r"--palette: .* is neither a palette nor a list of colours such as #c03020"):
        read_palette(text)


def test_a_near_name_is_suggested() -> None:
    with pytest.raises(ImpastoError, match="did you mean grey"):
        read_palette("gray")
