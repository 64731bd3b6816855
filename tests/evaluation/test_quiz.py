"""The quiz "real or painted?": which pictures it shows, and how answers are scored."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from scipy.stats import norm

from impasto.data.batches import ImageSpec
from impasto.errors import EvaluationError
from impasto.evaluation.images import Drawn, Pictures, open_pictures
from impasto.evaluation.quiz import (
    LARGEST_SIDE,
    Answers,
    Key,
    Quiz,
    Score,
    Shown,
    draw_quiz,
    pooled,
    read_answers,
    read_key,
    score,
    verdict,
)
from impasto.evaluation.top1 import wilson
from impasto.painter import PaintOptions
from tests.conftest import picture
from tests.evaluation.toy_painters import Noise

KEY = Key(
    quiz="a1",
    generated="paintings",
    against="monets",
    seed=0,
    pictures=tuple(Shown(kind=kind, name=f"{kind}.png") for kind in ("real", "painted", "painted", "real")),
)
SWAPPED = {"real": "painted", "painted": "real"}


@pytest.fixture
def sides(tmp_path: Path, make_pictures: Callable[..., Path]) -> tuple[Pictures, Pictures]:
    """Nine generated pictures and seven real ones, of many sizes."""
    generated, real = make_pictures(tmp_path / "generated", 9), make_pictures(tmp_path / "real", 7, seed=50)
    return open_pictures(str(generated)), open_pictures(str(real))


def kinds(quiz: Quiz) -> list[str]:
    return [shown.kind for shown in quiz.key.pictures]


def given_answers(*answers: str, name: str = "Ada", quiz: str = "a1") -> Answers:
    return Answers.model_validate({"quiz": quiz, "name": name, "answers": answers})


def saved(file: Path, *answers: str, name: str = "Ada", quiz: str = "a1") -> Path:
    file.write_text(json.dumps({"quiz": quiz, "name": name, "answers": answers}))
    return file


# Drawing


def test_half_are_real_none_twice_and_the_key_matches_the_pictures(
    tmp_path: Path, sides: tuple[Pictures, Pictures]
) -> None:
    quiz = draw_quiz(*sides, each=5)
    assert sorted(kinds(quiz)) == ["painted"] * 5 + ["real"] * 5
    assert len({(shown.kind, shown.name) for shown in quiz.key.pictures}) == 10
    for shown, square in zip(quiz.key.pictures, quiz.pictures, strict=True):
        folder = tmp_path / {"real": "real", "painted": "generated"}[shown.kind]
        with Image.open(folder / shown.name) as original:
            expected = np.asarray(ImageOps.fit(original, square.shape[1:], Image.Resampling.BICUBIC), dtype=float)
        assert np.abs(square.permute(1, 2, 0).numpy() - expected).mean() < 2


def test_the_order_is_that_of_the_seed(sides: tuple[Pictures, Pictures]) -> None:
    first, again, other = (draw_quiz(*sides, each=7, seed=seed) for seed in (3, 3, 4))
    assert first.key == again.key
    assert all(torch.equal(one, two) for one, two in zip(first.pictures, again.pictures, strict=True))
    assert kinds(first) != kinds(other)
    assert first.key.quiz != other.key.quiz


def test_one_key_does_not_reveal_another_with_the_same_seed(sides: tuple[Pictures, Pictures]) -> None:
    assert kinds(draw_quiz(*sides, each=7)) != kinds(draw_quiz(*reversed(sides), each=7))


def test_all_are_squares_of_the_shortest_side_and_small_enough(
    tmp_path: Path, sides: tuple[Pictures, Pictures]
) -> None:
    assert {tuple(square.shape) for square in draw_quiz(*sides, each=7).pictures} == {(3, 30, 30)}
    for number, (width, height) in enumerate([(300, 700), (900, 400)]):
        (tmp_path / str(number)).mkdir()
        picture(number, width, height).save(tmp_path / str(number) / "large.png")
    large = draw_quiz(*(open_pictures(str(tmp_path / side)) for side in "01"), each=1)
    assert {tuple(square.shape) for square in large.pictures} == {(3, LARGEST_SIDE, LARGEST_SIDE)}


def test_unreadable_pictures_are_skipped_until_too_few_are_left(tmp_path: Path, make_pictures) -> None:
    generated, real = make_pictures(tmp_path / "generated", 4), make_pictures(tmp_path / "real", 4, seed=50)
    (real / "02.png").write_bytes(b"torn")
    sets = open_pictures(str(generated)), open_pictures(str(real))
    assert "02.png" not in {shown.name for shown in draw_quiz(*sets, each=3).key.pictures if shown.kind == "real"}
    with pytest.raises(EvaluationError, match=r"real has 3 readable pictures and the quiz needs 4 .*--each"):
        draw_quiz(*sets, each=4)


def test_too_few_pictures_are_an_error_before_anything_is_painted(sides: tuple[Pictures, Pictures]) -> None:
    told: list[tuple[int, int]] = []
    with pytest.raises(EvaluationError, match="real has 7 readable pictures .* needs 8"):
        draw_quiz(*sides, each=8, progress=lambda *of: told.append(of))
    assert told == []
    draw_quiz(*sides, each=2, progress=lambda *of: told.append(of))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_painter_from_noise_paints_no_more_groups_than_are_shown(sides: tuple[Pictures, Pictures]) -> None:
    noise = Noise(side=40)
    drawn = Drawn(noise, PaintOptions(), "noise", "noise", ImageSpec(3, 16), 10_000, seed=0)
    quiz = draw_quiz(drawn, sides[1], each=7)
    assert kinds(quiz).count("painted") == 7
    assert len(noise.asked) == 1


# Scoring


def test_all_right_and_all_wrong() -> None:
    right = [shown.kind for shown in KEY.pictures]
    best = score(given_answers(*right), KEY)
    assert best == Score("Ada", hits=2, painted=2, false_alarms=0, real=2)
    assert best.accuracy.value == 1
    worst = score(given_answers(*(SWAPPED[kind] for kind in right)), KEY)
    assert worst.accuracy.value == 0
    assert worst.d_prime == pytest.approx(-best.d_prime)


def test_hits_and_false_alarms_are_painted_and_real_pictures_called_painted() -> None:
    assert score(given_answers("painted", "painted", "painted", "real"), KEY)[1:] == (2, 2, 1, 2)
    assert score(given_answers("real", "real", "painted", "real"), KEY)[1:] == (1, 2, 0, 2)


def test_d_prime_by_hand() -> None:
    assert Score("", 20, 20, 0, 20).d_prime == pytest.approx(2 * norm.ppf(20.5 / 21))
    assert Score("", 15, 20, 6, 20).d_prime == pytest.approx(norm.ppf(15.5 / 21) - norm.ppf(6.5 / 21))
    assert Score("", 7, 20, 7, 20).d_prime == 0
    assert Score("", 20, 20, 20, 20).d_prime == 0


@given(st.integers(1, 60), st.data())
def test_d_prime_does_not_depend_on_what_is_called_a_hit(each: int, data: st.DataObject) -> None:
    hits, alarms = (data.draw(st.integers(0, each)) for _ in range(2))
    one, other = Score("", hits, each, alarms, each), Score("", each - alarms, each, each - hits, each)
    assert one.d_prime == pytest.approx(other.d_prime)
    assert one.accuracy == other.accuracy
    assert (one.d_prime > 0) == (one.accuracy.value > 0.5)


def test_accuracy_has_wilsons_interval_and_people_are_pooled() -> None:
    scores = [Score("Ada", 15, 20, 6, 20), Score("Bob", 11, 20, 9, 20)]
    assert scores[0].accuracy == (29 / 40, wilson(29, 40), 29, 40)
    assert pooled(scores)[1:] == (26, 40, 15, 40)
    assert pooled(scores).accuracy.of == 80


@pytest.mark.parametrize(
    ("hits", "alarms", "says"),
    [(20, 0, "can be distinguished: more"), (11, 9, "no better than guessing"), (0, 20, "are mistaken for each other")],
)
def test_the_verdict_compares_with_guessing(hits: int, alarms: int, says: str) -> None:
    assert says in verdict(Score("", hits, 20, alarms, 20))


# Files


def test_answers_are_read_back(tmp_path: Path) -> None:
    right = [shown.kind for shown in KEY.pictures]
    files = [saved(tmp_path / "1.json", *right), saved(tmp_path / "2.json", *right[::-1], name="Bob\x1b[31m\u202e")]
    assert [sheet.name for sheet in read_answers(files, KEY)] == ["Ada", "Bob?[31m?"]
    (tmp_path / "key.json").write_text(json.dumps(KEY.model_dump()))
    assert read_key(tmp_path / "key.json") == KEY


def test_answers_to_another_quiz_are_refused(tmp_path: Path) -> None:
    file = saved(tmp_path / "answers.json", "real", "real", "real", "real", quiz="b2")
    with pytest.raises(EvaluationError, match=r"answers\.json answers another quiz \(b2, not a1\)"):
        read_answers([file], KEY)


def test_nobody_is_counted_twice(tmp_path: Path) -> None:
    files = [saved(tmp_path / f"{number}.json", "real", "real", "real", "real") for number in range(2)]
    with pytest.raises(EvaluationError, match=r"0\.json and .*1\.json are both by Ada"):
        read_answers(files, KEY)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b"[]",
        b'{"quiz": "a1", "name": "Ada"}',
        b'{"quiz": "a1", "name": "", "answers": ["real", "real", "real", "real"]}',
        b'{"quiz": "a1", "name": "Ada", "answers": ["real", "fake", "real", "real"]}',
        b'{"quiz": "a1", "name": "Ada", "answers": ["real", null, "real", "real"]}',
        b'{"quiz": "a1", "name": "Ada", "answers": ["real"]}',
    ],
)
def test_damaged_answers_are_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "torn.json").write_bytes(content)
    with pytest.raises(EvaluationError, match=r"torn\.json is .*(damaged|not a file of answers)") as told:
        read_answers([tmp_path / "torn.json"], KEY)
    assert "\n" not in str(told.value)


def test_a_damaged_or_missing_key_is_named(tmp_path: Path) -> None:
    uneven = KEY.model_dump() | {"pictures": [{"kind": "real", "name": ""}, {"kind": "real", "name": ""}]}
    for content in (uneven, KEY.model_dump() | {"pictures": []}, {}):
        (tmp_path / "key.json").write_text(json.dumps(content))
        with pytest.raises(EvaluationError, match=r"key\.json is not the key of a quiz, or damaged"):
            read_key(tmp_path / "key.json")
    with pytest.raises(EvaluationError, match=r"no\.json cannot be read"):
        read_key(tmp_path / "no.json")
