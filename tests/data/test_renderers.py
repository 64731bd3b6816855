import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, uniform_filter

from impasto.data.atelier_pictures import source_photo
from impasto.data.renderers import (
    STYLES,
    crosshatching,
    flat,
    hatching,
    mosaic,
    pointillism,
    points,
    screen_print,
    strokes,
    superpixel_mosaic,
)


@pytest.fixture(scope="module")
def photo():
    """A rocket, a face and a flag: [128, 192, 3], read-only, because renderers must not change their photo."""
    crop = source_photo("astronaut")[:128, :192].copy()
    crop.setflags(write=False)
    return crop


def luma(picture):
    return picture @ np.array([0.299, 0.587, 0.114]) / 255


def blurred(picture, sigma):
    return gaussian_filter(picture / 255, (sigma, sigma, 0))


def local_contrast(picture):
    light = luma(picture)
    return np.sqrt(np.maximum(uniform_filter(light**2, 7) - uniform_filter(light, 7) ** 2, 0)).mean()


def share(picture, colour, tolerance=0):
    return (np.abs(picture.astype(int) - colour).max(axis=-1) <= tolerance).mean()


def as_bytes(colour):
    return np.round(255 * np.asarray(colour)).astype(int)


def test_the_styles_come_in_their_order():
    assert list(STYLES.items()) == [
        ("strokes", strokes), ("points", points), ("mosaic", mosaic), ("hatching", hatching), ("flat", flat)
    ]  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
class TestEveryStyle:
    @pytest.mark.parametrize(("height", "width"), [(32, 32), (33, 47), (61, 32)])
    def test_keeps_shape_and_type(self, style, photo, height, width):
        painting = STYLES[style](photo[:height, :width], 0)
        assert painting.shape == (height, width, 3)
        assert painting.dtype == np.uint8

    def test_the_same_seed_paints_the_same_and_another_seed_does_not(self, style, photo):
        first, again, other = (STYLES[style](photo[:64, :64], seed) for seed in (3, 3, 4))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)

    @pytest.mark.parametrize("grey", [0, 128, 255])
    def test_paints_an_even_photo(self, style, grey):
        assert STYLES[style](np.full((40, 50, 3), grey, np.uint8), 0).shape == (40, 50, 3)

    def test_the_painting_differs_from_the_photo_but_is_recognisable(self, style, photo):
        painting = STYLES[style](photo, 0)
        assert np.abs(painting / 255 - photo / 255).mean() > 0.02
        seen, meant = (gaussian_filter(luma(picture), 4).ravel() for picture in (painting, photo))
        assert np.corrcoef(seen, meant)[0, 1] > 0.9


def test_strokes_keep_the_colours(photo):
    painting = strokes(photo, 0)
    assert np.abs(blurred(painting, 4) - blurred(photo, 4)).mean() < 0.03


def test_strokes_are_larger_than_pixels(photo):
    noise = np.random.default_rng(0).integers(0, 256, photo.shape, dtype=np.uint8)
    assert local_contrast(strokes(noise, 0)) < 0.5 * local_contrast(noise)


def test_points_lie_on_the_ground(photo):
    assert 0.01 < share(points(photo, 0), pointillism.GROUND) < 0.2


def test_points_divide_colours(photo):
    grey = np.full_like(photo, 128)
    dots = points(grey, 0)
    assert np.ptp(dots, axis=(0, 1)).min() > 60
    assert np.abs(dots.mean(axis=(0, 1)) - 128).max() < 30


def test_mosaic_stones_have_one_colour_and_grout_around_them(photo):
    laid = mosaic(photo, 0)
    grout = as_bytes(superpixel_mosaic.GROUT)
    assert 0.05 < share(laid, grout) < 0.5
    stone = np.abs(laid.astype(int) - grout).max(axis=-1) > 0
    beside = stone[:, 1:] & stone[:, :-1]
    even = (laid[:, 1:] == laid[:, :-1]).all(axis=-1)
    assert even[beside].mean() > 0.5  # the rest are the antialiased rims
    stones = np.unique(laid.reshape(-1, 3), axis=0, return_counts=True)[1]
    assert (stones > 12).sum() > 100


def test_hatching_is_ink_on_paper_darker_where_the_photo_is(photo):
    engraving = hatching(photo, 0)
    assert local_contrast(engraving) > 3 * local_contrast(photo)
    ink = share(engraving, as_bytes(crosshatching.INK), tolerance=12)
    paper = share(engraving, as_bytes(crosshatching.PAPER), tolerance=40)
    assert ink > 0.1
    assert paper > 0.1


def test_hatching_adds_layers_with_darkness():
    ramp = np.repeat(np.linspace(255, 0, 240).astype(np.uint8)[:, None], 240, axis=1)
    engraving = luma(hatching(np.stack([ramp] * 3, axis=-1), 0))
    bands = [band.mean() for band in np.split(engraving, 6)]
    assert bands == sorted(bands, reverse=True)
    assert bands[0] > 0.85
    assert bands[-1] < 0.35


def test_flat_has_few_colours_and_outlines(photo):
    print_ = flat(photo, 0)
    counts = np.sort(np.unique(print_.reshape(-1, 3), axis=0, return_counts=True)[1])[::-1]
    assert counts[: screen_print.COLOURS + 1].sum() > 0.75 * counts.sum()  # the rest is antialiasing
    assert share(print_, as_bytes(screen_print.INK)) > 0.02


def test_flat_keeps_the_colours_of_large_areas():
    halves = np.zeros((64, 96, 3), np.uint8)
    halves[:, :48], halves[:, 48:] = (180, 180, 180), (70, 70, 70)
    print_ = flat(halves, 0).astype(int)
    assert np.abs(print_[:, :40] - 180).max() < 8
    assert np.abs(print_[:, 56:] - 70).max() < 8
