"""Bad files move to quarantine and back unchanged, and nothing is lost."""

import csv
import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image

from impasto.curation.doctor import quarantine as quarantine_module
from impasto.curation.doctor.diagnosis import diagnose
from impasto.curation.doctor.quarantine import check_quarantine, quarantine
from impasto.errors import DataError, OutputError

Paint = Callable[..., Image.Image]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def moved(folder: Path, target: Path) -> dict[str, str]:
    """Move files to quarantine. Return the reasons by name."""
    return {move.target.relative_to(target).as_posix(): move.reason for move in quarantine(diagnose(folder), target)}


def table(target: Path) -> list[dict[str, str]]:
    with (target / "quarantine.csv").open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def sick(healthy: Path) -> Path:
    """Four bad files: cut off, not a picture, a copy, and a training copy of a held-out picture."""
    whole = (healthy / "sea" / "01.jpg").read_bytes()
    (healthy / "sea" / "cut.jpg").write_bytes(whole[:-50])
    os.rename(healthy / "sea" / "cut.jpg", os.fsencode(healthy) + b"/sea/c\xfct.jpg")  # noqa: PTH104
    (healthy / "sea" / "page.jpg").write_text("<html>")
    shutil.copy(healthy / "sea" / "03.jpg", healthy / "sea" / "03 copy.jpg")
    shutil.copy(healthy / "hills" / "04.jpg", healthy / "hills" / "00 first.jpg")
    (healthy / "readme.txt").write_text("stays")
    return healthy


def test_round_trip(sick: Path, tmp_path: Path) -> None:
    before = contents(sick)
    target = tmp_path / "away"
    reasons = moved(sick, target)
    assert reasons == {
        "sea/c\udcfct.jpg": "is cut off, so a part of the picture is missing",
        "sea/page.jpg": "is a web page, perhaps an error page of a download",
        "sea/03.jpg": "is the same file as sea/03 copy.jpg",
        "hills/00 first.jpg": "is the same file as hills/04.jpg",
    }
    assert {row["name"]: row["reason"] for row in table(target)} == reasons
    kept, away = contents(sick), contents(target)
    away.pop("quarantine.csv")
    assert kept.keys().isdisjoint(away)
    assert {**kept, **away} == before
    assert diagnose(sick).count("grave") == 0
    for row in table(target):
        (target / row["name"]).rename(row["from"])
    assert contents(sick) == before


def test_a_second_quarantine_adds_to_the_first(sick: Path, tmp_path: Path) -> None:
    moved(sick, tmp_path / "away")
    assert moved(sick, tmp_path / "away") == {}
    (sick / "sea" / "empty.jpg").write_bytes(b"")
    assert moved(sick, tmp_path / "away") == {"sea/empty.jpg": "is empty"}
    assert len(table(tmp_path / "away")) == 5


def test_a_healthy_folder_needs_no_quarantine(healthy: Path, tmp_path: Path) -> None:
    assert moved(healthy, tmp_path / "away") == {}
    assert not (tmp_path / "away").exists()


