"""A walk goes from one idea to the other and back, and becomes a film that players can open."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from impasto.data.prompts import ClassPrompt
from impasto.errors import ImpastoError, OutputError
from impasto.painting import films
from impasto.painting.class_pictures import class_pictures
from impasto.painting.class_requests import requested_one
from impasto.painting.films import check_film, write_film
from impasto.painting.latents import drawn_latents
from impasto.painting.signature import read_signature
from impasto.painting.walk import Idea, there, walk_frames
from tests.painting.colour_painter import SPEC, colour_painter

PAINTER = colour_painter()


@pytest.fixture(autouse=True)
def _in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("impasto.painting.paint.has_bf16", lambda _: False)


def idea(name: str, seed: int) -> Idea:
    return Idea(requested_one(SPEC, [name]), seed, drawn_latents(5, seed, [0])[0])


def painted(where: Idea) -> bytes:
    (picture,) = class_pictures(PAINTER, ClassPrompt(where.request.weights[None], where.latent[None]))
    return picture.tobytes()


@pytest.mark.parametrize("frames", [2, 5, 12, 40])
def test_a_walk_goes_there_and_back(frames: int) -> None:
    start, end = idea("ukiyo_e", 1), idea("baroque", 2)
    film = [frame.tobytes() for frame in walk_frames(PAINTER, start, end, frames)]
    assert len(film) == frames
    assert film[0] == painted(start)
    assert film[1:] == film[:0:-1], "the way back is the way there"
    if frames % 2 == 0:
        assert film[frames // 2] == painted(end)


def test_a_walk_is_slow_at_both_ends() -> None:
    steps = there(40).diff()
    assert (steps > 0).all()
    assert steps[0] < steps[10] / 4
    assert torch.allclose(steps, steps.flip(0), atol=1e-6)


def test_a_gif_repeats_with_few_colours_and_says_how_it_was_made() -> None:
    frames = walk_frames(PAINTER, idea("ukiyo_e", 1), idea("baroque", 2), 10)
    write_film(frames, Path("walk.gif"), {"painter": "colours"})
    with Image.open("walk.gif") as film:
        assert film.n_frames == 10
        assert film.size == (256, 256)
        assert film.info["loop"] == 0
        assert film.info["duration"] == 50
        assert json.loads(film.info["comment"]) == {"painter": "colours"}
        assert read_signature(Path("walk.gif")) == {"painter": "colours"}
        for number, frame in enumerate(frames):
            film.seek(number)
            shown = np.asarray(film.convert("RGB")).astype(int)[::32, ::32]
            assert np.abs(shown - np.asarray(frame)).mean() < 25


def test_an_mp4_opens_and_has_even_sides() -> None:
    av = pytest.importorskip("av")
    odd = [Image.new("RGB", (27, 27), (20 * number, 80, 160)) for number in range(8)]
    write_film(odd, Path("walk.mp4"), {"painter": "colours"})
    with av.open("walk.mp4") as film:
        assert json.loads(film.metadata["comment"]) == {"painter": "colours"}
        shown = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(shown) == 8
    assert shown[0].shape == (270, 270, 3)
    assert abs(int(shown[7][..., 0].mean()) - 140) < 8


def test_a_film_needs_a_films_name_and_mp4_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OutputError, match=r"walk.png is not a film's name; use a name that ends in .gif or .mp4"):
        check_film(Path("walk.png"))
    monkeypatch.setitem(sys.modules, "av", None)
    check_film(Path("walk.gif"))
    with pytest.raises(ImpastoError, match=r'pip install "impasto\[video\]", or an --output that ends in .gif'):
        check_film(Path("walk.mp4"))


def test_nothing_is_left_of_a_film_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(films, "_write_gif", full)
    with pytest.raises(OutputError, match=r"walk.gif cannot be written \(No space left on device\)"):
        write_film([Image.new("RGB", (8, 8))], Path("walk.gif"), {})
    assert not list(Path().glob("*.gif*"))
