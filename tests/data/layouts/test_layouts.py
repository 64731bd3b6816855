"""Every layout is recognised, and read with its splits and labels."""

import gzip
import io
import json
import struct
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from impasto.data.collection import Collection
from impasto.data.layouts import LAYOUTS, read_collection, recognise
from impasto.data.layouts.tfrecords import masked_crc32c
from impasto.data.pictures import read_picture
from impasto.errors import DataError
from tests.conftest import picture

Make = Callable[..., Path]


def encoded(seed: int, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    picture(seed).save(buffer, kind)
    return buffer.getvalue()


def opened(path: Path, layout: str, **expected: int) -> Collection:
    """Read a collection, check its layout, and read every picture."""
    assert recognise(path) == layout
    collection = read_collection(path)
    assert collection.layout == layout
    assert {split: len(collection.of(split)) for split in ("train", "test")} == expected
    assert len({item.name for item in collection.items}) == len(collection.items)
    for item in collection.items:
        assert read_picture(item.picture).mode == "RGB"
    return collection


def test_a_plain_folder(tmp_path: Path, make_pictures: Make) -> None:
    make_pictures(tmp_path / "c", 3)
    make_pictures(tmp_path / "c" / "more", 2)
    assert opened(tmp_path / "c", "plain", train=5, test=0).attributes == ()


def test_class_folders(tmp_path: Path, make_pictures: Make) -> None:
    make_pictures(tmp_path / "c" / "monet", 3)
    make_pictures(tmp_path / "c" / "cézanne" / "late", 2)
    collection = opened(tmp_path / "c", "class-folders", train=5, test=0)
    assert collection.histogram("class") == {"monet": 3, "cézanne": 2}


@pytest.mark.parametrize("held_out", ["test", "val", "Validation"])
def test_class_folders_in_split_folders(held_out: str, tmp_path: Path, make_pictures: Make) -> None:
    for split, count in (("train", 3), (held_out, 2)):
        for name in ("dog", "cat"):
            make_pictures(tmp_path / "c" / split / name, count)
    collection = opened(tmp_path / "c", "class-folders", train=6, test=4)
    assert collection.histogram("class") == {"dog": 5, "cat": 5}


def test_a_train_folder_finds_its_test_sibling(tmp_path: Path, make_pictures: Make) -> None:
    for split in ("train", "test"):
        for name in ("dog", "cat"):
            make_pictures(tmp_path / split / name, 2)
    collection = opened(tmp_path / "train", "class-folders", train=4, test=4)
    assert collection.histogram("class") == {"dog": 4, "cat": 4}


def test_pictures_beside_class_folders_make_it_plain(tmp_path: Path, make_pictures: Make) -> None:
    make_pictures(tmp_path / "c" / "monet", 2)
    make_pictures(tmp_path / "c" / "manet", 2)
    make_pictures(tmp_path / "c", 1)
    opened(tmp_path / "c", "plain", train=5, test=0)
    collection = read_collection(tmp_path / "c", "class-folders")
    assert collection.notes == ["1 pictures are outside of the class folders and have no class"]


def test_tables_give_splits_and_several_labels(tmp_path: Path, make_pictures: Make) -> None:
    make_pictures(tmp_path / "c", 4)
    (tmp_path / "c" / "split.csv").write_text("path,split\n00.png,test\n01.png,train\n")
    rows = [
        "path,style,genre",
        "00.png,baroque,portrait",
        "01.png,baroque,",
        "03.png,rococo,still life",
        "c/02.png,,nude",
    ]
    (tmp_path / "c" / "labels.csv").write_text("\n".join(rows))
    collection = opened(tmp_path / "c", "plain", train=3, test=1)
    assert collection.attributes == ("style", "genre")
    assert [dict(item.labels) for item in collection.items] == [
        {"style": "baroque", "genre": "portrait"},
        {"style": "baroque"},
        {"genre": "nude"},
        {"style": "rococo", "genre": "still life"},
    ]
    assert [item.split for item in collection.items] == ["test", "train", "train", "train"]


def test_missing_pictures_are_counted_and_the_first_are_named(tmp_path: Path, make_pictures: Make) -> None:
    make_pictures(tmp_path / "c", 2)
    rows = ["path,style", "00.png,a", *[f"gone{n}.png,b" for n in range(7)]]
    (tmp_path / "c" / "labels.csv").write_text("\n".join(rows))
    (note,) = read_collection(tmp_path / "c").notes
    assert "names 7 missing pictures: gone0.png, gone1.png, gone2.png, gone3.png, gone4.png, …" in note
    (tmp_path / "c" / "labels.csv").write_text("\n".join([rows[0], *rows[2:]]))
    with pytest.raises(DataError, match="labels.csv names 7 pictures, and all are missing"):
        read_collection(tmp_path / "c")


@pytest.mark.parametrize("split_folders", [False, True])
def test_hugging_face_metadata(split_folders: bool, tmp_path: Path, make_pictures: Make) -> None:
    folders = ["train", "validation"] if split_folders else ["."]
    for folder in folders:
        make_pictures(tmp_path / "c" / folder, 2)
        rows = [
            {"file_name": f"0{n}.png", "artist": "Hokusai", "year": 1830 + n, "objects": {"a": []}} for n in range(2)
        ]
        text = "\n".join(json.dumps(row) for row in rows)
        (tmp_path / "c" / folder / "metadata.jsonl").write_text(text)
    layout = "class-folders" if split_folders else "plain"
    collection = read_collection(tmp_path / "c")
    assert collection.layout in (layout, "plain")
    assert len(collection.of("test")) == (2 if split_folders else 0)
    assert collection.histogram("artist") == {"Hokusai": 2 * len(folders)}
    assert collection.histogram("year") == {"1830": len(folders), "1831": len(folders)}
    assert "objects" not in collection.attributes


def test_labels_and_metadata_together_are_refused(tmp_path: Path, make_pictures: Make) -> None:
    make_pictures(tmp_path / "c", 2)
    (tmp_path / "c" / "labels.csv").write_text("path,style\n00.png,a\n")
    (tmp_path / "c" / "metadata.jsonl").write_text('{"file_name": "00.png", "style": "b"}\n')
    with pytest.raises(DataError, match="has both labels.csv and metadata.jsonl; remove or rename"):
        read_collection(tmp_path / "c")


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("labels.csv", "picture,style\n00.png,a\n", "needs the column path; it has picture, style"),
        ("labels.csv", "", "needs the column path; it has none"),
        ("split.csv", "path\n00.png\n", "needs the columns path and split; it has path"),
        ("labels.csv", "path,style\n,a\n", "line 2: names no picture"),
        ("labels.csv", "path,split\n00.png,dev\n", "line 2: split is 'dev'; it must be train or test"),
        ("metadata.jsonl", "{", "line 1: is not JSON"),
        ("metadata.jsonl", "[1]", "line 1: is not an object"),
        ("metadata.jsonl", '{"style": "a"}', "needs the column file_name; it has style"),
        ("labels.csv", "path,style\n00.png,\udcff\n", "cannot be read as a table in UTF-8"),
    ],
)
def test_invalid_tables(name: str, text: str, problem: str, tmp_path: Path, make_pictures: Make) -> None:
    make_pictures(tmp_path / "c", 2)
    (tmp_path / "c" / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError) as raised:
        read_collection(tmp_path / "c")
    assert problem in str(raised.value)
    assert name in str(raised.value)


