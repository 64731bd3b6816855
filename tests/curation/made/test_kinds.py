"""Properties of all kinds of made data."""

import numpy as np
import pytest

from impasto.curation.made import Grey, Kind, Mask, Semantic, Voxel
from impasto.data.renderers.canvas import Picture
from tests.conftest import picture

KINDS = [
    Grey(),
    Semantic(),
    Semantic(blur="after", noise=0.5),
    Semantic(quantiser="pillow"),
    Voxel(),
    Voxel(block=7, materials=3),
    Mask(),
    Mask(on="middle"),
    Mask(on="regions", shape="ellipses"),
    Mask(on="regions", shape="rectangles"),
]


def pixels(seed: int, width: int = 40, height: int = 30) -> Picture:
    made = np.asarray(picture(seed, width, height)).copy()
    made.setflags(write=False)  # kinds must leave their picture alone
    return made


@pytest.mark.parametrize("kind", KINDS, ids=repr)
class TestEveryKind:
    @pytest.mark.parametrize(("width", "height"), [(1, 1), (5, 70), (40, 30), (131, 64)])
    def test_keeps_shape_and_type(self, kind: Kind, width: int, height: int) -> None:
        made = kind.make(pixels(1, width, height), 0).picture
        assert made.shape == (height, width, 3)
        assert made.dtype == np.uint8

    def test_the_same_input_gives_the_same_result(self, kind: Kind) -> None:
        first, again = (kind.make(pixels(2, 90, 60), 7) for _ in range(2))
        assert np.array_equal(first.picture, again.picture)
        assert first.note == again.note

    def test_takes_any_seed(self, kind: Kind) -> None:
        assert kind.make(pixels(3), 2**63 - 1).picture.shape == (30, 40, 3)

    @pytest.mark.parametrize("value", [0, 255])
    def test_takes_an_even_picture(self, kind: Kind, value: int) -> None:
        assert kind.make(np.full((40, 50, 3), value, np.uint8), 0).picture.shape == (40, 50, 3)


@pytest.mark.parametrize("kind", [Semantic(noise=0.5), Voxel(), Mask(), Mask(on="middle")], ids=repr)
def test_another_seed_makes_another_picture(kind: Kind) -> None:
    assert len({kind.make(pixels(4, 90, 60), seed).picture.tobytes() for seed in range(8)}) > 1
