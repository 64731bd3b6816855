import numpy as np

from impasto.curation.made.grey import grey
from impasto.data.renderers.canvas import luminance


def test_grey_is_the_luma_on_three_equal_channels() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    made = grey(colours)
    assert (made == made[..., :1]).all()
    assert np.abs(made[..., 0] - luminance(colours.astype(float))).max() <= 0.51


def test_grey_pictures_stay_unchanged() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    assert np.array_equal(grey(ramp), ramp)