def test_two_domains(tmp_path: Path, make_pictures: Make) -> None:
    for folder, count in [("trainA", 4), ("trainB", 3), ("testA", 2), ("testB", 1)]:
        make_pictures(tmp_path / "c" / folder, count)
    collection = opened(tmp_path / "c", "two-domains", train=7, test=3)
    assert Counter((item.split, item.labels["domain"]) for item in collection.items) == {
        ("train", "A"): 4, ("train", "B"): 3, ("test", "A"): 2, ("test", "B"): 1,
    }  # fmt: skip


def test_the_layout_overrides_a_domain_in_a_table(tmp_path: Path, make_pictures: Make) -> None:
    for folder in ("trainA", "trainB"):
        make_pictures(tmp_path / "c" / folder, 2)
    (tmp_path / "c" / "trainA" / "labels.csv").write_text("path,domain\n00.png,sky\n")
    assert read_collection(tmp_path / "c").histogram("domain") == {"A": 2, "B": 2}


def test_paired_folders(tmp_path: Path, make_pictures: Make) -> None:
    for split, count in [("train", 3), ("test", 2)]:
        make_pictures(tmp_path / "c" / "A" / split, count, suffix=".jpg")
        make_pictures(tmp_path / "c" / "B" / split, count, seed=50)
    collection = opened(tmp_path / "c", "paired-folders", train=3, test=2)
    for item in collection.items:
        assert isinstance(item.picture, Path)
        assert isinstance(item.partner, Path)
        assert item.partner.relative_to(tmp_path / "c" / "B").with_suffix("") == item.picture.relative_to(
            tmp_path / "c" / "A"
        ).with_suffix("")


