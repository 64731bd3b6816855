"""WebDataset shards: tar files. The files of an example are adjacent and share a name up to the first dot.

    00000.jpg  00000.json  00001.jpg  00001.json ...

The JSON holds the labels, `split` and `name`. A `.cls` file holds a class, as WebDataset writes it. `impasto data
shard` writes an `index.json` beside the tars, so their headers need not be read.
"""

from __future__ import annotations

import json
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from impasto.data.collection import Collection, Item
from impasto.data.layouts.layout import Layout, as_split
from impasto.data.pictures import SUFFIXES
from impasto.data.remote import RemoteShard
from impasto.data.sources import Packed
from impasto.download import fetch
from impasto.errors import DataError

INDEX = "index.json"
PLAN = "unfinished.json"
"""Exists in the folder while `impasto data shard` writes it."""
MOST_TEXT_BYTES = 1 << 20
"""A longer .json or .cls in a tar is refused."""


def read_shards(folder: Path) -> Collection:
    """List the pictures in a folder of tar files. Raises DataError if one is damaged."""
    if (folder / PLAN).is_file():
        raise DataError(f"{folder} holds unfinished shards; run the command that makes them again")
    items = indexed_items(folder) if (folder / INDEX).is_file() else _scanned(folder)
    return Collection(folder, "shards", items)


def _scanned(folder: Path) -> list[Item]:
    return [item for shard in shard_files(folder) for item in tar_items(shard)]


def shard_files(folder: Path) -> list[Path]:
    """Return the tar files of a folder, sorted."""
    return sorted(folder.glob("*.tar"))


def tar_items(shard: Path) -> Iterator[Item]:
    """Yield the pictures of one uncompressed tar, in order."""
    try:
        with tarfile.open(shard, "r:") as archive:
            yield from _examples(shard, archive)
    except (OSError, tarfile.TarError, ValueError) as error:
        raise DataError(f"{shard} is not a tar file or is damaged ({error}); make or copy it again") from error


def _examples(shard: Path, archive: tarfile.TarFile) -> Iterator[Item]:
    key = ""
    files: dict[str, tarfile.TarInfo] = {}
    for member in archive:
        if not member.isfile():
            continue
        path = PurePosixPath(member.name)
        stem, _, suffix = path.name.partition(".")
        this = str(path.with_name(stem))
        if this != key and files:
            yield from _example(shard, archive, key, files)
            files = {}
        key = this
        files[f".{suffix.lower()}"] = member
    if files:
        yield from _example(shard, archive, key, files)


def _example(shard: Path, archive: tarfile.TarFile, key: str, files: dict[str, tarfile.TarInfo]) -> Iterator[Item]:
    picture = next((member for suffix, member in files.items() if suffix in SUFFIXES), None)
    if picture is None:
        return
    said: dict[str, Any] = {}
    if ".json" in files:
        said = json.loads(_text(archive, files[".json"]))
        if not isinstance(said, dict):
            raise ValueError(f"{key}.json is not an object")
    if ".cls" in files:
        said.setdefault("class", _text(archive, files[".cls"]).strip())
    yield item_of(said, Packed(shard, picture.offset_data, picture.size, picture.name), f"{shard.stem}/{picture.name}")


def item_of(said: dict[str, Any], picture: Packed, name: str) -> Item:
    """Return the item of a JSON object: split and name, and each other string or integer as a label."""
    labels = {
        key: str(value) for key, value in said.items() if key not in ("split", "name") and isinstance(value, str | int)
    }
    return Item(picture, str(said.get("name", name)), as_split(str(said.get("split", ""))) or "train", labels)


def _text(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = archive.extractfile(member)
    if file is None or member.size > MOST_TEXT_BYTES:
        raise ValueError(f"{member.name} is too long")
    return file.read().decode()


def read_remote_shards(url: str) -> Collection:
    """List the pictures of shards on a web server, by the index beside them.

    Raises DataError if the index cannot be downloaded or is damaged.
    """
    base = url.rstrip("/")
    with tempfile.TemporaryDirectory() as folder:
        index = fetch([f"{base}/{INDEX}"], Path(folder) / INDEX)
        items = _indexed_items(
            index,
            lambda shard: RemoteShard(f"{base}/{shard['file']}", int(shard["bytes"]), f"sha256:{shard['sha256']}"),
        )
    return Collection(url, "shards", items)


def indexed_items(folder: Path) -> list[Item]:
    """Return the pictures in the index. Raises DataError if it does not match the tars beside it."""

    def find(shard: dict[str, Any]) -> Path:
        file = folder / PurePosixPath(shard["file"]).name
        if not file.is_file() or file.stat().st_size != shard["bytes"]:
            raise DataError(f"{file} is missing or does not have the size in {INDEX}; copy the shards again")
        return file

    return _indexed_items(folder / INDEX, find)


def _indexed_items(index: Path, find: Callable[[dict[str, Any]], Path | RemoteShard]) -> list[Item]:
    try:
        shards = json.loads(index.read_text(encoding="utf-8"))["shards"]
        return [item for shard in shards for item in _indexed(shard, find(shard))]
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{index} is damaged ({error}); remove it to read the tars instead") from error


def _indexed(shard: dict[str, Any], file: Path | RemoteShard) -> Iterator[Item]:
    stem = PurePosixPath(shard["file"]).stem
    for entry in shard["pictures"]:
        name, offset, length = str(entry["member"]), int(entry["offset"]), int(entry["length"])
        yield item_of(entry["said"], Packed(file, offset, length, name), f"{stem}/{name}")


def _is_shards(path: Path) -> bool:
    return path.is_dir() and bool(shard_files(path))


SHARDS = Layout("WebDataset shards: tar files of pictures", _is_shards, read_shards)
