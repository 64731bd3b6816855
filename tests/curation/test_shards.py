"""Shards hold all pictures of the collection, resume after an interruption, and are read from a server."""

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from impasto.curation import shards as module
from impasto.curation.shards import write_shards
from impasto.data.collection import Collection
from impasto.data.labelled_folder import LabelledFolder, LabelledFolderOptions
from impasto.data.layouts import read_collection
from impasto.data.pictures import read_picture
from impasto.data.remote import KEPT_BYTES, RemoteShard, make_room
from impasto.data.shard_order import ShardOrder
from impasto.errors import DataError, OutputError
from tests.conftest import picture


@pytest.fixture
def styles(tmp_path: Path) -> Path:
    for name in ("baroque", "rococo"):
        for split, count in (("train", 12), ("test", 2)):
            folder = tmp_path / "styles" / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                picture(number + len(name), 32 + number, 30).save(folder / f"{number}.jpg")
    return tmp_path / "styles"


def told(collection: Collection) -> list[tuple[object, ...]]:
    return sorted(
        (item.name, item.split, tuple(item.labels.items()), np.asarray(read_picture(item.picture)).tobytes())
        for item in collection.items
    )


def test_shards_hold_all_pictures_of_the_collection(styles: Path, tmp_path: Path) -> None:
    collection = read_collection(styles)
    written = write_shards(collection, tmp_path / "shards", shard_bytes=5000)
    assert len(written) > 3
    assert told(read_collection(tmp_path / "shards")) == told(collection)
    (tmp_path / "shards" / "index.json").unlink()
    assert told(read_collection(tmp_path / "shards")) == told(collection), "from the tars alone"


