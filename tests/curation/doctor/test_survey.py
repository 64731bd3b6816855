"""All pictures are examined once, and again only if they change."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image

from impasto.curation.doctor import survey as survey_module
from impasto.curation.doctor.examine import Record, Stored, examine
from impasto.curation.doctor.survey import Survey, list_subjects, survey
from impasto.data.layouts import read_collection
from impasto.errors import OutputError

Paint = Callable[..., Image.Image]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the examined pictures."""
    names: list[str] = []

    def noting(stored: Stored, max_megapixels: float) -> Record:
        names.append(stored.name)
        return examine(stored, max_megapixels)

    monkeypatch.setattr(survey_module, "examine", noting)
    return names


def surveyed(folder: Path, max_megapixels: float = 200, workers: int = 2) -> Survey:
    return survey(read_collection(folder), max_megapixels, workers)


def notes(folder: Path) -> Path:
    (found,) = (Path(os.environ["IMPASTO_CACHE"]) / "check").iterdir()
    return found


def test_any_number_of_threads_gives_the_same_result(
    healthy: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = []
    for workers, together in ((1, 32), (2, 3), (5, 1)):
        monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / f"cache{workers}"))
        monkeypatch.setattr(survey_module, "TOGETHER", together)
        found.append(surveyed(healthy, workers=workers))
    assert found[0] == found[1] == found[2]
    assert [subject.name for subject in found[0].subjects] == [item.name for item in found[0].collection.items]
    assert all(record.thumbnail for record in found[0].records)


def test_a_second_check_opens_nothing(healthy: Path, opened: list[str]) -> None:
    first = surveyed(healthy)
    assert len(opened) == first.opened == 16
    second = surveyed(healthy)
    assert (len(opened), second.opened) == (16, 0)
    assert second.records == first.records


def test_only_what_changed_is_opened_again(healthy: Path, opened: list[str], paint: Paint) -> None:
    before = surveyed(healthy)
    opened.clear()
    paint(99).save(healthy / "sea" / "03.jpg")
    paint(98).save(healthy / "sea" / "new.jpg")
    (healthy / "hills" / "02.jpg").unlink()
    os.utime(healthy / "hills" / "04.jpg", ns=(1, 1))
    after = surveyed(healthy)
    assert sorted(opened) == ["03.jpg", "04.jpg", "new.jpg"]
    assert after.records[1] == before.records[2]  # hills/04.jpg, whose time alone changed


def test_an_interruption_loses_little(healthy: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey_module, "TOGETHER", 4)
    told: list[tuple[str, int, int]] = []

    def stop(stage: str, done: int, total: int) -> None:
        told.append((stage, done, total))
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        survey(read_collection(healthy), 200, 1, stop)
    opened.clear()
    again = survey(read_collection(healthy), 200, 1, lambda *said: told.append(said))
    assert len(opened) == again.opened == 8
    assert told == [("examined", done, 16) for done in (4, 8, 12, 16)]


