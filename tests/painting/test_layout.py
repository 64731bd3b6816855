"""Sheets show every picture whole, at its place, with its captions."""

import numpy as np
import pytest
from PIL import Image

from impasto.painting import layout
from impasto.painting.layout import PAPER, Captions, draw_sheet, enlarged


def plain(number: int, side: int) -> Image.Image:
    return Image.new("RGB", (side, side), (10 * number + 5, 0, 255))


def shades(sheet: Image.Image) -> np.ndarray:
    """Where the plain pictures are, by their red; -1 elsewhere."""
    values = np.asarray(sheet).astype(int)
    return np.where((values[..., 1] == 0) & (values[..., 2] == 255), values[..., 0], -1)


@pytest.mark.parametrize(("side", "shown"), [(28, 84), (64, 64), (100, 100)])
def test_every_picture_is_there_in_order_and_large_enough(side: int, shown: int) -> None:
    sheet = draw_sheet([plain(number, side) for number in range(5)], 3, Captions("Title", "below"))
    found = shades(sheet)
    corners = []
    for number in range(5):
        rows, columns = np.nonzero(found == 10 * number + 5)
        assert len(rows) == shown**2
        corners.append((rows.min(), columns.min()))
    step = shown + layout.GAP
    top, left = corners[0]
    assert corners == [
        (top + row * step, left + column * step) for row, column in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]
    ]


def test_captions_take_room_beside_and_above_the_pictures() -> None:
    pictures = [plain(number, 64) for number in range(4)]
    bare, level, upright = (
        draw_sheet(pictures, 2, Captions("t", "b", names, names))
        for names in ((), ("a", "b"), ("a name wider than its column", "b"))
    )
    assert bare.width < level.width < upright.width
    assert bare.height < level.height < upright.height
    for sheet in (bare, level, upright):
        assert (shades(sheet) >= 0).sum() == 4 * 64**2, "no caption covers a picture"


def test_long_captions_are_cut_and_long_titles_widen_the_sheet() -> None:
    pictures = [plain(0, 64)]
    cut = draw_sheet(pictures, 1, Captions("t", "b", ["w" * 500]))
    assert cut.width < layout.LONGEST_CAPTION + 64 + 4 * layout.MARGIN
    title = draw_sheet(pictures, 1, Captions("A title that is wider than one picture", "b"))
    right = np.asarray(title)[:, -layout.MARGIN + 2 :]
    assert (right == PAPER).all()


def test_very_large_figures_are_shrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "LARGEST_SIDE", 200)
    sheet = draw_sheet([plain(number % 20, 64) for number in range(100)], 10, Captions("t", "b"))
    assert sheet.width <= 200 + 2 * layout.MARGIN


def test_enlarging_repeats_pixels() -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (5, 5, 3), dtype=np.uint8))
    large = enlarged(picture, 12)
    assert large.size == (15, 15)
    assert np.array_equal(np.asarray(large)[1::3, 1::3], np.asarray(picture))