def test_equal_collections_make_equal_shards_and_mix_their_classes(styles: Path, tmp_path: Path) -> None:
    one, other = (write_shards(read_collection(styles), tmp_path / name, 9000) for name in ("a", "b"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]
    first = [item for item in read_collection(tmp_path / "a").items if str(item.picture).endswith("00000.tar")]
    assert {item.labels["class"] for item in first} == {"baroque", "rococo"}


def test_writing_resumes_where_it_stopped(styles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    collection = read_collection(styles)
    whole = [path.read_bytes() for path in write_shards(collection, tmp_path / "whole", 5000)]
    write, count = module._write_tar, 0

    def stop_at_the_third(*args: object, **more: object) -> None:
        nonlocal count
        count += 1
        if count == 3:
            raise KeyboardInterrupt
        write(*args, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(module, "_write_tar", stop_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            write_shards(collection, tmp_path / "shards", 5000)
    with pytest.raises(DataError, match="shards holds unfinished shards; run the command that makes them again"):
        read_collection(tmp_path / "shards")
    with pytest.raises(OutputError, match="holds unfinished shards of other pictures or of another size"):
        write_shards(collection, tmp_path / "shards", 6000)
    kept = (tmp_path / "shards" / "00000.tar").stat().st_mtime_ns
    assert [path.read_bytes() for path in write_shards(collection, tmp_path / "shards", 5000)] == whole
    assert (tmp_path / "shards" / "00000.tar").stat().st_mtime_ns == kept


def test_collections_and_shards_that_are_refused(styles: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("mine")
    with pytest.raises(OutputError, match="full is not empty; choose another folder"):
        write_shards(read_collection(styles), tmp_path / "full")
    (tmp_path / "shards").mkdir()
    first, *_ = write_shards(read_collection(styles), tmp_path / "shards", 5000)
    first.write_bytes(first.read_bytes()[:-512])
    with pytest.raises(DataError, match=r"00000.tar is missing or does not have the size in index.json"):
        read_collection(tmp_path / "shards")
    (tmp_path / "shards" / "index.json").write_text('{"shards": [1]}')
    with pytest.raises(DataError, match="index.json is damaged"):
        read_collection(tmp_path / "shards")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    asked: list[str]

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()


@pytest.fixture
def served(styles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[str]]]:
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "cache"))
    write_shards(read_collection(styles), tmp_path / "shards", 5000)
    asked: list[str] = []
    handler = functools.partial(type("Handler", (_Quiet,), {"asked": asked}), directory=str(tmp_path / "shards"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/", asked
        server.shutdown()
        thread.join()


def remote(url: str, **more: object) -> LabelledFolder:
    return LabelledFolder(LabelledFolderOptions(path=url, image_size=16, resize=20, **more))  # type: ignore[arg-type]


def test_training_from_shards_on_a_server(served: tuple[str, list[str]], styles: Path) -> None:
    url, asked = served
    dataset = remote(url)
    assert asked == ["/index.json"], "nothing is fetched before it is needed"
    assert dataset.summary() == "24 pictures of 2 classes (class) to learn from, 4 held out"
    batches = list(islice(dataset.stream(4, seed=1), 12))
    assert len(asked) == len(set(asked)), "each shard once"
    (later,) = islice(remote(url).stream(4, seed=1, start=40), 1)
    assert torch.equal(later.images, batches[10].images)
    halves = [next(remote(url).stream(4, seed=1, rank=rank, world_size=2)) for rank in (0, 1)]
    assert torch.equal(torch.cat([half.images for half in halves]), batches[0].images)
    local = LabelledFolder(LabelledFolderOptions(path=styles, image_size=16, resize=20, flip=False))
    assert remote(url).histogram() == local.histogram()


def test_a_shard_that_differs_from_the_index_is_refused(served: tuple[str, list[str]], tmp_path: Path) -> None:
    url, _ = served
    for tar in (tmp_path / "shards").glob("*.tar"):
        content = bytearray(tar.read_bytes())
        content[600] ^= 1
        tar.write_bytes(content)
    with pytest.raises(DataError, match=r"cannot be downloaded .*sha256"):
        next(remote(url).stream(2, seed=0))


def test_balance_and_missing_indices_are_refused(served: tuple[str, list[str]], tmp_path: Path) -> None:
    url, _ = served
    with pytest.raises(DataError, match="data.balance: the pictures of .* come shard by shard"):
        next(remote(url, balance="uniform").stream(2, seed=0))
    (tmp_path / "shards" / "index.json").unlink()
    with pytest.raises(DataError, match="index.json cannot be downloaded"):
        remote(url)


def test_the_order_draws_from_few_shards_at_a_time(served: tuple[str, list[str]]) -> None:
    items = read_collection(served[0]).items
    order = ShardOrder(items, seed=1, name="x")
    count = len(items)
    epochs = [[order[epoch * count + place] for place in range(count)] for epoch in (0, 1)]
    assert all(sorted(epoch) == list(range(count)) for epoch in epochs)
    assert epochs[0] != epochs[1]
    shards = [str(items[index].picture).split(" in ")[1] for index in epochs[0]]
    assert len(set(shards)) > 4
    assert len(set(shards[: count // 4])) <= 4


def test_the_least_recently_used_shards_are_removed(tmp_path: Path) -> None:
    import os

    for number in range(12):
        path = tmp_path / f"{number:02d}.tar"
        path.write_bytes(b"x" * 100)
        os.utime(path, ns=(number, number))
    make_room(tmp_path, keep=tmp_path / "00.tar", kept_bytes=KEPT_BYTES)
    assert len(list(tmp_path.glob("*.tar"))) == 12
    make_room(tmp_path, keep=tmp_path / "00.tar", kept_bytes=900)
    assert sorted(path.stem for path in tmp_path.glob("*.tar")) == ["00", *[f"{n:02d}" for n in range(3, 12)]]


def test_the_index_names_its_shards(styles: Path, tmp_path: Path) -> None:
    write_shards(read_collection(styles), tmp_path / "shards", 5000)
    (entry, *_) = json.loads((tmp_path / "shards" / "index.json").read_text())["shards"]
    shard = RemoteShard("http://x/00000.tar", entry["bytes"], f"sha256:{entry['sha256']}")
    assert shard.place.name.endswith("-00000.tar")