def test_an_interruption_loses_nothing(sick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, target = contents(sick), tmp_path / "away"
    move, count = quarantine_module._move, 0

    def stopping(one: quarantine_module.Move) -> None:
        nonlocal count
        count += 1
        if count == 3:
            raise KeyboardInterrupt
        move(one)

    monkeypatch.setattr(quarantine_module, "_move", stopping)
    with pytest.raises(KeyboardInterrupt):
        moved(sick, target)
    monkeypatch.setattr(quarantine_module, "_move", move)
    both = {**contents(sick), **contents(target)}
    assert both.pop("quarantine.csv")
    assert both == before
    assert len(table(target)) == 4
    moved(sick, target)
    assert len(contents(target)) == len(table(target)) + 1 == 5


def test_another_file_system(sick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(self: Path, target: Path) -> Path:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    before, target, rename = contents(sick), tmp_path / "away", Path.rename
    monkeypatch.setattr(Path, "rename", refusing)
    unlink = Path.unlink

    def interrupted(self: Path, missing_ok: bool = False) -> None:
        if self.name == "page.jpg":
            raise KeyboardInterrupt
        unlink(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", interrupted)
    with pytest.raises(KeyboardInterrupt):
        moved(sick, target)
    monkeypatch.setattr(Path, "unlink", unlink)
    assert contents(sick)["sea/page.jpg"] == contents(target)["sea/page.jpg"]  # copied, not yet removed
    moved(sick, target)
    monkeypatch.setattr(Path, "rename", rename)
    both = {**contents(sick), **contents(target)}
    both.pop("quarantine.csv")
    assert both == before
    assert contents(sick).keys().isdisjoint(contents(target))


@pytest.mark.parametrize("place", ["", "sea", "sea/new", ".."])
def test_a_quarantine_must_be_outside(place: str, sick: Path) -> None:
    with pytest.raises(OutputError, match="must not be inside"):
        check_quarantine(sick, sick / place)


def test_a_quarantine_inside_through_a_link_is_refused(sick: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(sick)
    with pytest.raises(OutputError, match="must not be inside"):
        check_quarantine(sick, tmp_path / "link" / "new")


def test_nothing_is_overwritten(sick: Path, tmp_path: Path) -> None:
    target = tmp_path / "away"
    target.mkdir()
    (target / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="is not a quarantine folder and not empty"):
        check_quarantine(sick, target)
    (target / "mine.txt").unlink()
    moved(sick, target)
    (sick / "sea" / "page.jpg").write_text("<html>another</html>")
    before = contents(sick)
    with pytest.raises(OutputError, match="would replace it"):
        moved(sick, target)
    assert contents(sick) == before
    (target / "quarantine.csv").write_text("something else\n1\n")
    (sick / "sea" / "page.jpg").unlink()
    (sick / "sea" / "page2.jpg").write_text("<html>")
    with pytest.raises(OutputError, match="not the table of a quarantine"):
        moved(sick, target)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="is not a folder"):
        check_quarantine(sick, tmp_path / "file")


def test_nothing_moves_out_of_archives_and_arrays(sick: Path, tmp_path: Path) -> None:
    archive = tmp_path / "pictures.zip"
    with ZipFile(archive, "w") as file:
        for path in sorted((sick / "sea").iterdir()):
            file.write(path, os.fsencode(path.name).decode("latin-1"))
    with pytest.raises(DataError, match="unpack it"):
        check_quarantine(archive, tmp_path / "away")
    digits = tmp_path / "digits"
    digits.mkdir()
    head = b"".join(number.to_bytes(4, "big") for number in (0x803, 2, 28, 28))
    (digits / "train-images-idx3-ubyte").write_bytes(head + bytes(2 * 28 * 28))
    with pytest.raises(DataError, match="inside larger files"):
        moved(digits, tmp_path / "away")


def test_pairs_move_together(tmp_path: Path, paint: Paint) -> None:
    folder = tmp_path / "pairs"
    for name, seeds in (("A", (0, 1, 2, 0)), ("B", (10, 11, 12, 13))):
        (folder / name).mkdir(parents=True)
        for place, seed in enumerate(seeds):
            paint(seed).save(folder / name / f"{place}.png")
    (folder / "B" / "1.png").write_bytes((folder / "B" / "1.png").read_bytes()[:-100])
    reasons = moved(folder, tmp_path / "away")
    assert reasons.keys() == {"A/1.png", "B/1.png"}  # A/3 is a copy of A/0, but their partners differ
    assert all("B/1.png is" in reason for reason in reasons.values())
    assert diagnose(folder).collection.layout == "paired-folders"
    shutil.copy(folder / "B" / "0.png", folder / "B" / "3.png")
    assert moved(folder, tmp_path / "away").keys() == {"A/3.png", "B/3.png"}


def test_test_pictures_of_a_sibling_folder_stay_inside_the_quarantine(tmp_path: Path, paint: Paint) -> None:
    for name in ("trainX", "testX"):
        (tmp_path / name).mkdir()
        paint(len(name)).save(tmp_path / name / "good.png")
        (tmp_path / name / f"bad_{name}.png").write_bytes(b"")
    reasons = moved(tmp_path / "trainX", tmp_path / "away")
    assert reasons.keys() == {"bad_trainX.png", "testX/bad_testX.png"}


def test_links_stay_links_and_do_not_lose_their_file(healthy: Path, tmp_path: Path) -> None:
    (healthy / "hills" / "link.jpg").symlink_to("../sea/01.jpg")  # the first of the two, and the one that would stay
    (healthy / "sea" / "zlink.jpg").symlink_to("03.jpg")
    reasons = moved(healthy, tmp_path / "away")
    assert reasons == {"sea/zlink.jpg": "is the same file as sea/03.jpg"}
    link = tmp_path / "away" / "sea" / "zlink.jpg"
    assert link.is_symlink()
    assert link.read_bytes() == (healthy / "sea" / "03.jpg").read_bytes()


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may do anything")
def test_a_read_only_folder(sick: Path, tmp_path: Path) -> None:
    (sick / "sea").chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        moved(sick, tmp_path / "away")
    (sick / "sea").chmod(0o700)
