import numpy as np
import pytest

from impasto.errors import EvaluationError
from impasto.evaluation.similarity import Pixels, left_untouched, ssim


def picture(seed: int, height: int = 20, width: int = 24) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_one_for_equal_symmetric_and_less_for_others() -> None:
    one, other = picture(0), picture(1)
    assert ssim(one, one) == pytest.approx(1)
    assert ssim(one, other) == pytest.approx(ssim(other, one))
    assert ssim(one, 255 - one) < ssim(one, other) < 0.5


@pytest.mark.parametrize(("a", "b"), [(0, 255), (100, 120), (7, 7)])
def test_two_flat_pictures(a: int, b: int) -> None:
    one, other = (np.full((11, 13, 3), value, dtype=np.uint8) for value in (a, b))
    c1 = (0.01 * 255) ** 2
    assert c1 == pytest.approx(6.5025)
    assert ssim(one, other) == pytest.approx((2 * a * b + c1) / (a * a + b * b + c1))


def test_the_smallest_picture_by_hand() -> None:
    """A single place of the window: means, variances and covariance under its weights, channel by channel."""
    one, other = picture(0, 11, 11), picture(1, 11, 11)
    along = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    weights = np.outer(along, along)[..., None] / along.sum() ** 2
    x, y = one.astype(np.float64), other.astype(np.float64)

    def mean(values: np.ndarray) -> np.ndarray:
        return (weights * values).sum(axis=(0, 1))

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    expected = (2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    assert ssim(one, other) == pytest.approx(expected.mean())


def test_the_share_left_untouched() -> None:
    assert left_untouched([0.96, 0.95, 1.0, 0.2]) == 0.5
    with pytest.raises(EvaluationError, match="no pairs"):
        left_untouched([])


def test_pictures_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(EvaluationError, match="24 x 20 and 24 x 21 pixels"):
        ssim(picture(0), picture(0, 21))
    with pytest.raises(EvaluationError, match="24 x 10 pixels is too small"):
        ssim(picture(0, 10), picture(1, 10))
