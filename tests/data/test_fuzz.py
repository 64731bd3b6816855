"""Reading any file gives pictures or one clear sentence. IMPASTO_FUZZ=20000 runs more examples."""

import gzip
import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from impasto.data.fingerprint import inspect
from impasto.data.layouts import read_collection
from impasto.data.transforms import read_pixels
from impasto.errors import ImpastoError
from tests.conftest import picture
from tests.data.layouts.test_layouts import example, record, write_idx

EXAMPLES = int(os.environ.get("IMPASTO_FUZZ", "40"))
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")
patient = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES < 100,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
KINDS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "AVIF")

Damage = list[tuple[float, bytes]]
damages = st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=0, max_size=6)), min_size=1, max_size=4)


def damaged(content: bytes, damage: Damage, cut: float) -> bytes:
    """Overwrite some bytes and cut off the end."""
    scrambled = bytearray(content)
    for place, what in damage:
        start = int(place * len(content))
        scrambled[start : start + len(what)] = what
    return bytes(scrambled[: max(1, int(cut * len(scrambled)))])


def encoded(kind: str) -> bytes:
    buffer = io.BytesIO()
    picture(7).save(buffer, kind)
    return buffer.getvalue()


WHOLE = {kind: encoded(kind) for kind in KINDS}


@patient
@given(kind=st.sampled_from(KINDS), damage=damages, cut=st.floats(0.2, 1.0))
def test_damaged_pictures(kind: str, damage: Damage, cut: float, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(damaged(WHOLE[kind], damage, cut))
    try:
        pixels = read_pixels(path, 1.0, 20)
    except ImpastoError as error:
        assert "picture.png" in str(error)  # noqa: PT017 - most of the time nothing is raised
    else:
        assert pixels.shape[0] == 3
        assert min(pixels.shape[1:]) == 20


def read_all(path: Path) -> None:
    """Read a collection as training does. Any error must be an ImpastoError that names a file."""
    try:
        collection = read_collection(path)
        inspect(collection.items, 1.0)
        for item in collection.items[:5]:
            read_pixels(item.picture, 1.0, 20)
    except ImpastoError as error:
        assert str(path.name) in str(error)  # noqa: PT017


texts = st.text(st.characters(codec="utf-8"), max_size=60)
NAMES = (
    "labels.csv",
    "split.csv",
    "metadata.jsonl",
    "metadata.csv",
    "style_train.csv",
    "style_class.txt",
    "index.json",
)


@patient
@given(
    name=st.sampled_from(NAMES),
    content=st.one_of(st.binary(max_size=80), texts.map(str.encode)),
    head=st.sampled_from(
        [b"", b"path,style\n", b"path,split\n00.png,", b'{"file_name": "00.png", ', b"file_name,a\n00.png,"]
    ),
)
def test_damaged_tables(name: str, content: bytes, head: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "c"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    picture(1).save(folder / "00.png")
    (folder / name).write_bytes(head + content)
    if name == "style_train.csv":
        (folder / "style_class.txt").write_text("0 a\n")
    if name == "style_class.txt":
        (folder / "style_train.csv").write_text("00.png,0\n")
    if name == "index.json":
        (folder / "0.tar").write_bytes(content)
    read_all(folder)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@patient
@given(value=json_values, key=st.sampled_from(["labels", "shards", "other"]))
def test_strange_json_in_zips_and_indices(value: object, key: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("a.png", WHOLE["PNG"])
        archive.writestr("dataset.json", json.dumps({key: value}))
    read_all(tmp_path / "c.zip")
    folder = tmp_path / "c"
    folder.mkdir(exist_ok=True)
    (folder / "a.tar").write_bytes(b"")
    (folder / "index.json").write_text(json.dumps({key: value}))
    read_all(folder)


def whole_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(2):
            archive.writestr(f"x/{number}.png", WHOLE["PNG"])
        archive.writestr("dataset.json", '{"labels": [["x/0.png", 1], ["x/1.png", 2]]}')
    return buffer.getvalue()


ZIP = whole_zip()
TFRECORD = b"".join(record(example(image=WHOLE["JPEG"], image_name=b"a")) for _ in range(2))


@patient
@given(damage=damages, cut=st.floats(0.5, 1.0))
def test_damaged_archives(damage: Damage, cut: float, tmp_path: Path) -> None:
    (tmp_path / "c.zip").write_bytes(damaged(ZIP, damage, cut))
    read_all(tmp_path / "c.zip")
    folder = tmp_path / "c"
    (folder / "photo_jpg").mkdir(parents=True, exist_ok=True)
    picture(1).save(folder / "photo_jpg" / "1.jpg")
    (folder / "monet_tfrec").mkdir(exist_ok=True)
    (folder / "monet_tfrec" / "m.tfrec").write_bytes(damaged(TFRECORD, damage, cut))
    read_all(folder)


@patient
@given(damage=damages, cut=st.floats(0.5, 1.0), zipped=st.booleans())
def test_damaged_arrays(damage: Damage, cut: float, zipped: bool, tmp_path: Path) -> None:
    folder = tmp_path / "c"
    write_idx(folder, "train", 3, zipped=False)
    images = folder / "train-images-idx3-ubyte"
    content = damaged(gzip.compress(images.read_bytes()) if zipped else images.read_bytes(), damage, cut)
    images.unlink()
    images.with_name(images.name + ".gz" * zipped).write_bytes(content)
    (folder / (images.name + ".gz" * (not zipped))).unlink(missing_ok=True)
    read_all(folder)


@pytest.mark.parametrize("kind", KINDS)
def test_whole_pictures_are_read(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(WHOLE[kind])
    pixels = read_pixels(path, 1.0, 30).permute(1, 2, 0).numpy().astype(int)
    with Image.open(path) as whole:
        assert np.abs(pixels - np.asarray(whole.convert("RGB")).astype(int)).mean() < 1
