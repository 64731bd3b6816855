"""`impasto publish kaggle`: what it prints and writes, and its exit codes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from impasto.cli import publish_kaggle
from impasto.cli.publish_kaggle import kaggle_command
from impasto.errors import EvaluationError, ImpastoError, OutputError
from impasto.evaluation.submission import Limits, SubmissionOptions
from tests.conftest import picture

SMALL = SubmissionOptions(limits=Limits(fewest=3, most=5, side=32))


@pytest.fixture
def photos(tmp_path: Path, make_pictures: Callable[..., Path]) -> Path:
    """Four photos."""
    return make_pictures(tmp_path / "[holiday]", 4, seed=50)


def run(
    painter: str | None = None,
    photos: Path | None = None,
    output: Path | None = None,
    check: Path | None = None,
    settings: SubmissionOptions = SMALL,
) -> int:
    """Return the exit code."""
    try:
        kaggle_command(painter, photos, output, check, settings, "cpu")
    except typer.Exit as leaving:
        return leaving.exit_code
    return 0


def test_painting_and_checking(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (photos / "[bad].png").write_text("text")
    assert run("engraver", photos, Path("images.zip")) == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[:3] == ["Painting with engraver (cyclegan)", "4 paintings in images.zip (0.0 MB)", "✓ 3 to 5 pictures (4 found)"]  # fmt: skip
    assert "✓ 32 x 32 pixels" in lines
    assert all(line.startswith("✓ ") for line in lines[2:])
    assert f"left out: {photos}/[bad].png is not a picture" in told.err
    assert run(check=Path("images.zip")) == 0
    assert capsys.readouterr().out.splitlines() == lines[2:]


def test_a_file_the_contest_would_refuse_exits_with_1(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("engraver", photos, Path("images.zip"))
    capsys.readouterr()
    assert run(check=Path("images.zip"), settings=SubmissionOptions()) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "✗ it holds 4 pictures, but the contest requires 7,000 to 10,000 pictures"
    assert "✗ 4 files are not 256 x 256 pixels: '00001-00.jpg' (32 x 32), " in "\n".join(lines)
    assert sum(line.startswith("✓") for line in lines) == len(lines) - 2


def test_paintings_that_are_all_alike_are_refused(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    method = type(publish_kaggle.load_painter("engraver").painter)
    monkeypatch.setattr(method, "paint", lambda _self, prompt, _options, _context: prompt.photos * 0)
    assert run("engraver", photos, Path("images.zip")) == 1
    assert "✗ 3 files are a copy of another: '00002-01.jpg' (of '00001-00.jpg')" in capsys.readouterr().out


def test_no_zip_is_a_mistake() -> None:
    Path("notes.zip").write_text("text")
    with pytest.raises(EvaluationError, match=r"notes\.zip cannot be read as a zip"):
        run(check=Path("notes.zip"))


def test_mistakes_get_one_sentence() -> None:
    with pytest.raises(
        ImpastoError, match=r"--check goes with nothing else; use impasto publish kaggle PAINTER --photos DIR --out"
    ):
        run("engraver", check=Path("images.zip"))
    with pytest.raises(
        ImpastoError,
        match=r"impasto publish kaggle needs PAINTER and --photos and --output; use impasto publish kaggle",
    ):
        run()
    with pytest.raises(ImpastoError, match="impasto publish kaggle needs --photos; use"):
        run("engraver", output=Path("images.zip"))
    with pytest.raises(ImpastoError, match=r"--output: images.tar must end in \.zip"):
        run("engraver", Path("photos"), Path("images.tar"))
    with pytest.raises(ImpastoError, match="there is no painter tinny"):
        run("tinny", Path("photos"), Path("images.zip"))


def test_ctrl_c_while_painting_writes_no_file(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(publish_kaggle.load_painter("engraver").painter), "paint", interrupted)
    assert run("engraver", photos, Path("out/images.zip")) == 130
    assert capsys.readouterr().err == "Stopped; out/images.zip was not written.\n"
    assert list(Path("out").iterdir()) == []


def test_ctrl_c_while_checking_keeps_the_file(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(publish_kaggle, "validate_submission", interrupted)
    assert run("engraver", photos, Path("images.zip")) == 130
    assert capsys.readouterr().err == (
        "Stopped; images.zip is written, but not checked: impasto publish kaggle --check images.zip\n"
    )
    assert run(check=Path("images.zip")) == 130
    assert capsys.readouterr().err == "Stopped before everything was checked.\n"
    assert Path("images.zip").is_file()


def test_too_few_photos_are_refused_before_painting(photos: Path) -> None:
    picture(1).save("alone.png")
    with pytest.raises(EvaluationError, match="holds 4 photos, but the contest requires 7,000 to 10,000 paintings"):
        run("engraver", photos, Path("images.zip"), settings=SubmissionOptions())
    assert not Path("images.zip").exists()


def test_an_existing_file_is_replaced_only_with_overwrite(photos: Path) -> None:
    Path("images.zip").write_text("mine")
    with pytest.raises(
        OutputError, match=r"images\.zip exists; pass --overwrite to replace it, or choose another --output"
    ):
        run("engraver", photos, Path("images.zip"))
    assert Path("images.zip").read_text() == "mine"
    assert run("engraver", photos, Path("images.zip"), settings=replace(SMALL, overwrite=True)) == 0
