"""`impasto paint` from classes, as a user types it, with a painter that learned for a second."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from impasto.painting import paint_classes
from impasto.painting.signature import read_signature
from tests.cli.conftest import STYLES
from tests.conftest import picture

Run = Callable[..., tuple[int, str, str]]


def test_classes_are_painted_with_a_sheet(impasto: Run, styles: str) -> None:
    code, out, _ = impasto("paint", "--painter", styles, "--class", "mosaic", "--count", 4, "--seed", 3)
    assert code == 0
    assert "Painting with styles (cdcgan)" in out
    assert "4 painted into paintings" in out
    assert "together: paintings/mosaic-seed3-sheet.png" in out
    assert sorted(path.name for path in Path("paintings").iterdir()) == [
        *(f"mosaic-seed3-0000{number}.png" for number in range(4)),
        "mosaic-seed3-sheet.png",
    ]
    with Image.open("paintings/mosaic-seed3-00000.png") as painting:
        assert painting.size == (32, 32)
    code, out, _ = impasto("about", "paintings/mosaic-seed3-00002.png")
    assert {"styles", "cdcgan", "mosaic"} <= set(out.split())


def test_mixtures_are_scaled_and_said(impasto: Run, styles: str) -> None:
    code, out, _ = impasto(
        "paint", "--painter", styles, "--mix", "mosaic=0.6,flat=0.8", "--count", 1, "--format", "webp"
    )
    assert code == 0
    assert "note: The weights of --mix add up to 1.4; they are scaled to 0.43 and 0.57." in out
    (painting,) = Path("paintings").iterdir()
    assert painting.name == "mosaic-0.43+flat-0.57-seed0-00000.webp"
    assert read_signature(painting)["classes"] == {"mosaic": 0.428571, "flat": 0.571429}


def test_all_classes_take_turns_unasked_with_the_newest_run(impasto: Run, styles: str) -> None:
    code, out, _ = impasto("paint", "--count", 6, "--set", "truncation=0.5", "--output", "out")
    assert code == 0, out
    classes = [
        read_signature(path)["class"] for path in sorted(Path("out").glob("*-0000?.png"), key=lambda p: p.stem[-2:])
    ]
    assert sorted(classes[:5]) == sorted(STYLES)
    assert classes[5] == classes[0]
    assert Path("out/all-classes-seed0-truncation0.5-sheet.png").is_file()


def test_painting_again_paints_what_is_missing(impasto: Run, styles: str) -> None:
    arguments = ["paint", "--painter", styles, "--class", "flat", "--count"]
    impasto(*arguments, 3)
    code, out, _ = impasto(*arguments, 5)
    assert code == 0
    assert "2 painted into paintings, 3 already there (--overwrite paints them again)" in out
    code, out, _ = impasto(*arguments, 5)
    assert code == 0
    assert "0 painted into paintings, 5 already there" in out
    assert "together" not in out


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [(["paint", "--class", "flat"], "what was painted is kept")],
)
def test_ctrl_c_prints_what_is_kept(
    arguments: list[str], kept: str, impasto: Run, styles: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(paint_classes, "class_pictures", stopped)
    code, _, err = impasto(*arguments, "--painter", styles)
    assert code == 130
    assert f"Stopped; {kept}, and the same command" in err


MISTAKES: dict[str, tuple[list[str], str]] = {
    "photos and classes": (["paint", "photo.png", "--class", "flat"], "photos and --class do not go together"),
    "photos and count": (["paint", "photo.png", "--count", "3"], "photos and --count do not go together"),
    "class and mix": (["paint", "--class", "flat", "--mix", "flat=1"], "--class and --mix do not go together"),
    "photos for classes": (["paint", "photo.png", "--painter", "STYLES"], "styles paints from classes, not from photos; use impasto paint --painter runs/styles --class NAME, where NAME is one of"),
    "classes for photos": (["paint", "--painter", "engraver", "--class", "flat"], "engraver paints from photos and does not know --class; use impasto paint PHOTO --painter engraver"),
    "nothing for photos": (["paint", "--painter", "engraver"], "engraver paints from photos; name them: impasto paint PHOTO"),
    "size from noise": (["paint", "--painter", "STYLES", "--size", "64"], "--size: styles paints at 32 pixels; leave it out"),
    "no size": (["paint", "photo.png", "--size", "large"], "--size: large is not a short side to paint at; use a number of pixels, 16 or more, or own"),
    "small size": (["paint", "photo.png", "--size", "15"], "--size: 15 is not a short side to paint at; use"),
    "unknown class": (["paint", "--painter", "STYLES", "--class", "mosaik"], "--class: the painter knows no class mosaik; did you mean mosaic?"),
    "unknown class in a mix": (["paint", "--painter", "STYLES", "--mix", "mosaik=1"], "--mix: the painter knows no class mosaik; did you mean mosaic?"),
    "no weight": (["paint", "--painter", "STYLES", "--mix", "mosaic=-1,flat=2"], "--mix: mosaic=-1 has no weight of 0 or more"),
    "painted before": (["paint", "--painter", "STYLES", "--class", "flat", "--count", "1", "--output", "before"], "before/flat-seed0-00000.png exists; pass --overwrite to replace it, or choose another --output"),
    "unwritable": (["paint", "--painter", "STYLES", "--output", "photo.png/out"], "photo.png/out cannot be written"),
    "total of a mix": (["paint", "--painter", "STYLES", "--mix", "mosaic=1e308,flat=1e308"], "--mix: the weights add up to inf; use weights such as 0.6 and 0.4"),
    "no truncation": (["paint", "--painter", "STYLES", "--set", "truncation=0"], "--set: styles: paint.truncation: must be a number above 0, not 0"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_get_one_clear_sentence_and_exit_code_2(mistake: str, impasto: Run, styles: str) -> None:
    picture(1).save("photo.png")
    Path("before").mkdir()
    for name in ("flat-seed0-00000.png", "a-judged.json", "a.gif"):
        Path("before", name).touch()
    before = sorted(Path().rglob("*"))
    arguments, expected = MISTAKES[mistake]
    code, _, err = impasto(*[styles if argument == "STYLES" else argument for argument in arguments])
    assert code == 2
    assert expected in err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1
    assert sorted(Path().rglob("*")) == before
