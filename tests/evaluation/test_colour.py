import colorsys
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.errors import EvaluationError
from impasto.evaluation import colour
from impasto.evaluation.colour import (
    Averages,
    Difference,
    Pixels,
    Tendency,
    central_tendency,
    compare,
    difference,
    difference_histogram,
    percent_error,
)


def picture(seed: int, height: int = 8, width: int = 16) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("c", [0, 100, 255])
def test_a_flat_picture(c: int) -> None:
    found = central_tendency(np.full((4, 5, 3), c, dtype=np.uint8))
    assert found.mean.tolist() == [c, c, c]
    assert found.variance.tolist() == [0, 0, 0]
    assert found.mean_norm == pytest.approx(math.sqrt(3) * c)
    assert found.saturation == 0


@pytest.mark.parametrize("band", [7, 1 << 18])
def test_equals_the_plain_formulas_band_by_band(band: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(colour, "BAND", band)
    pixels = picture(0).reshape(-1, 3).astype(np.float64)
    found = central_tendency(picture(0))
    np.testing.assert_allclose(found.mean, pixels.mean(0))
    np.testing.assert_allclose(found.variance, pixels.var(0))
    np.testing.assert_allclose(found.mean_norm, np.linalg.norm(pixels, axis=1).mean())
    saturation = [colorsys.rgb_to_hsv(*pixel / 255)[1] for pixel in pixels]
    np.testing.assert_allclose(found.saturation, np.mean(saturation))
    signed = pixels - picture(1).reshape(-1, 3)
    pair = compare(picture(0), picture(1))
    np.testing.assert_allclose(pair.mean, signed.mean(0))
    np.testing.assert_allclose(pair.variance, signed.var(0))
    np.testing.assert_allclose(pair.mean_norm, np.linalg.norm(signed, axis=1).mean())
    np.testing.assert_allclose(pair.mean_absolute, np.abs(signed).mean(0))
    np.testing.assert_allclose(pair.negative, (signed < 0).mean(0))
    np.testing.assert_allclose(pair.rmse, np.sqrt((signed**2).mean()))


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 255))
def test_bounds_that_every_picture_keeps(seed: int, side: int, top: int) -> None:
    found = central_tendency(np.random.default_rng(seed).integers(0, top + 1, (side, 3, 3), dtype=np.uint8))
    assert np.linalg.norm(found.mean) <= found.mean_norm + 1e-9
    assert found.mean_norm <= math.sqrt((found.mean**2 + found.variance).sum()) + 1e-9
    assert (found.variance <= found.mean * (255 - found.mean) + 1e-9).all()
    assert 0 <= found.saturation <= 1


def test_the_kinds_of_difference() -> None:
    target, generated = (np.array([[[value, 0, 9]]], dtype=np.uint8) for value in (10, 13))
    generated[0, 0, 1] = 255
    assert difference(target, generated, "signed").tolist() == [[[-3, -255, 0]]]
    assert difference(target, generated, "wrapped").tolist() == [[[253, 1, 0]]]
    assert difference(target, generated, "clipped").tolist() == [[[0, 0, 0]]]
    assert difference(target, generated, "rescaled").tolist() == [[[126, 0, 127.5]]]
    assert difference(generated, target, "rescaled").tolist() == [[[129, 255, 127.5]]]


def test_the_mean_difference_is_the_difference_of_means_and_wrapping_adds_256_for_each_below_zero() -> None:
    target, generated = picture(0), picture(1)
    found = compare(target, generated)
    means = central_tendency(target).mean - central_tendency(generated).mean
    assert found.mean.tolist() == means.tolist()  # exactly: 128 pixels, so that no division rounds
    wrapped = difference(target, generated, "wrapped").mean((0, 1), dtype=np.float64)
    assert (wrapped - found.mean).tolist() == (256 * found.negative).tolist()


def test_wrapping_explains_the_published_table() -> None:
    """The published differences (docs/methods/paired-translation.md) give a possible share of values below zero."""
    target, without_noise = np.array([103.99, 82.54, 69.62]), np.array([103.98, 79.94, 66.42])
    wrapped = np.array([120.98, 111.83, 111.82])
    shares = (wrapped - (target - without_noise)) / 256
    np.testing.assert_allclose(shares, [0.473, 0.427, 0.424], atol=5e-4)


def test_percent_errors_of_the_published_tables() -> None:
    target = np.array([103.99, 82.54, 69.62])
    without_noise, noise = np.array([103.98, 79.94, 66.42]), np.array([160.38, 129.81, 109.72])
    np.testing.assert_allclose(percent_error(target, without_noise), [0.00961631, 3.14999, 4.59638], rtol=2e-6)
    np.testing.assert_allclose(percent_error(target, noise), [54.2264, 57.2692, 57.5984], atol=5e-5)
    undefined = percent_error(np.array([0.0, 10.0, 20.0]), np.array([5.0, 5.0, 5.0]))
    np.testing.assert_array_equal(undefined, [np.nan, 50, 75])


def test_swapping_turns_the_sign_and_nothing_else() -> None:
    one, other = compare(picture(0), picture(1)), compare(picture(1), picture(0))
    assert one.mean.tolist() == (-other.mean).tolist()
    for name in ("variance", "mean_norm", "mean_absolute", "rmse"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name))
    assert (
        difference_histogram(picture(0), picture(1)).tolist()
        == np.flip(difference_histogram(picture(1), picture(0)), axis=1).tolist()
    )


def test_the_histogram_counts_every_pixel_where_it_lies() -> None:
    counts = difference_histogram(picture(0), picture(1))
    found = compare(picture(0), picture(1))
    assert counts.sum(axis=1).tolist() == [128] * 3
    np.testing.assert_allclose(counts @ np.arange(-255, 256) / 128, found.mean)
    np.testing.assert_allclose(counts[:, :255].sum(axis=1) / 128, found.negative)


def test_averages_over_pictures_of_any_size_with_their_standard_errors() -> None:
    each = [central_tendency(picture(seed, 4 + seed)) for seed in range(6)]
    averages = Averages[Tendency]()
    for figures in each:
        averages.update(figures)
    assert averages.count == 6
    for name in Tendency._fields:
        values = np.stack([getattr(figures, name) for figures in each])
        np.testing.assert_allclose(getattr(averages.mean(), name), values.mean(0))
        error = values.std(0, ddof=1) / math.sqrt(6)
        np.testing.assert_allclose(getattr(averages.standard_error(), name), error)


def test_averages_over_pairs() -> None:
    averages = Averages[Difference]()
    averages.update(compare(picture(0), picture(1)))
    averages.update(compare(picture(1), picture(0)))
    assert averages.mean().mean.tolist() == pytest.approx([0, 0, 0])
    with pytest.raises(EvaluationError, match="colours of 0 pictures"):
        Averages[Tendency]().mean()
    single = Averages[Tendency]()
    single.update(central_tendency(picture(0)))
    with pytest.raises(EvaluationError, match="at least 2"):
        single.standard_error()


def test_pictures_of_two_sizes_are_refused() -> None:
    for measure in (compare, difference_histogram, lambda one, other: difference(one, other, "signed")):
        with pytest.raises(EvaluationError, match="target of 16 x 8 pixels and a picture of 16 x 9"):
            measure(picture(0), picture(0, 9))
