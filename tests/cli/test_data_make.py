"""`impasto data make`: what it prints, and its exit codes."""

from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from PIL import Image

from impasto.cli import data_make
from impasto.cli.data_make import make_command
from impasto.curation.made import Grey, Semantic
from impasto.curation.make import MakeOptions


def test_made_present_and_unreadable_pictures_are_counted(
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


def test_ctrl_c_exits_with_130_and_prints_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(data_make, "make_folder_of", interrupted)
    with pytest.raises(typer.Exit) as stop:
        make_command(Grey(), Path("photos"), Path("grey"), MakeOptions())
    assert stop.value.exit_code == 130
    assert capsys.readouterr().err == "Stopped; what was made is kept, and the same command goes on with the rest.\n"


@pytest.mark.parametrize("output", [["grey"], ["--output", "grey"], ["-o", "grey"]])
def test_the_output_is_an_option_and_scripts_may_give_it_last(
    output: list[str], impasto: Callable[..., tuple[int, str, str]], make_pictures: Callable[..., Path], tmp_path: Path
) -> None:
    make_pictures(tmp_path / "photos", 2)
    code, out, _ = impasto("data", "make", "grey", "photos", *output, "--seed", 1)
    assert (code, out) == (0, "2 made into grey (grey)\n")
    assert sorted(path.name for path in Path("grey").glob("*.png")) == ["00.png", "01.png"]


def test_map_colours_set_the_number_of_colours_of_a_map(
    impasto: Callable[..., tuple[int, str, str]], make_pictures: Callable[..., Path], tmp_path: Path
) -> None:
    make_pictures(tmp_path / "photos", 1)
    assert impasto("data", "make", "semantic", "photos", "--output", "maps", "--map-colours", 3)[0] == 0
    with Image.open("maps/00.png") as picture:
        assert len(picture.convert("RGB").getcolors(100) or []) == 3
