"""Painters that take the style of a picture, through files."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.errors import PainterError, PictureError
from impasto.painting import tiles
from impasto.painting.paint_files import paint_files
from impasto.painting.paint_picture import PhotoOptions, paint_picture
from impasto.painting.painters import LoadedPainter, load_painter
from impasto.painting.signature import read_signature
from tests.conftest import picture
from tests.painting.toy_painters import Optimised, Restyled, RestyledInTiles, toy_recipe


@pytest.fixture(autouse=True)
def _in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("impasto.painting.paint.has_bf16", lambda _: False)


@pytest.fixture
def restyled(monkeypatch: pytest.MonkeyPatch) -> LoadedPainter:
    return load_painter(toy_recipe(monkeypatch, Restyled))


@pytest.fixture
def style() -> Path:
    Image.new("RGB", (20, 30), (200, 150, 100)).save("style.png")
    return Path("style.png")


def grey(seed: int, level: int, size: tuple[int, int] = (40, 30)) -> Image.Image:
    """A picture of weak contrast, so that its colours can be moved without clipping."""
    return picture(seed, *size).point(lambda value: level + value // 8)


def test_each_photo_takes_the_colours_of_the_style_picture(restyled: LoadedPainter, style: Path) -> None:
    photos = [Path("a.png"), Path("b.png")]
    for seed, photo in enumerate(photos):
        grey(seed, 60 + 60 * seed).save(photo)
    outcome = paint_files(photos, restyled, Path("out"), style=style)
    assert [path.name for path in outcome.painted] == ["a.png", "b.png"]
    for path in outcome.painted:
        with Image.open(path) as painting:
            assert painting.size == (40, 30)
            assert np.abs(np.asarray(painting).mean((0, 1)) - (200, 150, 100)).max() < 1
        about = read_signature(path)
        assert (about["photo"], about["style"]) == (path.name, "style.png")


def test_the_style_picture_is_brought_to_the_size_to_paint_at(
    monkeypatch: pytest.MonkeyPatch, restyled: LoadedPainter
) -> None:
    sizes: list[tuple[int, ...]] = []
    paint = Restyled.paint

    def noted(self: Restyled, prompt: object, *rest: object) -> object:
        sizes.append((*prompt.photos.shape[2:], *prompt.styles.shape[2:]))  # type: ignore[attr-defined]
        return paint(self, prompt, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Restyled, "paint", noted)
    for size in (None, 16):
        paint_picture(grey(1, 100), restyled, PhotoOptions(size=size), style=picture(2, 64, 48))
    assert sizes == [(30, 40, 48, 64), (16, 21, 16, 21)]


def test_a_style_is_required_by_painters_that_take_one_and_refused_by_others(
    monkeypatch: pytest.MonkeyPatch, restyled: LoadedPainter, style: Path
) -> None:
    picture(1).save("a.png")
    photos = [Path("a.png")]
    with pytest.raises(PainterError, match=r"^toy paints in the style of a picture; pass it with --style PICTURE$"):
        paint_files(photos, restyled, Path("out"))
    with pytest.raises(PictureError, match=r"gone\.png"):
        paint_files(photos, restyled, Path("out"), style=Path("gone.png"))
    other = load_painter(toy_recipe(monkeypatch, Optimised))
    with pytest.raises(PainterError, match=r"^toy takes no style picture; leave --style out, or choose another"):
        paint_files(photos, other, Path("out"), style=style)
    with pytest.raises(PainterError, match=r"^styles does not paint from photos"):
        paint_files(photos, load_painter("styles"), Path("out"), style=style)
    assert not Path("out").exists()


def test_every_tile_has_the_whole_style_picture_and_progress_is_combined(monkeypatch: pytest.MonkeyPatch) -> None:
    painter = load_painter(toy_recipe(monkeypatch, RestyledInTiles))
    photo, look, told = grey(1, 60, (200, 100)), picture(2, 50, 40), []
    whole = paint_picture(photo, painter, PhotoOptions(), told.append, look)
    assert told == [0.5]
    monkeypatch.setattr(tiles, "TILE", 64)
    monkeypatch.setattr(tiles, "WHOLE", 4_000)
    told.clear()
    assert np.array_equal(paint_picture(photo, painter, PhotoOptions(), told.append, look), whole)
    assert told == pytest.approx([number / 16 for number in range(1, 17)]), "four by two tiles, each in two halves"


def test_progress_of_files_counts_the_shares_of_each(monkeypatch: pytest.MonkeyPatch, style: Path) -> None:
    painter = load_painter(toy_recipe(monkeypatch, RestyledInTiles))
    for name in "ab":
        picture(1).save(f"{name}.png")
    told: list[tuple[float, int]] = []
    paint_files([Path("a.png"), Path("b.png")], painter, Path("out"), None, lambda *done: told.append(done), style)
    assert told == [(0.5, 2), (1, 2), (1.5, 2), (2, 2)]
