"""`impasto data make`: what it says, and how it ends."""

from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from impasto.cli import data_make
from impasto.cli.data_make import make_command
from impasto.curation.made import Grey, Semantic
from impasto.curation.make import MakeOptions


def test_it_says_what_was_made_what_was_there_and_what_was_not_read(
    make_pictures: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = make_pictures(tmp_path / "photos", 4)
    noisy = Semantic(noise=0.25)
    make_command(noisy, source, Path("maps"), MakeOptions())
    assert capsys.readouterr().out.splitlines() == ["  4 with noise", "4 made into maps (semantic)"]
    (source / "broken.png").write_text("no picture")
    make_command(noisy, source, Path("maps"), MakeOptions())
    told = capsys.readouterr()
    assert told.out.splitlines()[-1] == "0 made into maps (semantic), 4 already there, 1 unreadable"
    assert told.err.startswith(f"skipped: {source / 'broken.png'} is not a picture")


def test_ctrl_c_ends_with_130_and_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(data_make, "make_folder_of", interrupted)
    with pytest.raises(typer.Exit) as stop:
        make_command(Grey(), Path("photos"), Path("grey"), MakeOptions())
    assert stop.value.exit_code == 130
    assert capsys.readouterr().err == "Stopped; what was made is kept, and the same command goes on with the rest.\n"