def test_pictures_without_partner_are_named_in_the_error(tmp_path: Path, make_pictures: Make) -> None:
    make_pictures(tmp_path / "c" / "A", 3)
    make_pictures(tmp_path / "c" / "B", 2)
    with pytest.raises(DataError, match=r"1 pictures of .*/A have no partner with the same name: 02; add the partners"):
        read_collection(tmp_path / "c")


def test_side_by_side(tmp_path: Path) -> None:
    for split in ("train", "val"):
        (tmp_path / "c" / split).mkdir(parents=True)
        for seed in range(3):
            picture(seed, 64, 32).save(tmp_path / "c" / split / f"{seed}.png")
    collection = opened(tmp_path / "c", "side-by-side", train=3, test=3)
    item = collection.items[0]
    whole = np.asarray(picture(0, 64, 32))
    assert item.partner is not None
    assert (np.asarray(read_picture(item.picture)) == whole[:, :32]).all()
    assert (np.asarray(read_picture(item.partner)) == whole[:, 32:]).all()


def test_made_pairs_of_any_proportions_are_recognised_by_their_record(tmp_path: Path, make_pictures: Make) -> None:
    make_pictures(tmp_path / "c", 3)
    (tmp_path / "c" / "made.json").write_text('{"kind": "grey", "layout": "alone"}')
    assert recognise(tmp_path / "c") == "plain"
    (tmp_path / "c" / "made.json").write_text('{"kind": "semantic", "layout": "pairs"}')
    assert recognise(tmp_path / "c") == "side-by-side"


def wikiart(folder: Path, make_pictures: Make) -> Path:
    for style in ("Baroque", "Rococo"):
        make_pictures(folder / style, 3)
    (folder / "style_class.txt").write_text("0 Baroque\n1 Rococo\n")
    (folder / "genre_class").write_text("0 portrait\n1 still_life\n")
    (folder / "style_train.csv").write_text("Baroque/00.png,0\nBaroque/01.png,0\nRococo/00.png,1\n")
    (folder / "style_val.csv").write_text("Rococo/01.png,1\n")
    (folder / "genre_train.csv").write_text("Baroque/00.png,1\nRococo/09.png,0\n")
    return folder


def test_wikiart_lists(tmp_path: Path, make_pictures: Make) -> None:
    collection = opened(wikiart(tmp_path / "c", make_pictures), "wikiart", train=3, test=1)
    assert collection.histogram("style") == {"Baroque": 2, "Rococo": 2}
    assert collection.histogram("genre") == {"still_life": 1}
    assert collection.notes == ["1 pictures of the lists are missing: Rococo/09.png"]


def test_wikiart_lists_without_pictures_or_with_unknown_classes(tmp_path: Path, make_pictures: Make) -> None:
    folder = wikiart(tmp_path / "c", make_pictures)
    (folder / "style_train.csv").write_text("Baroque/00.png,7\n")
    with pytest.raises(
        DataError, match="style_train.csv gives Baroque/00.png the class 7, which is not in style_class"
    ):
        read_collection(folder)
    (folder / "style_train.csv").write_text("Baroque/00.png\n")
    with pytest.raises(DataError, match="style_train.csv is not a list of pictures and class numbers"):
        read_collection(folder)
    (folder / "style_train.csv").write_text("Gone/00.png,0\n")
    (folder / "style_val.csv").unlink()
    (folder / "genre_train.csv").unlink()
    with pytest.raises(DataError, match=r"WikiArt lists of 1 pictures, but none of the pictures \(Gone/00.png\)"):
        read_collection(folder)


def varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def example(**values: bytes) -> bytes:
    """A tf.train.Example with bytes values, and an integer value that is skipped."""
    entries = [field(1, name.encode()) + field(2, field(1, field(1, value))) for name, value in values.items()]
    entries.append(field(1, b"width") + field(2, field(3, b"\x0a\x01\x07")))
    return field(1, b"".join(field(1, entry) for entry in entries))


def record(content: bytes) -> bytes:
    header = struct.pack("<Q", len(content))
    return b"".join(
        [header, struct.pack("<I", masked_crc32c(header)), content, struct.pack("<I", masked_crc32c(content))]
    )


