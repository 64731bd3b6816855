"""Paint options and style pictures as a user types them, with painters that need no training."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from impasto.painter import Painter
from impasto.painting.signature import read_signature
from tests.conftest import picture
from tests.painting.toy_painters import Darkening, Optimised, Restyled, toy_recipe

Run = Callable[..., tuple[int, str, str]]
RECIPE = "{about: {does: Paints a negative., data: none, cost: nothing}, method: {name: toy}, paint: {steps: 7}}"


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch) -> Callable[[type[Painter[Any]]], None]:
    """Return a function that ships a recipe `toy` with impasto, of a method without training."""

    def ship(method: type[Painter[Any]]) -> None:
        text = toy_recipe(monkeypatch, method, RECIPE if method is Optimised else "method: {name: toy}").read_text()
        for module in ("impasto.painting.painters", "impasto.recipe"):
            monkeypatch.setattr(f"{module}.shipped_recipes", lambda: ["toy"])
            monkeypatch.setattr(f"{module}.read_shipped", {"toy": text}.__getitem__)

    return ship


def test_options_are_listed_about_a_painter_and_set_while_painting(
    impasto: Run, shipped: Callable[[type[Painter[Any]]], None]
) -> None:
    shipped(Optimised)
    code, out, _ = impasto("about", "toy")
    assert code == 0
    assert out.startswith("# toy\n\nPaints a negative.\n\n- **Method**: toy, which does not learn.\n")
    assert out.endswith(
        "Options, changed by impasto paint --set NAME=VALUE:\n"
        "  steps = 7\n    Steps of the optimiser.\n"
        "  sampler = plain\n    How a step is made.\n"
        "  mask = not set\n    What stays white.\n"
    )
    picture(1).save("photo.png")
    settings = ["--set", "steps=1", "--set", "mask=sky"]
    for painter, output in (("toy", "by-name"), ("toy.yaml", "by-file")):
        code, out, _ = impasto("paint", "photo.png", "--painter", painter, *settings, "--output", output)
        assert code == 0
        assert "Painting with toy (toy)" in out
        about = read_signature(Path(output) / "photo.png")
        assert about["options"] == {"steps": 1, "sampler": "plain", "mask": "sky"}
    assert Path("by-name/photo.png").read_bytes() == Path("by-file/photo.png").read_bytes()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (["steps=0"], "--set: toy: paint.steps: "),
        (["stepps=3"], "--set: toy: paint.stepps: not an option of paint; did you mean steps?"),
        (["steps"], "--set: toy: 'steps' is not a setting; write NAME=VALUE, such as steps=50"),
    ],
)
def test_wrong_options_are_told_by_their_path(
    impasto: Run, monkeypatch: pytest.MonkeyPatch, settings: list[str], sentence: str
) -> None:
    toy_recipe(monkeypatch, Optimised)
    picture(1).save("photo.png")
    options = [part for setting in settings for part in ("--set", setting)]
    code, _, err = impasto("paint", "photo.png", "--painter", "toy.yaml", *options)
    assert (code, sentence in err) == (2, True)
    assert len(err.strip().splitlines()) == 1
    assert not Path("paintings").exists()


def test_a_photo_is_painted_in_the_style_of_a_picture(impasto: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    toy_recipe(monkeypatch, Restyled)
    picture(1).save("photo.png")
    Image.new("RGB", (20, 20), (130, 120, 110)).save("style.png")
    code, _, err = impasto("paint", "photo.png", "--painter", "toy.yaml")
    assert (code, err) == (2, "impasto: toy paints in the style of a picture; pass it with --style PICTURE\n")
    code, out, _ = impasto("paint", "photo.png", "--painter", "toy.yaml", "--style", "style.png")
    assert (code, "1 painted into paintings" in out) == (0, True)
    assert read_signature(Path("paintings/photo.png"))["style"] == "style.png"
    code, _, err = impasto("paint", "photo.png", "--painter", "engraver", "--style", "style.png")
    assert (code, "engraver takes no style picture; leave --style out" in err) == (2, True)
    code, _, err = impasto("paint", "--painter", "styles", "--style", "style.png")
    assert (code, "styles paints from classes, not from photos" in err) == (2, True)


def test_a_painter_without_classes_paints_from_noise(impasto: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    toy_recipe(monkeypatch, Darkening)
    picture(1).save("photo.png")
    code, _, err = impasto("paint", "photo.png", "--painter", "toy.yaml")
    assert (code, err) == (
        2, "impasto: toy paints from noise, not from photos; use impasto paint --painter toy.yaml --count 16\n"
    )  # fmt: skip
    code, out, _ = impasto("paint", "--painter", "toy.yaml", "--count", 3)
    assert (code, "3 painted into paintings" in out) == (0, True)
    levels = []
    for number in range(3):
        with Image.open(f"paintings/painting-seed0-0000{number}.png") as painting:
            levels.append(painting.getpixel((0, 0))[0])
    assert levels == [242, 242, 242], "pictures that are no frames of a film share no memory"
