import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.data import atelier_pictures
from impasto.data.atelier_pictures import SOURCES, TEST_NAMES, atelier_folder, source_photo
from impasto.data.renderers import STYLES
from impasto.errors import DataError
from impasto.files import default_cache

KINDS = ("photos", *STYLES)


@pytest.fixture
def small(monkeypatch):
    """Three tiny photos, so a collection renders fast."""
    monkeypatch.setattr(atelier_pictures, "SHORT_SIDE_PIXELS", 40)
    few = {name: SOURCES[name] for name in ("astronaut", "china", "flower")}
    monkeypatch.setattr(atelier_pictures, "SOURCES", few)
    return few


def everything_in(cache):
    return {path.relative_to(cache).as_posix() for path in cache.rglob("*") if path.is_file()}


def size_of(picture):
    with Image.open(picture) as image:
        return image.size


def expected(names):
    pictures = {f"atelier-v1/{kind}/{name}.png" for kind in KINDS for name in names}
    return pictures | {"atelier-v1/split.csv"}


@pytest.mark.parametrize("name", SOURCES)
def test_every_photo_is_in_an_installed_package(name):
    photo = source_photo(name)
    assert min(photo.shape[:2]) == 256
    assert photo.dtype == np.uint8
    assert photo.std() > 20


def test_a_package_without_the_photo_is_named_in_the_error(monkeypatch):
    monkeypatch.setitem(SOURCES, "unicorn", ("skimage", "data/unicorn.png"))
    with pytest.raises(DataError, match=r"skimage lacks data/unicorn\.png"):
        source_photo("unicorn")


def test_the_folder_is_complete(tmp_path, small):
    told = []
    folder = atelier_folder(tmp_path, progress=lambda done, total: told.append((done, total)))
    assert folder == tmp_path / "atelier-v1"
    assert everything_in(tmp_path) == expected(small)
    assert told == [(done, 18) for done in range(1, 19)]
    for name in small:
        assert {size_of(folder / kind / f"{name}.png") for kind in KINDS} == {
            size_of(folder / "photos" / f"{name}.png")
        }
        assert min(size_of(folder / "photos" / f"{name}.png")) == 40


def test_the_split_lists_every_picture_and_holds_out_whole_photos(tmp_path, small):
    folder = atelier_folder(tmp_path)
    rows = list(csv.DictReader((folder / "split.csv").read_text().splitlines()))
    assert {row["path"] for row in rows} == {f"{kind}/{name}.png" for kind in KINDS for name in small}
    assert all(row["split"] == ("test" if Path(row["path"]).stem in TEST_NAMES else "train") for row in rows)
    assert len(TEST_NAMES) == 2
    assert set(TEST_NAMES) < set(SOURCES)


def test_the_second_call_renders_nothing(tmp_path, small):
    folder = atelier_folder(tmp_path)
    assert atelier_folder(tmp_path, progress=lambda done, total: pytest.fail("rendered again")) == folder


def test_two_renderings_are_the_same(tmp_path, small):
    one, two = atelier_folder(tmp_path / "one"), atelier_folder(tmp_path / "two")
    for path in expected(small):
        assert (one.parent / path).read_bytes() == (two.parent / path).read_bytes()


def test_an_interrupted_rendering_leaves_nothing_behind(tmp_path, small):
    def interrupt(done, total):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        atelier_folder(tmp_path, progress=interrupt)
    assert everything_in(tmp_path) == set()
    atelier_folder(tmp_path)
    assert everything_in(tmp_path) == expected(small)


def test_an_unfinished_folder_of_a_killed_process_is_not_used(tmp_path, small):
    left_over = tmp_path / ".atelier-v1.killed.part"
    (left_over / "photos").mkdir(parents=True)
    (left_over / "split.csv").touch()
    folder = atelier_folder(tmp_path)
    assert everything_in(folder.parent) == expected(small) | {".atelier-v1.killed.part/split.csv"}


def test_two_concurrent_processes_both_end_with_the_whole_folder(tmp_path, small):
    def be_overtaken(done, total):
        if done == 4:
            atelier_folder(tmp_path)

    folder = atelier_folder(tmp_path, progress=be_overtaken)
    assert folder == tmp_path / "atelier-v1"
    assert everything_in(tmp_path) == expected(small)
    assert [path.name for path in tmp_path.iterdir()] == ["atelier-v1"]


def test_the_error_for_an_unwritable_cache_has_a_remedy(tmp_path, small):
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(DataError, match="IMPASTO_CACHE") as caught:
        atelier_folder(tmp_path / "cache")
    assert str(tmp_path / "cache") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_in_place_of_the_collection_is_named_in_the_error(tmp_path, small):
    (tmp_path / "atelier-v1").write_text("in the way")
    with pytest.raises(DataError, match="atelier-v1 cannot be written"):
        atelier_folder(tmp_path)
    assert (tmp_path / "atelier-v1").read_text() == "in the way"


@pytest.mark.parametrize(
    ("variables", "cache"),
    [
        ({"IMPASTO_CACHE": "/chosen", "XDG_CACHE_HOME": "/xdg"}, "/chosen"),
        ({"IMPASTO_CACHE": "", "XDG_CACHE_HOME": "/xdg"}, "/xdg/impasto"),
        ({"HOME": "/home/someone"}, "/home/someone/.cache/impasto"),
    ],
)
def test_the_cache_follows_the_environment(monkeypatch, variables, cache):
    for name in ("IMPASTO_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert default_cache() == Path(cache)
