"""The page of the quiz and its key; and `impasto quiz` from one end to the other."""

import json
import re

import numpy as np
import pytest
import typer
from PIL import Image

from impasto.cli import quiz as command
from impasto.cli.quiz import QuizOptions, quiz_command, score_command
from impasto.errors import EvaluationError, ImpastoError, OutputError
from impasto.evaluation.images import open_pictures
from impasto.evaluation.quiz import draw_quiz, read_key
from impasto.gallery.quiz_page import key_file, write_quiz
from tests.gallery.pages import Page, decoded

FLAT, NOISY = "flat-by-machine", "noisy-from-nature"


@pytest.fixture
def folders(tmp_path):
    """Generated pictures are flat and small, real ones noisy and large: all that the page must hide differs."""
    chance = np.random.default_rng(0)
    for number in range(6):
        for name, size, noise in ((FLAT, (64, 64), 0), (NOISY, (90, 120), 90)):
            (tmp_path / name).mkdir(exist_ok=True)
            pixels = 128 + chance.uniform(-noise, noise, (*size, 3)) + 5 * number
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(tmp_path / name / f"{name}-{number}.png")
    return tmp_path / FLAT, tmp_path / NOISY


@pytest.fixture
def quiz(folders):
    return draw_quiz(*(open_pictures(str(folder)) for folder in folders), each=5)


@pytest.fixture
def page(quiz, tmp_path):
    write_quiz(quiz, tmp_path / "quiz.html")
    return Page((tmp_path / "quiz.html").read_text("utf-8"))


def wishes(folders, tmp_path, **changed):
    said = {"against": str(folders[1]), "each": 5, "photos": None, "seed": 0, "device": "cpu", **changed}
    return QuizOptions(output=tmp_path / "quiz.html", **said)


def answered(page, key, name, right):
    """The file that the page saves: right answers to the first `right` pictures and wrong ones to the others."""
    other = {"real": "painted", "painted": "real"}
    kinds = [shown.kind for shown in key.pictures]
    answers = [kind if place < right else other[kind] for place, kind in enumerate(kinds)]
    return json.dumps({"quiz": page.all("form")[0]["data-quiz"], "name": name, "answers": answers})


def test_every_tag_closes_and_the_page_refers_to_nothing_outside_itself(page):
    assert page.open == []
    assert not re.search(r"https?://", page.html)
    assert "default-src 'none'; img-src data:" in page.html
    assert all(image["src"].startswith("data:image/") for image in page.all("img"))


def test_pictures_are_in_the_order_of_the_key(page, quiz):
    pictures = [decoded(image["src"]) for image in page.all("img")]
    assert ["real" if pixels.std() > 20 else "painted" for pixels in pictures] == [
        shown.kind for shown in quiz.key.pictures
    ]
    for pixels, square in zip(pictures, quiz.pictures, strict=True):
        assert np.abs(pixels.mean((0, 1)) - square.float().mean((1, 2)).numpy()).max() < 3


def test_only_pixels_differ_between_real_and_painted_pictures(page):
    images = page.all("img")
    assert {(image["width"], image["height"]) for image in images} == {("64", "64")}
    assert {image["src"].split(",")[0] for image in images} == {"data:image/jpeg;base64"}
    assert [image["alt"] for image in images] == [f"Picture {number}" for number in range(1, 11)]
    assert FLAT not in page.html
    assert NOISY not in page.html
    cards = re.findall(r"<li><fieldset>.*?</li>", page.html, re.DOTALL)
    alike = {re.sub(r"base64,[^\"]+|\d+", "", card) for card in cards}
    assert len(cards) == 10
    assert len(alike) == 1


def test_every_picture_has_one_choice_of_two(page):
    choices = [(choice["name"], choice["value"]) for choice in page.all("input", type="radio")]
    assert choices == [(f"picture-{number}", kind) for number in range(1, 11) for kind in ("real", "painted")]
    assert not any("checked" in choice for choice in page.all("input"))


def test_the_key_is_beside_the_page_and_belongs_to_it(page, quiz, tmp_path):
    assert key_file(tmp_path / "quiz.html") == tmp_path / "quiz-key.json"
    assert read_key(tmp_path / "quiz-key.json") == quiz.key
    assert page.all("form")[0]["data-quiz"] == quiz.key.quiz


def test_the_key_of_another_quiz_is_not_overwritten(page, quiz, folders, tmp_path):
    write_quiz(quiz, tmp_path / "quiz.html")
    other = draw_quiz(*(open_pictures(str(folder)) for folder in folders), each=5, seed=1)
    with pytest.raises(OutputError, match=r"quiz-key\.json is the key of another quiz"):
        write_quiz(other, tmp_path / "quiz.html")
    assert read_key(tmp_path / "quiz-key.json") == quiz.key


def test_from_pictures_to_a_score(folders, tmp_path, capsys):
    quiz_command([str(folders[0])], wishes(folders, tmp_path))
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "quiz.html")
    page, key = Page((tmp_path / "quiz.html").read_text("utf-8")), read_key(tmp_path / "quiz-key.json")
    files = []
    for name, right in (("Ada [b]", 10), ("Bob", 9)):
        files.append(tmp_path / f"answers-{name}.json")
        files[-1].write_text(answered(page, key, name, right))
    score_command(files, tmp_path / "quiz-key.json")
    out = capsys.readouterr().out
    assert re.search(r"Ada \[b\] +100\.0% +72\.2% … 100\.0% +5 of 5 +0 of 5 +2\.77", out)
    assert re.search(r"all +95\.0% ", out)
    assert f"2 people, 10 pictures, half of them real: {folders[0]} against {folders[1]}" in out
    assert "Painted and real pictures can be distinguished" in out


def test_a_score_of_one_person_has_no_total(page, quiz, tmp_path, capsys):
    (tmp_path / "answers.json").write_text(answered(page, quiz.key, "Ada", 5))
    score_command([tmp_path / "answers.json"], tmp_path / "quiz-key.json")
    out = capsys.readouterr().out
    assert "1 person, 10 pictures" in out
    assert "\nall " not in out
    assert "no better than guessing" in out


def test_mistakes_leave_no_files(folders, tmp_path):
    for what in ([], [str(folders[0])] * 2):
        with pytest.raises(ImpastoError, match="impasto quiz GENERATED --against REAL"):
            quiz_command(what, wishes(folders, tmp_path))
    with pytest.raises(ImpastoError, match="--against REAL"):
        quiz_command([str(folders[0])], wishes(folders, tmp_path, against=None))
    with pytest.raises(EvaluationError, match="needs 7 of each kind"):
        quiz_command([str(folders[0])], wishes(folders, tmp_path, each=7))
    assert list(tmp_path.glob("*.html")) == list(tmp_path.glob("*.json")) == []


def test_ctrl_c_leaves_with_130(folders, tmp_path, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "draw_quiz", interrupted)
    with pytest.raises(typer.Exit) as leaving:
        quiz_command([str(folders[0])], wishes(folders, tmp_path))
    assert leaving.value.exit_code == 130
    assert capsys.readouterr().err == "Stopped; no quiz was written.\n"
