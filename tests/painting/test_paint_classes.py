"""Classes become signed files with predictable content, and a sheet of them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import impasto
from impasto.data.batches import ImageSpec
from impasto.data.transforms import to_picture
from impasto.errors import OutputError, PainterError
from impasto.painting.class_requests import Request, mixed, requested
from impasto.painting.counts import PAINTINGS
from impasto.painting.latents import drawn_latents
from impasto.painting.option_list import with_options
from impasto.painting.paint_classes import ClassOptions, Outcome, Series, paint_class_files, round_the_classes
from impasto.painting.painters import load_painter
from impasto.painting.signature import read_signature
from tests.painting.colour_painter import SPEC, TWO_ATTRIBUTES, ColourPainter, colour_painter
from tests.painting.toy_painters import Darkening, toy_recipe


@pytest.fixture(autouse=True)
def _in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("impasto.painting.paint.has_bf16", lambda _: False)


def asked(*names: str, spec: ImageSpec = SPEC) -> list[Series]:
    return [Series(request.name, [request]) for request in requested(spec, names)]


def paint(
    series: list[Series],
    spec: ImageSpec = SPEC,
    output: str = "out",
    truncation: float | None = None,
    **options: object,
) -> Outcome:
    loaded = colour_painter(spec, truncation=truncation)
    return paint_class_files(series, loaded, Path(output), ClassOptions(**options))  # type: ignore[arg-type]


def names(outcome: Outcome) -> list[str]:
    return [path.name for path in outcome.painted]


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def test_each_painting_is_what_the_painter_draws() -> None:
    outcome = paint(asked("ukiyo_e"), count=3, seed=3)
    assert names(outcome) == ["ukiyo_e-seed3-00000.png", "ukiyo_e-seed3-00001.png", "ukiyo_e-seed3-00002.png"]
    latents = drawn_latents(5, 3, range(3))
    with torch.inference_mode():
        drawn = ColourPainter(SPEC).draw(torch.eye(3)[:1].expand(3, -1), latents)
    for path, image in zip(outcome.painted, drawn, strict=True):
        assert np.abs(pixels(path) - np.asarray(to_picture(image)).astype(int)).max() <= 1


def test_fewer_paintings_are_the_first_of_more() -> None:
    few, many = paint(asked("baroque"), count=4, output="few"), paint(asked("baroque"), count=20, output="many")
    assert names(few) == names(many)[:4]
    assert [p.read_bytes() for p in few.painted] == [p.read_bytes() for p in many.painted[:4]]


def test_classes_share_their_latents_and_take_turns_by_default() -> None:
    three = paint(asked("ukiyo_e", "baroque"), count=3, output="two")
    assert len(three.painted) == 6
    assert [sheet.name for sheet in three.sheets] == ["ukiyo_e-seed0-sheet.png", "baroque-seed0-sheet.png"]
    round_all = paint([round_the_classes(SPEC)], count=4, output="all")
    assert names(round_all) == [
        "ukiyo_e-seed0-00000.png", "impressionism-seed0-00001.png", "baroque-seed0-00002.png", "ukiyo_e-seed0-00003.png",
    ]  # fmt: skip
    assert round_all.painted[0].read_bytes() == three.painted[0].read_bytes()
    assert round_all.painted[2].read_bytes() == three.painted[5].read_bytes()


def test_names_say_what_was_asked_for() -> None:
    mixture = mixed(SPEC, "ukiyo_e=0.6,impressionism=0.4")[0]
    truncated = paint([Series(mixture.name, [mixture])], count=1, truncation=0.7, kind="JPEG")
    assert names(truncated) == ["ukiyo_e-0.6+impressionism-0.4-seed0-truncation0.7-00000.jpg"]
    assert truncated.sheets == []
    both = paint(asked("style=other", "landscape", spec=TWO_ATTRIBUTES), TWO_ATTRIBUTES, count=1)
    assert names(both) == ["style-other+landscape-seed0-00000.png"]
    odd = ImageSpec(3, 8, ("../up/and away", "x" * 300))
    assert names(paint(asked(*odd.classes, spec=odd), odd, count=1)) == [
        "up-and-away-seed0-00000.png",
        f"{'x' * 60}-seed0-00000.png",
    ]


def test_names_have_the_options_that_differ_from_the_recipes(monkeypatch: pytest.MonkeyPatch) -> None:
    toy = load_painter(toy_recipe(monkeypatch, Darkening, "{method: {name: toy}, paint: {steps: 5}}"))
    for settings, name in (
        ([], "all-classes-seed0"),
        (["steps=5"], "all-classes-seed0"),
        (["steps=7", "mask=../sky blue"], "all-classes-seed0-steps7-mask..-sky-blue"),
    ):
        outcome = paint_class_files(
            [Series("all classes", [Request("", torch.zeros(0))])],
            with_options(toy, settings),
            Path("out"),
            ClassOptions(count=2, overwrite=True),
        )
        assert [path.name for path in outcome.sheets] == [f"{name}-sheet.png"]
        assert all(path.parent == Path("out") for path in outcome.painted)


def test_paintings_and_sheet_carry_how_they_were_made() -> None:
    outcome = paint(asked("ukiyo_e"), count=2, seed=3, truncation=0.7)
    expected = {
        "painter": "colours",
        "method": "cdcgan",
        "images_seen": 4000,
        "weights": "0123456789abcdef",
        "impasto": impasto.__version__,
        "options": {"truncation": 0.7},
        "class": "ukiyo_e",
        "classes": {"ukiyo_e": 1.0},
        "seed": 3,
        "index": 1,
    }
    assert read_signature(outcome.painted[1]) == expected
    del expected["index"], expected["classes"]
    assert read_signature(outcome.sheets[0]) == expected


def test_grey_painters_give_colour_files() -> None:
    grey = ImageSpec(1, 8, ("0", "1"))
    (painting,) = paint(asked("1", spec=grey), grey, count=1).painted
    with Image.open(painting) as picture:
        assert picture.mode == "RGB"
    assert np.ptp(pixels(painting), axis=2).max() == 0


def test_existing_paintings_are_kept_by_default() -> None:
    first = paint(asked("ukiyo_e"), count=2)
    before = {path: path.read_bytes() for path in first.painted}
    more = paint(asked("baroque", "ukiyo_e"), count=3)
    assert (len(more.painted), more.present, len(more.sheets)) == (4, first.painted, 2)
    assert {path: path.read_bytes() for path in first.painted} == before
    whole = paint(asked("ukiyo_e"), count=3, output="whole")
    for path in whole.painted:
        assert Path("out", path.name).read_bytes() == path.read_bytes(), "as if painted at once"
    sheets = [folder / "ukiyo_e-seed0-sheet.png" for folder in (Path("out"), Path("whole"))]
    assert np.array_equal(pixels(sheets[0]), pixels(sheets[1])), "the sheet shows all of them"
    again = paint(asked("ukiyo_e"), count=3)
    assert (again.painted, len(again.present), again.sheets) == ([], 3, [])
    assert len(paint(asked("ukiyo_e"), count=3, overwrite=True).painted) == 3


def test_a_single_painting_that_exists_is_an_error() -> None:
    paint(asked("ukiyo_e"), count=1)
    with pytest.raises(OutputError, match=r"out/ukiyo_e-seed0-00000.png exists; pass --overwrite"):
        paint(asked("ukiyo_e"), count=1)


def test_all_classes_come_unless_fewer_are_asked_for() -> None:
    many = SPEC._replace(classes=tuple(f"class {number}" for number in range(20)))
    outcome = paint([round_the_classes(many)], many)
    assert len(outcome.painted) == 20
    assert [sheet.name for sheet in outcome.sheets] == ["all-classes-seed0-sheet.png"]
    few = paint([round_the_classes(many, 3)], many, output="few", count=3)
    assert [sheet.name for sheet in few.sheets] == ["3-of-20-classes-seed0-sheet.png"]
    assert len(paint(asked("ukiyo_e"), output="one").painted) == PAINTINGS


def test_a_painter_without_classes_paints_from_noise() -> None:
    none = SPEC._replace(classes=())
    outcome = paint([round_the_classes(none, 3)], none, count=3)
    assert names(outcome) == [f"painting-seed0-0000{number}.png" for number in range(3)]
    assert [sheet.name for sheet in outcome.sheets] == ["paintings-seed0-sheet.png"]
    assert len({path.read_bytes() for path in outcome.painted}) == 3


def test_classes_of_one_file_name_are_kept_apart() -> None:
    alike = ImageSpec(3, 8, ("a b", "a/b"))
    with pytest.raises(OutputError, match="two classes would both become out/a-b-seed0-00000.png"):
        paint(asked(*alike.classes, spec=alike), alike, count=1)


def test_progress_and_long_series() -> None:
    told: list[tuple[float, int]] = []
    outcome = paint_class_files(
        asked("baroque"), colour_painter(), Path("out"), ClassOptions(count=130), lambda *done: told.append(done)
    )
    assert told[-1] == (130, 130)
    assert names(outcome)[-1] == "baroque-seed0-00129.png"
    with Image.open(outcome.sheets[0]) as sheet:
        assert sheet.width < 12 * 68, "a hundred are on the sheet, ten by ten"


def test_a_painter_of_photos_is_refused() -> None:
    with pytest.raises(PainterError, match=r"engraver \(cyclegan\) does not paint from classes"):
        paint_class_files([], load_painter("engraver"), Path("out"), ClassOptions())
    assert not Path("out").exists()