def test_gan_getting_started(tmp_path: Path, make_pictures: Make) -> None:
    make_pictures(tmp_path / "c" / "photo_jpg", 3, suffix=".jpg")
    (tmp_path / "c" / "monet_tfrec").mkdir()
    records = [example(image=encoded(seed, "JPEG"), image_name=f"monet{seed}".encode()) for seed in range(2)]
    (tmp_path / "c" / "monet_tfrec" / "monet00-2.tfrec").write_bytes(b"".join(map(record, records)))
    collection = opened(tmp_path / "c", "gan-getting-started", train=5, test=0)
    assert collection.histogram("domain") == {"A": 3, "B": 2}
    monet = [item for item in collection.items if item.labels["domain"] == "B"]
    assert [item.name for item in monet] == [f"monet_tfrec/monet00-2.tfrec/monet{seed}" for seed in range(2)]
    whole = np.asarray(picture(1)).astype(int)
    assert np.abs(np.asarray(read_picture(monet[1].picture)).astype(int) - whole).mean() < 6


def test_checksum_of_tfrecords() -> None:
    crc = (masked_crc32c(b"123456789") - 0xA282EAD8) & 0xFFFFFFFF
    assert ((crc << 15) | (crc >> 17)) & 0xFFFFFFFF == 0xE3069283, "the check value of CRC-32C (RFC 3720, B.4)"


