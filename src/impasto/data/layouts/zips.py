"""Pictures in a zip, read without unpacking: StyleGAN's zip with `dataset.json`, or zipped folders of pictures."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from impasto.data.collection import Collection, Item
from impasto.data.layouts.layout import Layout, as_split
from impasto.data.pictures import SUFFIXES
from impasto.data.sources import Packed
from impasto.errors import DataError

METHODS: dict[int, Literal["stored", "deflated"]] = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflated"}
MOST_TABLE_BYTES = 1 << 28
"""A longer dataset.json is refused."""


def read_zip(file: Path) -> Collection:
    """List the pictures of a zip. Classes come from `dataset.json`, or from the top folders if there are several.

    Raises DataError for a damaged or encrypted zip, or one without pictures.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = [member for member in archive.infolist() if _is_picture(member.filename)]
            table = _dataset_json(archive)
    except (OSError, zipfile.BadZipFile, ValueError, RuntimeError, NotImplementedError, KeyError) as error:
        raise DataError(f"{file} cannot be read as a zip ({error}); make or copy it again") from error
    if not members:
        raise DataError(f"{file} holds no pictures; impasto looks for {', '.join(sorted(SUFFIXES))}")
    unreadable = [m.filename for m in members if m.compress_type not in METHODS or m.flag_bits & 1]
    if unreadable:
        raise DataError(
            f"{file} holds {unreadable[0]} encrypted or with an unusual compression; make it again as a plain zip"
        )
    names = [member.filename for member in members]
    if table is None:
        names = _without_common_folder(names)
    items = [_item(file, member, name) for member, name in zip(members, names, strict=True)]
    labels = _stylegan_labels(table, file) if table is not None else _folder_labels(names)
    items = [item._replace(labels=labels.get(item.name, {})) for item in sorted(items, key=lambda item: item.name)]
    return Collection(file, "zip", items)


def _item(file: Path, member: zipfile.ZipInfo, name: str) -> Item:
    packed = Packed(file, member.header_offset, member.compress_size, member.filename, METHODS[member.compress_type])
    parts = PurePosixPath(name).parts
    split = as_split(parts[0]) if len(parts) > 1 else None
    return Item(packed, name, split or "train")


def _is_picture(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() in SUFFIXES and not any(part.startswith((".", "__MACOSX")) for part in path.parts)


def _without_common_folder(names: Sequence[str]) -> list[str]:
    """Return the names without the top folder, if one folder holds everything."""
    tops = {name.split("/")[0] for name in names}
    if len(tops) == 1 and all("/" in name for name in names) and not as_split(next(iter(tops))):
        return [name.split("/", 1)[1] for name in names]
    return list(names)


def _dataset_json(archive: zipfile.ZipFile) -> Any:
    if "dataset.json" not in archive.namelist():
        return None
    if archive.getinfo("dataset.json").file_size > MOST_TABLE_BYTES:
        raise ValueError("its dataset.json is too long")
    return json.loads(archive.read("dataset.json"))


def _stylegan_labels(table: Any, file: Path) -> dict[str, Mapping[str, str]]:
    """Return the labels of a `dataset.json`: {"labels": [[name, class number], ...]}, or null without labels."""
    rows = table.get("labels") if isinstance(table, dict) else None
    if rows is None:
        return {}
    try:
        return {str(name): {"class": str(int(number))} for name, number in rows}
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{file}: labels in dataset.json must be pairs of a name and a class number ({error}); fix it"
        ) from error


def _folder_labels(names: Sequence[str]) -> dict[str, Mapping[str, str]]:
    inner = {name: [part for part in name.split("/")[:-1] if not as_split(part)] for name in names}
    classes = {parts[0] for parts in inner.values() if parts}
    if len(classes) < 2 or not all(inner.values()):
        return {}
    return {name: {"class": parts[0]} for name, parts in inner.items()}


def _is_zip(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() == ".zip"


ZIP = Layout("a zip of pictures, such as StyleGAN's with dataset.json", _is_zip, read_zip)
