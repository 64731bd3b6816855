import numpy as np

from impasto.curation.made.pairs import stitch
from impasto.data.renderers.canvas import Picture

EVERY_VALUE = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)


def halves(pair: Picture) -> tuple[Picture, Picture]:
    half = pair.shape[1] // 2
    return pair[:, :half], pair[:, half:]


def test_stitching_and_halving_gives_back_every_byte() -> None:
    left, right = halves(stitch(EVERY_VALUE, EVERY_VALUE[::-1]))
    assert np.array_equal(left, EVERY_VALUE)
    assert np.array_equal(right, EVERY_VALUE[::-1])


def test_legacy_stitching_turns_black_to_white_and_lowers_other_values() -> None:
    left, right = halves(stitch(EVERY_VALUE, EVERY_VALUE, legacy_stitch=True))
    for half in (left, right):
        assert half.dtype == np.uint8
        assert (half[EVERY_VALUE == 0] == 255).all()
        assert (half[EVERY_VALUE > 0] == EVERY_VALUE[EVERY_VALUE > 0] - 1).all()
