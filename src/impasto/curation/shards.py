"""Writes a collection as WebDataset shards: a few large files instead of many small ones.

Shards are for network drives, object stores and collections larger than one disk. Pictures keep their encoded bytes;
uncompressed ones become PNG. They are shuffled once, so a shard holds pictures of every class.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import torch

from impasto.chance import generator
from impasto.data.collection import Collection, Item
from impasto.data.fingerprint import inspect
from impasto.data.layouts.shards import INDEX, PLAN, tar_items
from impasto.data.pictures import DAMAGE, MAX_MEGAPIXELS
from impasto.data.sources import Half, Packed, Raw, Source
from impasto.errors import DataError, OutputError, PictureError
from impasto.files import make_folder, replacing, write_text


def write_shards(
    collection: Collection,
    target: Path,
    shard_bytes: int = 256_000_000,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write a collection into the folder `target` as tar files of about `shard_bytes`, and an index; return the tars.

    After an interruption it writes the missing shards. `progress` is called with (pictures done, all pictures).

    Raises DataError for pairs and for a picture that cannot be read, OutputError if `target` holds something else.
    """
    if any(item.partner is not None for item in collection.items):
        raise DataError(f"{collection.root} holds pairs, which shards cannot keep together; train from the folder")
    _check_plan(collection, target, shard_bytes)
    parts = list(_parts(collection.items, shard_bytes))
    shards, done = [], 0
    for number, part in enumerate(parts):
        shard = target / f"{number:05d}.tar"
        if not shard.is_file():
            with replacing(shard) as draft:
                _write_tar(draft, part, first=done)
        shards.append(shard)
        done += len(part)
        if progress:
            progress(done, len(collection.items))
    write_text(target / INDEX, json.dumps({"shards": [_described(shard) for shard in shards]}, ensure_ascii=False))
    (target / PLAN).unlink()
    return shards


def _check_plan(collection: Collection, target: Path, shard_bytes: int) -> None:
    """Record the plan in the folder, or compare it with the recorded one."""
    plan = {**inspect(collection.items, MAX_MEGAPIXELS)._asdict(), "shard_bytes": shard_bytes}
    file = target / PLAN
    if file.is_file():
        if json.loads(file.read_text(encoding="utf-8")) != plan:
            raise OutputError(
                f"{target} holds unfinished shards of other pictures or of another size; choose another folder"
            )
        return
    if target.exists() and any(target.iterdir()):
        raise OutputError(f"{target} is not empty; choose another folder")
    make_folder(target)
    write_text(file, json.dumps(plan))


def _parts(items: Sequence[Item], shard_bytes: int) -> Iterator[list[Item]]:
    """Distribute the shuffled items to shards of about `shard_bytes`."""
    part: list[Item] = []
    size = 0
    for index in torch.randperm(len(items), generator=generator(0, "shards")).tolist():
        length = _length(items[index].picture)
        if part and size + length > shard_bytes:
            yield part
            part, size = [], 0
        part.append(items[index])
        size += length
    if part:
        yield part


def _length(source: Source) -> int:
    if isinstance(source, Path):
        return source.stat().st_size
    assert not isinstance(source, Half)
    return source.length if isinstance(source, Packed) else source.height * source.width * source.channels


def _write_tar(path: Path, items: Sequence[Item], first: int) -> None:
    with tarfile.open(path, "w:", format=tarfile.PAX_FORMAT) as archive:
        for number, item in enumerate(items, start=first):
            content, suffix = _encoded(item.picture)
            said = {**item.labels, "split": item.split, "name": item.name}
            _add(archive, f"{number:08d}{suffix}", content)
            _add(archive, f"{number:08d}.json", json.dumps(said, ensure_ascii=False).encode("utf-8", "surrogateescape"))


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)  # no date and no owner, so equal collections give equal shards
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _encoded(source: Source) -> tuple[bytes, str]:
    """Return the encoded bytes and the suffix of a picture."""
    assert not isinstance(source, Half)
    try:
        if isinstance(source, Raw):
            buffer = io.BytesIO()
            source.picture().save(buffer, "PNG")
            return buffer.getvalue(), ".png"
        content = source.read_bytes() if isinstance(source, Path) else source.read()
    except DAMAGE as error:
        raise PictureError(f"{source} cannot be read ({error}); remove it or replace it") from error
    name = source.name
    return content, PurePosixPath(name).suffix.lower()


def _described(shard: Path) -> dict[str, Any]:
    """Return the entry of a shard in the index, read from the file."""
    pictures = []
    for item in tar_items(shard):
        assert isinstance(item.picture, Packed)
        said = {**item.labels, "split": item.split, "name": item.name}
        pictures.append(
            {"member": item.picture.name, "offset": item.picture.offset, "length": item.picture.length, "said": said}
        )
    with shard.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"file": shard.name, "bytes": shard.stat().st_size, "sha256": digest, "pictures": pictures}
