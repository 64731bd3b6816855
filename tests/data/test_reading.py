"""Caches give the same pixels and notice a changed picture."""

import os
from pathlib import Path

import pytest
import torch

from impasto.data.dataset import DataOptions
from impasto.data.fingerprint import inspect
from impasto.data.layouts import read_collection
from impasto.data.reading import reader
from impasto.errors import DataError
from tests.conftest import picture


def options(**more: object) -> DataOptions:
    return DataOptions(kind="test", image_size=16, resize=20, **more)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("cache", ["memory", "disk"])
def test_a_cache_gives_the_same_pixels_without_the_file(cache: str, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    picture(3, 50, 31).save(path)
    plain = reader(options(), 1)(path)
    read = reader(options(cache=cache), 1)
    assert torch.equal(read(path), plain)
    status = path.stat()
    path.write_bytes(b"x" * status.st_size)  # another content under the same facts: only a cache can still know
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert torch.equal(read(path), plain)


def test_the_disk_cache_reads_a_changed_picture_again_and_survives_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    picture(3, 50, 31).save(path)
    read = reader(options(cache="disk"), 1)
    before = read(path)
    picture(4, 50, 31).save(path)
    assert not torch.equal(read(path), before)
    for kept in (tmp_path / "cache").rglob("*.npy"):
        kept.write_bytes(kept.read_bytes()[:40])
    assert torch.equal(read(path), reader(options(), 1)(path))


def test_a_memory_cache_that_does_not_fit_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"data.cache: 1,000,000,000 pictures need about .* GB, more than half of the memory"
    ):
        reader(options(cache="memory"), 1_000_000_000)


def test_the_fingerprint_says_how_a_collection_changed(tmp_path: Path) -> None:
    for number in range(3):
        picture(number).save(tmp_path / f"{number}.png")
    first = inspect(read_collection(tmp_path).items, 10)
    assert first.difference(inspect(read_collection(tmp_path).items, 10)) is None
    (tmp_path / "split.csv").write_text("path,split\n0.png,test\n")
    assert first.difference(inspect(read_collection(tmp_path).items, 10)) == "splits or labels changed"
    (tmp_path / "split.csv").unlink()
    picture(9).save(tmp_path / "2.png")
    assert "have different contents" in str(first.difference(inspect(read_collection(tmp_path).items, 10)))
    (tmp_path / "1.png").unlink()
    told = first.difference(inspect(read_collection(tmp_path).items, 10))
    assert told == "pictures were added, removed or renamed (3 then, 2 now)"


def test_the_disk_cache_finds_a_picture_from_any_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture(3, 50, 31).save(tmp_path / "a.png")
    (tmp_path / "elsewhere").mkdir()
    for folder, path in ((tmp_path, Path("a.png")), (tmp_path / "elsewhere", tmp_path / "a.png")):
        monkeypatch.chdir(folder)
        reader(options(cache="disk"), 1)(path)
    assert len(list((tmp_path / "cache").rglob("*.npy"))) == 1