@pytest.mark.parametrize("damage", ["length", "cut", "no image", "garbage"])
def test_damaged_tfrecords(damage: str, tmp_path: Path, make_pictures: Make) -> None:
    make_pictures(tmp_path / "c" / "photo_jpg", 2)
    (tmp_path / "c" / "monet_tfrec").mkdir()
    whole = record(example(image=encoded(1)))
    content = {
        "length": b"\x01" + whole[1:],
        "cut": whole[:-40],
        "no image": record(example(picture=encoded(1))),
        "garbage": record(b"\xff" * 30),
    }[damage]
    (tmp_path / "c" / "monet_tfrec" / "m.tfrec").write_bytes(content)
    with pytest.raises(DataError, match="m.tfrec is not a TFRecord file of pictures or is damaged"):
        read_collection(tmp_path / "c")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_stylegan_zip(method: int, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w", method) as archive:
        for seed in range(3):
            archive.writestr(f"00000/img{seed}.png", encoded(seed))
        labels = [[f"00000/img{seed}.png", seed % 2] for seed in range(3)]
        archive.writestr("dataset.json", json.dumps({"labels": labels}))
    collection = opened(tmp_path / "set.zip", "zip", train=3, test=0)
    assert collection.histogram("class") == {"0": 2, "1": 1}
    assert (np.asarray(read_picture(collection.items[2].picture)) == np.asarray(picture(2))).all()


def test_zip_of_folders(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for name in ("train/dog/1.png", "train/cat/2.png", "test/dog/3.png", "__MACOSX/train/dog/._1.png"):
            archive.writestr(f"animals/{name}" if name[0] == "t" else name, encoded(len(name)))
    collection = opened(tmp_path / "set.zip", "zip", train=2, test=1)
    assert collection.histogram("class") == {"dog": 2, "cat": 1}


def test_damaged_zips(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("not a zip")
    with pytest.raises(DataError, match="text.zip cannot be read as a zip"):
        read_collection(tmp_path / "text.zip")
    with zipfile.ZipFile(tmp_path / "none.zip", "w") as archive:
        archive.writestr("readme.txt", "no pictures")
    with pytest.raises(DataError, match="none.zip holds no pictures"):
        read_collection(tmp_path / "none.zip")
    with zipfile.ZipFile(tmp_path / "labels.zip", "w") as archive:
        archive.writestr("a.png", encoded(0))
        archive.writestr("dataset.json", '{"labels": [["a.png", "baroque"]]}')
    with pytest.raises(DataError, match="labels in dataset.json must be pairs of a name and a class number"):
        read_collection(tmp_path / "labels.zip")


def write_idx(folder: Path, prefix: str, count: int, *, zipped: bool) -> np.ndarray:
    pixels = np.random.default_rng(count).integers(0, 256, (count, 28, 28), dtype=np.uint8)
    images = struct.pack(">HBB3I", 0, 8, 3, count, 28, 28) + pixels.tobytes()
    labels = struct.pack(">HBBI", 0, 8, 1, count) + bytes(n % 10 for n in range(count))
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in ((f"{prefix}-images-idx3-ubyte", images), (f"{prefix}-labels-idx1-ubyte", labels)):
        path = folder / (name + ".gz" * zipped)
        path.write_bytes(gzip.compress(content) if zipped else content)
    return pixels


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("inside", ["", "MNIST/raw"])
def test_mnist(zipped: bool, inside: str, tmp_path: Path) -> None:
    pixels = write_idx(tmp_path / "c" / inside, "train", 12, zipped=zipped)
    write_idx(tmp_path / "c" / inside, "t10k", 3, zipped=zipped)
    collection = opened(tmp_path / "c", "mnist", train=12, test=3)
    assert collection.items[11].labels == {"class": "1"}
    assert (np.asarray(read_picture(collection.items[11].picture))[..., 0] == pixels[11]).all()


def test_damaged_mnist(tmp_path: Path) -> None:
    write_idx(tmp_path / "c", "train", 5, zipped=False)
    images = tmp_path / "c" / "train-images-idx3-ubyte"
    content = images.read_bytes()
    images.write_bytes(content[:-1])
    with pytest.raises(
        DataError, match="train-images-idx3-ubyte is not an IDX file of bytes in 3 dimensions, or is damaged"
    ):
        read_collection(tmp_path / "c")


def test_truncated_gzip(tmp_path: Path) -> None:
    write_idx(tmp_path / "c", "train", 5, zipped=True)
    images = tmp_path / "c" / "train-images-idx3-ubyte.gz"
    images.write_bytes(images.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte.gz cannot be read .*; copy it again"):
        read_collection(tmp_path / "c")


@pytest.mark.parametrize("inside", ["", "cifar-10-batches-bin"])
def test_cifar10(inside: str, tmp_path: Path) -> None:
    folder = tmp_path / "c" / inside
    folder.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (4, 3, 32, 32), dtype=np.uint8)
    content = b"".join(bytes([n % 2]) + pixels[n].tobytes() for n in range(4))
    (folder / "data_batch_1.bin").write_bytes(content)
    (folder / "test_batch.bin").write_bytes(content[:3073])
    (folder / "batches.meta.txt").write_text("airplane\nautomobile\n\n")
    collection = opened(tmp_path / "c", "cifar-10", train=4, test=1)
    assert collection.histogram("class") == {"airplane": 3, "automobile": 2}
    assert (np.asarray(read_picture(collection.items[3].picture)) == pixels[3].transpose(1, 2, 0)).all()
    (folder / "data_batch_1.bin").write_bytes(content[:-1])
    with pytest.raises(DataError, match="does not consist of whole pictures of 3073 bytes"):
        read_collection(tmp_path / "c")


def test_pickled_cifar10_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c" / "cifar-10-batches-py").mkdir(parents=True)
    (tmp_path / "c" / "cifar-10-batches-py" / "data_batch_1").write_bytes(b"\x80\x02")
    with pytest.raises(DataError, match="can run foreign code when they are opened; get the binary version"):
        read_collection(tmp_path / "c")


def test_shards_from_other_programs(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    with tarfile.open(tmp_path / "c" / "a.tar", "w") as archive:
        for name, content in [
            ("x/001.png", encoded(1)), ("x/001.cls", b"3\n"),
            ("x/002.json", b'{"style": "baroque", "split": "val"}'), ("x/002.png", encoded(2)),
            ("x/003.txt", b"no picture"),
        ]:  # fmt: skip
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    collection = opened(tmp_path / "c", "shards", train=1, test=1)
    assert [dict(item.labels) for item in collection.items] == [{"class": "3"}, {"style": "baroque"}]
    assert (np.asarray(read_picture(collection.items[1].picture)) == np.asarray(picture(2))).all()
    (tmp_path / "c" / "a.tar").write_bytes(b"no tar at all")
    with pytest.raises(DataError, match="a.tar is not a tar file or is damaged"):
        read_collection(tmp_path / "c")


def test_two_matching_layouts_are_named_in_the_error(tmp_path: Path, make_pictures: Make) -> None:
    for name in ("trainA", "trainB", "A", "B"):
        make_pictures(tmp_path / "c" / name, 2)
    with pytest.raises(DataError, match="looks like two layouts: two-domains .* and paired-folders .*data.layout"):
        read_collection(tmp_path / "c")
    assert len(read_collection(tmp_path / "c", "paired-folders").items) == 2


def test_paths_that_are_not_a_collection(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("")
    for path, problem in [
        (tmp_path / "gone", "gone does not exist; check the path"),
        (tmp_path / "empty", "empty holds no pictures; impasto looks for"),
        (tmp_path / "text.txt", "text.txt is not a folder or a zip"),
    ]:
        with pytest.raises(DataError, match=problem):
            read_collection(path)
    with pytest.raises(DataError, match="there is no layout 'planes'; did you mean plain?"):
        read_collection(tmp_path, "planes")


def test_every_layout_was_tested() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    untested = [name for name in LAYOUTS if f'"{name}", train=' not in text]
    assert untested == ["cifar-10-python"], "which is only refused"
