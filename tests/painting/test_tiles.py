"""Tiles make the painting that one piece would make, however large the photo."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from impasto.data.transforms import to_picture, to_pixels, to_range
from impasto.networks.initialise import initialise
from impasto.networks.instance_norm import keeping_statistics, noting_statistics
from impasto.networks.noise import noise_from
from impasto.networks.resnet_generator import ResNetGenerator, translate
from impasto.painter import Tiling, ignore_progress
from impasto.painting import tiles
from impasto.painting.paint import Report
from impasto.painting.tiles import paint_tiled, parted
from tests.conftest import picture


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "TILE", 64)
    monkeypatch.setattr(tiles, "WHOLE", 4_000)


class Painting:
    """Paints a picture whole with a small generator, and keeps the sizes it was given."""

    def __init__(self, **options: object) -> None:
        torch.manual_seed(1)
        self.network = ResNetGenerator(3, 8, 2, **options).eval()  # type: ignore[arg-type]
        initialise(self.network)
        with torch.no_grad():
            for weight in self.network.parameters():
                weight.mul_(4)  # so that the painting has contrast
        self.sizes: list[tuple[int, int]] = []
        self.tiling = Tiling(self.network.reach, step=4)

    def __call__(self, photo: Image.Image, report: Report = ignore_progress) -> Image.Image:
        self.sizes.append(photo.size)
        report(0.5)
        with torch.no_grad(), noise_from(1, 2):
            return to_picture(translate(self.network, to_range(to_pixels(photo))[None])[0])


def difference(one: Image.Image, other: Image.Image) -> np.ndarray:
    return np.abs(np.asarray(one).astype(int) - np.asarray(other))


@pytest.mark.parametrize("step", [1, 4, 64])
@pytest.mark.parametrize("size", [(1, 1), (64, 64), (65, 4), (257, 130), (63, 1000)])
def test_every_pixel_is_painted_once_and_tiles_see_as_far_as_the_reach(size: tuple[int, int], step: int) -> None:
    check_tiles(size, Tiling(31, step), 64)


@pytest.mark.parametrize(("side", "size"), [(1_280, (3000, 1281)), (1_000, (2049, 900)), (256, (700, 257))])
def test_tiles_of_a_network_with_eight_halvings_begin_at_multiples_of_256(
    side: int, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiles, "TILE", side)
    check_tiles(size, Tiling(300, 256), math.ceil(side / 256) * 256)


def check_tiles(size: tuple[int, int], tiling: Tiling, largest: int) -> None:
    width, height = size
    painted = np.zeros((height, width), dtype=int)
    found = list(parted(size, tiling))
    for tile in found:
        left, top, right, bottom = tile.paints
        painted[top:bottom, left:right] += 1
        assert max(right - left, bottom - top) <= largest
        assert all(place % tiling.step == 0 for place in (left, top, *tile.sees[:2]))
        assert tile.sees[0] <= max(0, left - tiling.reach)
        assert tile.sees[1] <= max(0, top - tiling.reach)
        assert tile.sees[2] >= min(width, right + tiling.reach)
        assert tile.sees[3] >= min(height, bottom + tiling.reach)
    assert (painted == 1).all()
    assert len(found) >= math.ceil(width / largest) * math.ceil(height / largest)


@pytest.mark.parametrize(
    "options",
    [{"upsampling": "transposed"}, {"upsampling": "resized"}, {"underpainting": 5}, {"underpainting": 5, "noise": 0.2}],
)
@pytest.mark.parametrize("size", [(200, 131), (70, 190)])
def test_with_the_pictures_own_statistics_tiles_are_the_whole(
    size: tuple[int, int], options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiles, "thumbnail", lambda photo: photo)
    painting, photo = Painting(**options), picture(3, *size)
    whole = painting(photo)
    tiled = paint_tiled(photo, painting, painting.tiling)
    assert len(painting.sizes) > 4
    assert difference(whole, tiled).max() <= 1, "rounding apart"
    assert np.asarray(whole).std() > 20


def test_no_pixel_beyond_the_reach_has_influence() -> None:
    """A tile that sees less differs. Pixels beyond the reach have no gradient where the statistics are given."""
    painting, photo = Painting(), picture(3, 160, 160)
    whole = painting(photo)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "thumbnail", lambda photo: photo)
        assert difference(whole, paint_tiled(photo, painting, Tiling(4, 4))).max() > 1
    reach = painting.network.reach
    image = torch.rand(1, 3, 160, 160, requires_grad=True)
    with noting_statistics() as statistics, torch.no_grad():
        painting.network(image)
    with keeping_statistics(statistics):
        output: Tensor = painting.network(image)[0, :, 80, 80]
    (felt,) = torch.autograd.grad(output.sum(), image)
    places = felt[0].abs().amax((0, 1)).nonzero()
    assert 80 - reach <= places.min() < 80 < places.max() <= 80 + reach


def test_a_thumbnail_gives_all_tiles_the_same_statistics() -> None:
    """Half of the photo is dark: each tile alone would be brought to the same brightness, with a seam between."""
    dark = picture(5, 96, 96).point(lambda value: value // 4)
    photo = Image.new("RGB", (192, 96))
    photo.paste(dark)
    photo.paste(dark.point(lambda value: value + 150), (96, 0))
    painting = Painting()
    whole = painting(photo)
    tiled = paint_tiled(photo, painting, painting.tiling)
    alone = Image.new("RGB", photo.size)
    for left in (0, 96):
        alone.paste(painting(photo.crop((left, 0, left + 96, 96))), (left, 0))
    assert difference(whole, tiled).mean() < difference(whole, alone).mean() / 2


@pytest.mark.parametrize("size", [(3000, 8), (9, 2000), (5000, 40), (100, 90)])
def test_thumbnails_are_no_larger_than_what_is_painted_whole(size: tuple[int, int]) -> None:
    small = tiles.thumbnail(picture(1, *size))
    assert small.width * small.height <= 1.01 * tiles.WHOLE
    assert min(small.size) >= min(16, *size)


def test_small_pictures_stay_in_one_piece() -> None:
    painting = Painting()
    told: list[float] = []
    assert paint_tiled(picture(1, 60, 60), painting, painting.tiling, told.append).size == (60, 60)
    assert painting.sizes == [(60, 60)]
    assert told == [0.5], "the painter's own progress"


def test_progress_is_combined_over_the_tiles() -> None:
    painting, told = Painting(), []
    paint_tiled(picture(1, 128, 128), painting, Tiling(31, 4), told.append)
    assert painting.sizes[0] == (63, 63), "the thumbnail, which reports nothing"
    assert len(painting.sizes) == 5
    assert told == [number / 8 for number in range(1, 9)], "halfway through each tile, and after each"