def test_damaged_notes_are_ignored(healthy: Path, opened: list[str]) -> None:
    first = surveyed(healthy)
    path = notes(healthy)
    lines = path.read_text().splitlines()
    entry = json.loads(lines[2])
    spoiled = [json.dumps({**entry, "width": "wide"}), json.dumps({**entry, "new": 1}), "[]", "{}", "nonsense", ""]
    path.write_text("\n".join([*lines[:1], *lines[2:-1], *spoiled, lines[-1][: len(lines[-1]) // 2]]))
    opened.clear()
    assert surveyed(healthy).records == first.records
    assert len(opened) == 2
    assert surveyed(healthy).opened == 0
    path.write_text("not ours\n")
    assert surveyed(healthy).opened == 16
    path.write_text(path.read_text().replace('"impasto check": 1', '"impasto check": 0'))
    assert surveyed(healthy).opened == 16


def test_notes_do_not_grow_without_limit(healthy: Path, paint: Paint) -> None:
    for seed in range(30):
        paint(100 + seed).save(healthy / "sea" / "01.jpg")
        for path in (healthy / "hills").iterdir():
            os.utime(path, ns=(seed, seed))
        surveyed(healthy)
    assert len(notes(healthy).read_text().splitlines()) < 60


def test_a_too_large_picture_is_examined_when_the_limit_is_raised(healthy: Path, opened: list[str]) -> None:
    assert not any(record.thumbnail for record in surveyed(healthy, max_megapixels=0.001).records)
    assert surveyed(healthy, max_megapixels=0.002).opened == 0
    assert all(record.thumbnail for record in surveyed(healthy).records)
    assert surveyed(healthy, max_megapixels=0.001).opened == 0


def test_a_file_that_could_not_be_opened_is_tried_again(healthy: Path, opened: list[str]) -> None:
    (healthy / "sea" / "link.jpg").symlink_to("00.jpg")
    assert [record.fault for record in surveyed(healthy).records if record.fault] == ["unopened"]
    (healthy / "sea" / "link.jpg").unlink()
    (healthy / "sea" / "link.jpg").symlink_to("01.jpg")
    again = surveyed(healthy)
    assert again.opened == 1
    assert not any(record.fault for record in again.records)


def test_names_that_are_not_utf8_are_remembered(tmp_path: Path, paint: Paint) -> None:
    for name in (b"caf\xe9.png", "naïve.png".encode(), b"line\nbreak.png"):
        paint(len(name)).save(tmp_path / "p.png")
        (tmp_path / "pictures").mkdir(exist_ok=True)
        os.rename(tmp_path / "p.png", os.fsencode(tmp_path / "pictures") + b"/" + name)  # noqa: PTH104
    assert surveyed(tmp_path / "pictures").opened == 3
    assert surveyed(tmp_path / "pictures").opened == 0


def test_a_pair_side_by_side_is_one_picture(tmp_path: Path, paint: Paint, opened: list[str]) -> None:
    for seed in range(3):
        paint(seed, 128, 64).save(tmp_path / f"{seed}.png")
    found = surveyed(tmp_path)
    assert found.collection.layout == "side-by-side"
    assert sorted(opened) == ["0.png", "1.png", "2.png"]
    assert [(record.width, record.height) for record in found.records] == [(128, 64)] * 3


def test_both_pictures_of_a_pair_are_examined(tmp_path: Path, paint: Paint) -> None:
    for place, name in enumerate("AB"):
        (tmp_path / name).mkdir()
        for seed in range(2):
            paint(2 * place + seed).save(tmp_path / name / f"{seed}.png")
    found = surveyed(tmp_path)
    assert [subject.name for subject in found.subjects] == ["A/0.png", "B/0.png", "A/1.png", "B/1.png"]
    assert [subject.item for subject in found.subjects] == [0, 0, 1, 1]


def test_pictures_in_a_zip_are_remembered_by_its_time(tmp_path: Path, healthy: Path, opened: list[str]) -> None:
    archive = tmp_path / "pictures.zip"
    with ZipFile(archive, "w") as file:
        for path in sorted(healthy.rglob("*.jpg")):
            file.write(path, path.relative_to(healthy).as_posix())
    first = surveyed(archive)
    assert [record.digest for record in first.records] == [record.digest for record in surveyed(healthy).records]
    assert surveyed(archive).opened == 0
    os.utime(archive, ns=(5, 5))
    assert surveyed(archive).opened == 16


def test_uncompressed_digits(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
    head = b"".join(number.to_bytes(4, "big") for number in (0x803, 5, 28, 28))
    (tmp_path / "train-images-idx3-ubyte").write_bytes(head + pixels.tobytes())
    found = surveyed(tmp_path)
    assert [(record.format, record.fault) for record in found.records] == [("raw", None)] * 5
    assert surveyed(tmp_path).opened == 0


def test_a_picture_listed_twice_is_one_picture(healthy: Path) -> None:
    collection = read_collection(healthy)
    doubled = type(collection)(collection.root, collection.layout, [*collection.items, collection.items[0]])
    assert list_subjects(doubled) == list_subjects(collection)


def test_the_error_for_an_unwritable_doctor_cache_has_a_remedy(
    healthy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="setting IMPASTO_CACHE"):
        surveyed(healthy)
