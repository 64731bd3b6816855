"""What is evaluated of a painter is what `impasto paint` paints."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from impasto.errors import EvaluationError
from impasto.evaluation.images import Drawn, ImageSet, open_pictures, painted_set
from impasto.evaluation.subject import SubjectOptions, painted
from impasto.painter import LatentPaintOptions
from impasto.painting.class_requests import requested
from impasto.painting.option_list import with_options
from impasto.painting.paint_classes import ClassOptions, Outcome, Series, paint_class_files, round_the_classes
from impasto.painting.paint_files import paint_files
from impasto.painting.painters import LoadedPainter, load_painter
from tests.conftest import picture
from tests.painting.colour_painter import SPEC, STYLES, TWO_ATTRIBUTES, colour_painter
from tests.painting.toy_painters import Optimised, Restyled, toy_recipe


def drawn(painter: LoadedPainter, count: int, seed: int = 3) -> ImageSet:
    return painted(painter, painter.name, SubjectOptions(images=count, seed=seed))


def files(painter: LoadedPainter, series: list[Series], count: int, output: str = "out") -> Outcome:
    return paint_class_files(series, painter, Path(output), ClassOptions(count=count, seed=3))


def pixels(path: Path) -> torch.Tensor:
    with Image.open(path) as opened:
        return torch.from_numpy(np.array(opened.convert("RGB"))).permute(2, 0, 1)


def test_image_i_is_the_file_with_number_i() -> None:
    painter = colour_painter()
    images = drawn(painter, 21)
    paths = files(painter, [round_the_classes(SPEC)], 21).painted
    for place, path in enumerate(paths):
        assert path.name == f"{images.labels[place]}-seed3-{place:05d}.png"
        assert torch.equal(images.picture(place), pixels(path))
    of_one = files(painter, [Series(one.name, [one]) for one in requested(SPEC, ["baroque"])], 18, "one").painted
    for place in range(STYLES.index("baroque"), 18, len(STYLES)):
        assert torch.equal(images.picture(place), pixels(of_one[place]))


def test_images_of_several_attributes_are_the_files_of_both_classes() -> None:
    painter = colour_painter(TWO_ATTRIBUTES)
    images = drawn(painter, 4)
    assert list(images.labels) == ["ukiyo_e", "baroque", "other", "ukiyo_e"]
    (both,) = requested(TWO_ATTRIBUTES, ["style=ukiyo_e", "genre=other"])
    paths = files(painter, [Series(both.name, [both])], 4).painted
    assert torch.equal(images.picture(3), pixels(paths[3])), "the fourth is the first style with the second genre"


def test_paint_options_apply_and_change_what_is_remembered() -> None:
    usual, truncated = colour_painter(), with_options(colour_painter(), ["truncation=0.1"])
    (path, *_) = files(truncated, [round_the_classes(SPEC)], 3).painted
    assert torch.equal(drawn(truncated, 3).picture(0), pixels(path))
    assert not torch.equal(drawn(usual, 3).picture(0), pixels(path))
    digests = [drawn(painter, 3).digest for painter in (usual, truncated, with_options(usual, ["truncation=null"]))]
    assert digests[0] == digests[2] != digests[1]
    assert drawn(usual, 3, seed=4).digest != digests[0]


def test_a_painter_without_classes_has_no_labels() -> None:
    images = drawn(colour_painter(SPEC._replace(classes=())), 5)
    assert images.labels == [None] * 5
    assert images.picture(0).shape == (3, 8, 8)
    assert not torch.equal(images.picture(0), images.picture(1))


def test_paintings_of_photos_are_those_of_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also by a painter that needs gradients and has no training."""
    painter = with_options(load_painter(toy_recipe(monkeypatch, Optimised)), ["steps=2"])
    Path("photos").mkdir()
    for number in range(3):
        picture(number, 32, 24).save(f"photos/{number}.png")
    images = painted(painter, "toy.yaml", SubjectOptions(photos="photos", size=24))
    paths = paint_files([Path("photos")], painter, Path("out")).painted
    assert len(images) == len(paths) == 3
    for place, path in enumerate(paths):
        assert torch.equal(images.picture(place), pixels(path))
    assert painted(painter, "toy.yaml", SubjectOptions(photos="photos")).picture(0).shape == (3, 256, 341)


def test_what_cannot_be_evaluated_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    painter = load_painter(toy_recipe(monkeypatch, Optimised))
    with pytest.raises(EvaluationError, match=r"^toy\.yaml paints from photos; pass --photos DIR$"):
        painted(painter, "toy.yaml", SubjectOptions())
    styled = load_painter(toy_recipe(monkeypatch, Restyled))
    with pytest.raises(EvaluationError, match="toy.yaml paints neither from photos alone nor from classes"):
        painted(styled, "toy.yaml", SubjectOptions(photos="gone"))


def test_the_kind_of_prompt_decides_and_photos_of_a_painter_of_classes_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    picture(1).save("photos/a.png")
    photos = open_pictures("photos")
    found = painted_set(
        colour_painter().painter, LatentPaintOptions(), "x", "v1", SPEC, photos=photos, short_side=8, count=2
    )
    assert isinstance(found, Drawn)
