"""`impasto data check`: what it prints and writes, and its exit codes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer

from impasto.cli import data_check
from impasto.cli.data_check import CheckOptions, check_command, default_page
from impasto.curation.doctor.diagnosis import Options
from impasto.errors import OutputError
from tests.conftest import picture


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two classes of four pictures in order; the current folder is another."""
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / ".cache"))
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for seed in range(8):
        path = tmp_path / "pictures" / ("sea" if seed % 2 else "hills") / f"{seed}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(seed, 100 + seed, 90).save(path)
    return tmp_path / "pictures"


def check(folder: Path, **outputs: Any) -> int:
    """Return the exit code."""
    try:
        check_command(folder, CheckOptions(**outputs), Options())
    except typer.Exit as leaving:
        return leaving.exit_code
    return 0


def test_a_healthy_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(folder) == 0
    out = capsys.readouterr().out
    assert "8 pictures as class-folders: 8 to learn from, 0 held out; labels: class" in out
    assert re.search(r"hills +4 █", out)
    assert "In good order: no problems for training were found." in out
    assert out.splitlines()[-1] == f"Page with the pictures in question: {Path('pictures-check.html').resolve()}"
    assert Path("pictures-check.html").is_file()
    check(folder)
    assert "8 of them known from before" in capsys.readouterr().out


def test_a_grave_finding_has_its_remedy_and_exit_code_1(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "sea" / "[bold]\x1b.jpg").write_bytes(b"")
    assert check(folder, output_json=Path("found.json"), output=Path("pages/page.html")) == 1
    out = capsys.readouterr().out
    assert re.search(r"grave +1 +Not a picture +sea/\[bold\]\\x1b\.jpg", out)
    assert "Not a picture: The file has the suffix of a picture, but is none" in out
    assert Path("pages/page.html").is_file()
    said = json.loads(Path("found.json").read_text())
    assert said["findings"][0]["cases"] == [{"names": ["sea/[bold]\x1b.jpg"], "note": "is empty"}]


def test_warnings_alone_exit_with_0(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "sea" / "copy.png").write_bytes((folder / "sea" / "1.png").read_bytes())
    assert check(folder) == 0
    assert re.search(r"warning +2 +Exact duplicates +sea/1.png = sea/copy.png", capsys.readouterr().out)


def test_quarantine(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "sea" / "empty.jpg").write_bytes(b"")
    assert check(folder, quarantine=Path("away")) == 1
    assert "Moved 1 file to away; quarantine.csv there says why" in capsys.readouterr().out
    assert Path("away/sea/empty.jpg").is_file()
    assert check(folder, quarantine=Path("away")) == 0
    assert "Nothing had to be moved" in capsys.readouterr().out


def test_a_bad_quarantine_is_refused_before_anything_is_examined(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_check, "diagnose", None)
    with pytest.raises(OutputError, match="must not be inside"):
        check(folder, quarantine=folder / "away")


def test_ctrl_c_prints_how_to_go_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopping(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(data_check, "diagnose", stopping)
    assert check(folder) == 130
    assert "the same command goes on from there" in capsys.readouterr().err
    assert not Path("pictures-check.html").exists()


def test_the_page_is_never_in_the_collection(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_page(folder) == Path("pictures-check.html")
    for inside in (folder, folder / "sea"):
        monkeypatch.chdir(inside)
        assert default_page(Path()).parent == inside.parent
        assert default_page(folder) == folder.parent / "pictures-check.html"


def test_progress_is_printed_every_few_seconds_without_a_terminal(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(data_check, "LINE_SECONDS", 0.0)
    check(folder)
    assert re.search(r"8 of 8 examined", capsys.readouterr().out)


def test_files_that_were_named_are_replaced_only_with_overwrite(folder: Path) -> None:
    for option, outputs in {
        "--output": {"output": Path("mine")},
        "--output-json": {"output_json": Path("mine")},
    }.items():
        Path("mine").write_text("text")
        with pytest.raises(
            OutputError, match=f"mine exists; pass --overwrite to replace it, or choose another {option}$"
        ):
            check(folder, **outputs)
        assert Path("mine").read_text() == "text"
        assert check(folder, **outputs, overwrite=True) == 0
        assert Path("mine").read_text() != "text"
