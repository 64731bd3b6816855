"""Published weights: cached, downloaded once, checked, and read without executing anything."""

import hashlib
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from impasto.errors import DataError
from impasto.weights import INCEPTION_2015, Published, find_weights, read_weights
from tests.curation.server import Server, cut, running


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as found:
        yield found


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_only_tensors_are_read(tmp_path: Path) -> None:
    for name, content in (("objects.pth", {"weight": Path("here")}), ("list.pth", [torch.zeros(1)])):
        torch.save(content, tmp_path / name)
        with pytest.raises(DataError, match=rf"{name} (cannot be read as weights|does not hold a state dict)"):
            read_weights(tmp_path / name)
    (tmp_path / "cut.pth").write_bytes((tmp_path / "list.pth").read_bytes()[:50])
    (tmp_path / "cut.safetensors").write_bytes(b"no")
    (tmp_path / "empty.pth").touch()
    for name in ("cut.pth", "cut.safetensors", "empty.pth"):
        with pytest.raises(DataError, match=rf"{name} cannot be read as weights"):
            read_weights(tmp_path / name)


def small(server: Server, content: bytes, digest: str | None, *script: object) -> Published:
    url = server.serve("/weights.pth", content, *script)  # type: ignore[arg-type]
    return Published("weights.pth", (url,), digest)


def test_weights_are_downloaded_once_and_checked(
    cache: Path, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    content = b"weights" * 1000
    digest = hashlib.sha256(content).hexdigest()[:8]
    wanted = small(server, content, digest, cut(2000))
    found = find_weights(wanted)
    assert found == cache / "weights" / "weights.pth"
    assert found.read_bytes() == content
    asked = len(server.diary)
    assert find_weights(wanted) == found
    assert len(server.diary) == asked
    found.unlink()
    with pytest.raises(DataError, match=r"the download of weights\.pth is another file .*put it at"):
        find_weights(Published("weights.pth", wanted.urls, "00000000"))
    assert not found.exists()


def test_weights_in_the_cache_of_torch_hub_are_used(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    kept = tmp_path / "torch" / "hub" / "checkpoints" / INCEPTION_2015.name
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"kept")
    assert find_weights(INCEPTION_2015) == kept


def test_a_pickle_executes_nothing(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "sprung",))

    (tmp_path / "w.pth").write_bytes(pickle.dumps(Trap(), protocol=2))
    with pytest.raises(DataError, match="cannot be read as weights"):
        read_weights(tmp_path / "w.pth")
    assert not (tmp_path / "sprung").exists()
