"""`impasto paint` from classes and `impasto figure`, as a user types them, with a painter that learned for a second."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from impasto.engine.train import train
from impasto.evaluation.extractors import Classified
from impasto.painting import figures, paint_classes, walk
from impasto.painting.painters import load_classifier
from impasto.painting.signature import read_signature
from impasto.recipe import load_recipe
from tests.conformance.tiny_methods import tiny
from tests.conftest import picture

Run = Callable[..., tuple[int, str, str]]
STYLES = ("strokes", "points", "mosaic", "hatching", "flat")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("trained") / "styles"
    small = ["method.width=4", "method.discriminator_width=4", "training.images=8", "training.batch_size=4"]
    often = ["every.scalars=8", "every.samples=8", "every.checkpoint=8", "training.precision=fp32"]
    train(load_recipe("cdcgan-atelier", [*small, *often]), run)
    return run


@pytest.fixture
def styles(trained: Path) -> str:
    shutil.copytree(trained, "runs/styles")
    return "runs/styles"


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
    assert "note: The weights of --mix add up to 1.4; taken as 0.43 and 0.57." in out
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


@pytest.mark.parametrize("kind", ["mixing", "sweep", "classes", "truncation"])
def test_figures_of_all_classes(kind: str, impasto: Run, styles: str) -> None:
    code, out, _ = impasto("figure", kind, "--painter", styles, "--seed", 2)
    assert code == 0
    grid = {"mixing": "5 x 5", "sweep": "5 x 5", "classes": "5 x 10", "truncation": "6 x 10"}[kind]
    assert f"{grid} paintings, {kind}.png" in out
    about = read_signature(Path(f"{kind}.png"))
    assert (about["painter"], about["seed"]) == ("styles", 2)


def test_figures_of_chosen_classes(impasto: Run, styles: str) -> None:
    code, out, _ = impasto("figure", "gallery", "--painter", styles, "--label", "flat", "--count", 12)
    assert code == 0
    assert "flat, seed 0: 2 x 8 paintings, gallery.png" in out
    ends = ["--label", "flat", "--to-label", "mosaic"]
    code, out, _ = impasto("figure", "interpolation", "--painter", styles, *ends, "--output", "strip.jpg")
    assert code == 0
    assert "From flat to mosaic, seed 0: 4 x 9 paintings, strip.jpg" in out
    assert read_signature(Path("strip.jpg"))["painter"] == "styles"


def test_a_walk_becomes_a_film(impasto: Run, styles: str) -> None:
    seeds = ["--seed", 1, "--to-seed", 2]
    code, out, _ = impasto("figure", "walk", "--painter", styles, "--label", "flat", *seeds, "--frames", 10)
    assert code == 0
    assert "From flat, seed 1, to flat, seed 2 and back: 10 frames, 0.5 s, walk.gif" in out
    with Image.open("walk.gif") as film:
        assert film.n_frames == 10
        assert json.loads(film.info["comment"])["seeds"] == [1, 2]


def test_a_walk_without_labels_says_where_it_begins(impasto: Run, styles: str) -> None:
    code, out, _ = impasto("figure", "walk", "--painter", styles, "--to-seed", 2, "--frames", 4)
    assert code == 0
    first = STYLES[0]
    assert f"note: no --label was said; walking from {first}" in out
    assert f"From {first}, seed 0, to {first}, seed 2 and back" in out
    code, out, _ = impasto("about", "walk.gif")
    assert code == 0
    assert "[0, 2]" in out
    Path("walk.mp4").touch()
    code, _, err = impasto("about", "walk.mp4")
    assert code == 2
    assert "walk.mp4 is a film; its comment says how it was made" in err


def test_figures_are_replaced_when_asked(impasto: Run, styles: str) -> None:
    for seed, said in ((1, ()), (2, ("--overwrite",))):
        code, _, _ = impasto("figure", "sweep", "--painter", styles, "--seed", seed, *said)
        assert code == 0
    assert read_signature(Path("sweep.png"))["seed"] == 2


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
    [(["paint", "--class", "flat"], "what was painted is kept"), (["figure", "sweep"], "nothing was written"),
     (["figure", "walk", "--to-seed", "1"], "nothing was written")],
)  # fmt: skip
def test_ctrl_c_is_said_in_a_line(
    arguments: list[str], kept: str, impasto: Run, styles: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for module, painting in (
        (paint_classes, "class_pictures"),
        (figures, "all_class_pictures"),
        (walk, "all_class_pictures"),
    ):
        monkeypatch.setattr(module, painting, stopped)
    code, _, err = impasto(*arguments, "--painter", styles)
    assert code == 130
    assert f"Stopped; {kept}, and the same command" in err


def test_a_judge_says_how_much_of_both_classes_it_sees(
    impasto: Run, styles: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tiny("inception-classifier"), Path("runs/judge"))
    order = load_classifier("judge").classes
    probabilities = torch.tensor([0.4, 0.3, 0.2, 0.06, 0.04])

    def look(self: Classified, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return images.new_zeros(len(images), 1).float(), probabilities.expand(len(images), -1)

    monkeypatch.setattr(Classified, "look", look)
    code, out, _ = impasto("figure", "mixing", "--painter", styles, "--judge", "judge")
    assert code == 0
    assert "judge gives the two classes 40.0% of its probability (guessing 40.0%), a class alone 20.0%" in out
    record = json.loads(Path("mixing-judged.json").read_text())
    of = dict(zip(order, probabilities.tolist(), strict=True))
    for row, one in enumerate(record["classes"]):
        for column, other in enumerate(record["classes"]):
            expected = of[one] if row == column else of[one] + of[other]
            assert record["shares"][row][column] == pytest.approx(expected, abs=1e-4)


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
    "no weight": (["paint", "--painter", "STYLES", "--mix", "mosaic=-1,flat=2"], "--mix: mosaic=-1 gives no weight of 0 or more"),
    "painted before": (["paint", "--painter", "STYLES", "--class", "flat", "--count", "1", "--output", "before"], "before/flat-seed0-00000.png exists; pass --overwrite"),
    "unwritable": (["paint", "--painter", "STYLES", "--output", "photo.png/out"], "photo.png/out cannot be written"),
    "figure of photos": (["figure", "sweep", "--painter", "engraver"], "engraver (cyclegan) does not paint from classes"),
    "figure's name": (["figure", "sweep", "--painter", "STYLES", "--output", "a.gif"], "a.gif is no picture's name; let it end in .png, .jpg or .webp"),
    "figure's label": (["figure", "sweep", "--painter", "STYLES", "--label", "flat"], "flat: the figure shows all classes of class; leave that class out"),
    "figure's attribute": (["figure", "mixing", "--painter", "STYLES", "--attribute", "genre"], "knows no attribute genre; there is class"),
    "gallery of two": (["figure", "gallery", "--painter", "STYLES", "--label", "flat", "--label", "mosaic"], "flat, mosaic are several classes"),
    "unknown judge": (["figure", "mixing", "--painter", "STYLES", "--judge", "juge"], "there is no classifier juge"),
    "film's name": (["figure", "walk", "--painter", "STYLES", "--label", "flat", "--output", "a.png"], "a.png is no film's name; let it end in .gif or .mp4"),
    "total of a mix": (["paint", "--painter", "STYLES", "--mix", "mosaic=1e308,flat=1e308"], "--mix: the weights add up to inf; say weights such as 0.6 and 0.4"),
    "no truncation": (["paint", "--painter", "STYLES", "--set", "truncation=0"], "--set: styles: paint.truncation: must be greater than 0, not 0"),
    "no number": (["paint", "--painter", "STYLES", "--set", "truncation=.nan"], "--set: styles: paint.truncation: must be greater than 0, not nan"),
    "endless": (["paint", "--painter", "STYLES", "--set", "truncation=.inf"], "--set: styles: paint.truncation: must be a finite number above 0, such as 0.7, not inf"),
    "drawn before": (["figure", "sweep", "--painter", "STYLES", "--output", "photo.png"], "photo.png exists; say --overwrite to replace it"),
    "judged before": (["figure", "mixing", "--painter", "STYLES", "--judge", "engraver", "--output", "before/a.png"], "before/a-judged.json exists; say --overwrite"),
    "filmed before": (["figure", "walk", "--painter", "STYLES", "--to-seed", "1", "--output", "before/a.gif"], "before/a.gif exists; say --overwrite"),
    "illegible": (["figure", "gallery", "--painter", "STYLES", "--label", "flat", "--count", "2000", "--columns", "1"], "2,000 rows of 1 paintings would leave 1 pixels for each; ask for fewer"),
    "no way": (["figure", "interpolation", "--painter", "STYLES", "--label", "flat", "--to-label", "Flat"], "--to-label: both ends are flat, so nothing would change"),
    "walk to the same": (["figure", "walk", "--painter", "STYLES", "--label", "flat"], "nothing would move"),
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
