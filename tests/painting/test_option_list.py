"""Painters without weights come from a recipe file, and paint options are listed, changed and checked by their paths."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.errors import PainterError, RecipeError
from impasto.painting.card import card_of
from impasto.painting.export import export_painter
from impasto.painting.option_list import ListedOption, listed_options, with_options
from impasto.painting.paint_files import paint_files
from impasto.painting.paint_picture import PhotoOptions, paint_picture
from impasto.painting.painters import Found, LoadedPainter, find_painter, load_painter
from impasto.painting.publish import push_painter
from impasto.painting.signature import read_signature
from impasto.recipe import load_recipe
from tests.conftest import picture
from tests.painting.colour_painter import colour_painter
from tests.painting.toy_painters import Optimised, ToyPaintOptions, toy_recipe

RECIPE = """
about: {does: Paints the negative of a photo., data: none, cost: nothing}
method: {name: toy, shade: 1}
paint: {steps: 7}"""


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> LoadedPainter:
    monkeypatch.setattr("impasto.painting.paint.has_bf16", lambda _: False)
    return load_painter(toy_recipe(monkeypatch, Optimised, RECIPE))


def test_a_painter_without_training_is_loaded_from_a_recipe_file(toy: LoadedPainter) -> None:
    assert find_painter("toy.yaml") == Found("toy", None, "toy.yaml")
    assert (toy.name, toy.images_seen, toy.fingerprint, toy.short_side) == ("toy", 0, "", 256)
    assert toy.options == ToyPaintOptions(steps=7)
    painting = paint_picture(picture(1, 40, 30), toy, PhotoOptions())
    negative = 255 - np.asarray(picture(1, 40, 30)).astype(int)
    expected = 127.5 + (negative - 127.5) * (1 - 0.5**7)
    assert np.abs(np.asarray(painting) - expected).max() <= 1


def test_options_reach_the_painting_and_its_signature(toy: LoadedPainter) -> None:
    picture(1).save("photo.png")
    changed = with_options(toy, ["steps=1", "sampler=fancy"])
    (painting,) = paint_files([Path("photo.png")], changed, Path("out")).painted
    assert read_signature(painting)["options"] == {"steps": 1, "sampler": "fancy", "mask": None}
    with Image.open(painting) as opened:
        grey = np.asarray(opened).astype(int)
    negative = 255 - np.asarray(picture(1)).astype(int)
    assert np.abs(grey - (127.5 + (negative - 127.5) / 2)).max() <= 1


def test_options_are_listed_with_their_values_and_meaning(toy: LoadedPainter) -> None:
    assert listed_options(toy) == [
        ListedOption("steps", "7", "Steps of the optimiser."),
        ListedOption("sampler", "plain", "How a step is made."),
        ListedOption("mask", "not set", "What stays white."),
    ]
    changed = with_options(toy, ["steps=50", "mask=sky"])
    assert [option.value for option in listed_options(changed)] == ["50", "plain", "sky"]
    assert toy.options == ToyPaintOptions(steps=7), "the painter itself is unchanged"
    assert with_options(toy, []) is toy


@pytest.mark.parametrize(
    ("settings", "problems"),
    [
        (["steps=0"], ["paint.steps: must be a whole number from 1 to 1000, not 0"]),
        (["steps=many"], ["paint.steps: must be a whole number from 1 to 1000, not 'many'"]),
        (["stepps=3"], ["paint.stepps: not an option of paint; did you mean steps?"]),
        (["sampler=slow"], ["paint.sampler: must be plain or fancy, not 'slow'"]),
        (["steps"], ["'steps' is not a setting; write NAME=VALUE, such as steps=50"]),
        (["=3"], ["'=3' is not a setting; write NAME=VALUE"]),
        (["steps=0", "zeal=3"], ["paint.steps: must be a whole number from 1", "paint.zeal: not an option of paint"]),
    ],
)
def test_mistakes_are_told_by_their_dotted_path(toy: LoadedPainter, settings: list[str], problems: list[str]) -> None:
    with pytest.raises(PainterError) as told:
        with_options(toy, settings)
    lines = str(told.value).splitlines()
    assert len(lines) == len(problems)
    for line, problem in zip(lines, problems, strict=True):
        assert line.startswith(f"toy: {problem}")


def test_options_of_a_painter_from_latents() -> None:
    painter = colour_painter()
    assert [(option.name, option.value) for option in listed_options(painter)] == [("truncation", "not set")]
    assert with_options(painter, ["truncation=0.7"]).options.truncation == 0.7  # type: ignore[attr-defined]
    for value, said in (
        ("0", "must be a number above 0, not 0"),
        (".inf", "must be a finite number above 0"),
        (".nan", "must be a number above 0, not nan"),
    ):
        with pytest.raises(PainterError, match=f"paint.truncation: .*{said}"):
            with_options(painter, [f"truncation={value}"])


def test_mistakes_in_the_recipe_of_a_painter(monkeypatch: pytest.MonkeyPatch) -> None:
    for text, said in (
        (
            "{method: {name: toy}, paint: {steps: 0}}",
            "toy.yaml: paint.steps: must be a whole number from 1 to 1000, not 0",
        ),
        ("{method: {name: toy}, data: {kind: atelier}}", "toy.yaml: data: not a block of a recipe"),
        ("{method: {name: toy, shade: 2}}", "toy.yaml: method.shade: must be"),
    ):
        with pytest.raises(RecipeError) as told:
            load_painter(toy_recipe(monkeypatch, Optimised, text))
        assert str(told.value).startswith(said)


def test_what_needs_weights_or_training_refuses(toy: LoadedPainter) -> None:
    found = find_painter("toy.yaml")
    assert card_of(toy, found) == (
        "# toy\n\nPaints the negative of a photo.\n\n- **Method**: toy, which does not learn.\n"
        "- **Paints from**: photos of any size.\n"
    )
    with pytest.raises(PainterError, match=r"^toy has no weights to publish"):
        push_painter(toy, found, "ada/toy")
    with pytest.raises(RecipeError, match=r"toy paints without learning; paint with it: impasto paint --painter toy\."):
        load_recipe("toy.yaml")
    with pytest.raises(PainterError, match="toy cannot be exported: toy does not paint with one traceable program"):
        export_painter(toy, Path("toy.pt2"), "torch")
    assert not Path("toy.pt2").exists()
