"""`impasto figure` as a user types it, with a painter that learned for a second."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from impasto.engine.train import train
from impasto.evaluation.extractors import Classified
from impasto.painting import class_pictures
from impasto.painting.painters import load_classifier
from impasto.painting.signature import read_signature
from impasto.recipe import load_recipe
from tests.cli.conftest import STYLES
from tests.conftest import picture

Run = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize("kind", ["mixing", "sweep", "classes", "truncation"])
def test_figures_of_all_classes(kind: str, impasto: Run, styles: str) -> None:
    code, out, _ = impasto("figure", kind, "--painter", styles, "--seed", 2)
    assert code == 0
    grid = {"mixing": "5 x 5", "sweep": "5 x 5", "classes": "5 x 10", "truncation": "6 x 10"}[kind]
    assert f"{grid} paintings, {kind}.png" in out
    about = read_signature(Path(f"{kind}.png"))
    assert (about["painter"], about["seed"]) == ("styles", 2)


def test_figures_of_chosen_classes(impasto: Run, styles: str) -> None:
    code, out, _ = impasto("figure", "gallery", "--painter", styles, "--class", "flat", "--count", 12)
    assert code == 0
    assert "flat, seed 0: 2 x 8 paintings, gallery.png" in out
    ends = ["--class", "flat", "--to-class", "mosaic"]
    code, out, _ = impasto("figure", "interpolation", "--painter", styles, *ends, "--output", "strip.jpg")
    assert code == 0
    assert "From flat to mosaic, seed 0: 4 x 9 paintings, strip.jpg" in out
    assert read_signature(Path("strip.jpg"))["painter"] == "styles"


def test_a_walk_becomes_a_film(impasto: Run, styles: str) -> None:
    seeds = ["--seed", 1, "--to-seed", 2]
    code, out, _ = impasto("figure", "walk", "--painter", styles, "--class", "flat", *seeds, "--frames", 10)
    assert code == 0
    assert "From flat, seed 1, to flat, seed 2 and back: 10 frames, 0.5 s, walk.gif" in out
    with Image.open("walk.gif") as film:
        assert film.n_frames == 10
        assert json.loads(film.info["comment"])["seeds"] == [1, 2]


def test_a_walk_without_a_class_prints_where_it_begins(impasto: Run, styles: str) -> None:
    code, out, _ = impasto("figure", "walk", "--painter", styles, "--to-seed", 2, "--frames", 4)
    assert code == 0
    first = STYLES[0]
    assert f"note: without --class, the walk begins at {first}" in out
    assert f"From {first}, seed 0, to {first}, seed 2 and back" in out
    code, out, _ = impasto("about", "walk.gif")
    assert code == 0
    assert "[0, 2]" in out
    Path("walk.mp4").touch()
    code, _, err = impasto("about", "walk.mp4")
    assert code == 2
    assert "walk.mp4 is an MP4 film; use ffprobe or a player" in err


def test_figures_are_replaced_with_overwrite(impasto: Run, styles: str) -> None:
    for seed, option in ((1, ()), (2, ("--overwrite",))):
        code, _, _ = impasto("figure", "sweep", "--painter", styles, "--seed", seed, *option)
        assert code == 0
    assert read_signature(Path("sweep.png"))["seed"] == 2


@pytest.mark.parametrize("figure", [["sweep"], ["walk", "--to-seed", "1"]])
def test_ctrl_c_writes_nothing_and_says_so(
    figure: list[str], impasto: Run, styles: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(class_pictures, "class_pictures", stopped)
    code, _, err = impasto("figure", *figure, "--painter", styles)
    assert (code, err) == (130, "Stopped; nothing was written, and the same command starts again.\n")
    assert {path.name for path in Path().iterdir()} == {"runs"}


def test_a_classifier_measures_how_much_of_both_classes_it_sees(
    impasto: Run, styles: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = ["method.width=2", "method.train=all", "method.weights=none", "data.image_size=76", "data.resize=80"]
    short = [
        "training.images=8",
        "training.batch_size=4",
        "training.schedule={kind: constant}",
        "every.metrics=8",
        "every.checkpoint=8",
    ]
    train(load_recipe("inception-classifier-atelier", [*small, *short]), Path("runs/classifier"))
    order = load_classifier("classifier").classes
    probabilities = torch.tensor([0.4, 0.3, 0.2, 0.06, 0.04])

    def compute(self: Classified, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return images.new_zeros(len(images), 1).float(), probabilities.expand(len(images), -1)

    monkeypatch.setattr(Classified, "compute", compute)
    code, out, _ = impasto("figure", "mixing", "--painter", styles, "--classifier", "classifier")
    assert code == 0
    assert (
        "classifier gives the two classes 40.0% of its probability (guessing 40.0%), and one class alone 20.0%" in out
    )
    record = json.loads(Path("mixing-classified.json").read_text())
    of = dict(zip(order, probabilities.tolist(), strict=True))
    for row, one in enumerate(record["classes"]):
        for column, other in enumerate(record["classes"]):
            expected = of[one] if row == column else of[one] + of[other]
            assert record["shares"][row][column] == pytest.approx(expected, abs=1e-4)


MISTAKES: dict[str, tuple[list[str], str]] = {
    "figure of photos": (["figure", "sweep", "--painter", "engraver"], "engraver (cyclegan) does not paint from classes"),
    "figure's name": (["figure", "sweep", "--painter", "STYLES", "--output", "a.gif"], "a.gif is no picture's name; use a name that ends in .png, .jpg or .webp"),
    "figure's class": (["figure", "sweep", "--painter", "STYLES", "--class", "flat"], "--class: flat: the figure shows all classes of class; leave that class out"),
    "figure's label": (["figure", "mixing", "--painter", "STYLES", "--label", "genre"], "knows no attribute genre; there is class"),
    "gallery of two": (["figure", "gallery", "--painter", "STYLES", "--class", "flat", "--class", "mosaic"], "flat, mosaic are several classes"),
    "unknown classifier": (["figure", "mixing", "--painter", "STYLES", "--classifier", "clasifier"], "--classifier: there is no classifier clasifier"),
    "film's name": (["figure", "walk", "--painter", "STYLES", "--class", "flat", "--output", "a.png"], "a.png is not a film's name; use a name that ends in .gif or .mp4"),
    "no number": (["figure", "sweep", "--painter", "STYLES", "--set", "truncation=nan"], "--set: styles: paint.truncation: must be a number above 0, not 'nan'"),
    "endless": (["figure", "walk", "--painter", "STYLES", "--to-seed", "1", "--set", "truncation=.inf"], "--set: styles: paint.truncation: must be a finite number above 0, such as 0.7, not inf"),
    "drawn before": (["figure", "sweep", "--painter", "STYLES", "--output", "photo.png"], "photo.png exists; pass --overwrite to replace it"),
    "classified before": (["figure", "mixing", "--painter", "STYLES", "--classifier", "engraver", "--output", "before/a.png"], "before/a-classified.json exists; pass --overwrite"),
    "filmed before": (["figure", "walk", "--painter", "STYLES", "--to-seed", "1", "--output", "before/a.gif"], "before/a.gif exists; pass --overwrite"),
    "illegible": (["figure", "gallery", "--painter", "STYLES", "--class", "flat", "--count", "2000", "--columns", "1"], "2,000 rows of 1 paintings would leave 1 pixels for each; use fewer"),
    "no way": (["figure", "interpolation", "--painter", "STYLES", "--class", "flat", "--to-class", "Flat"], "--to-class: both ends are flat, so nothing would change"),
    "walk to the same": (["figure", "walk", "--painter", "STYLES", "--class", "flat"], "all frames would be the same; pass another --to-seed or --to-class"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_get_one_clear_sentence_and_exit_code_2(mistake: str, impasto: Run, styles: str) -> None:
    picture(1).save("photo.png")
    Path("before").mkdir()
    for name in ("a-classified.json", "a.gif"):
        Path("before", name).touch()
    before = sorted(Path().rglob("*"))
    arguments, expected = MISTAKES[mistake]
    code, _, err = impasto(*[styles if argument == "STYLES" else argument for argument in arguments])
    assert code == 2
    assert expected in err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1
    assert sorted(Path().rglob("*")) == before
