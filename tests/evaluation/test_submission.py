"""The contest's file: what is written passes the check, and the check finds what the contest would refuse."""

import hashlib
import io
import shutil
import stat
import struct
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.data.layouts import read_collection
from impasto.data.pictures import read_picture
from impasto.errors import DataError, EvaluationError, OutputError, PainterError, PictureError
from impasto.evaluation.submission import (
    CHECKS,
    CONTEST,
    DATE,
    MOST_BYTES,
    MOST_MEMBERS,
    Limits,
    SubmissionOptions,
    requirement,
    validate_submission,
    write_submission,
)
from impasto.painting.paint_picture import PhotoOptions, paint_picture
from impasto.painting.painters import LoadedPainter, load_painter
from tests.conftest import picture
from tests.painting.toy_painters import Restyled, toy_recipe

SMALL = SubmissionOptions(limits=Limits(fewest=3, most=12, side=32))
ONE = Limits(fewest=1, most=5)


@pytest.fixture
def painter() -> LoadedPainter:
    return load_painter("engraver")


@pytest.fixture
def photos(tmp_path: Path, make_pictures: Callable[..., Path]) -> Path:
    """Ten photos of various sizes: more than a batch."""
    return make_pictures(tmp_path / "holiday", 10, seed=50)


def encoded(kind: str = "JPEG", size: tuple[int, int] = (256, 256), mode: str = "RGB", seed: int = 1) -> bytes:
    buffer = io.BytesIO()
    picture(seed, *size).convert(mode).save(buffer, kind)
    return buffer.getvalue()


def as_jpeg(whole: Image.Image) -> Image.Image:
    """A picture as it comes back from a JPEG of the quality promised."""
    buffer = io.BytesIO()
    whole.save(buffer, "JPEG", quality=95, subsampling=0)
    return Image.open(buffer)


def zip_of(members: Iterable[tuple[str | zipfile.ZipInfo, bytes]], packing: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile("images.zip", "w", packing) as archive:
        for member, content in members:
            archive.writestr(member, content)
    return Path("images.zip")


def found(path: Path, limits: Limits = ONE) -> dict[str, str]:
    """What the check says, by check."""
    return {problem.check: problem.message for problem in validate_submission(path, limits).problems}


def distinct(content: bytes, number: int) -> bytes:
    """A JPEG with a comment behind its first marker: the same picture in other bytes."""
    return content[:2] + struct.pack(">HHI", 0xFFFE, 6, number) + content[2:]


# writing


def test_what_is_written_passes_the_check_and_is_read_as_a_collection(painter: LoadedPainter, photos: Path) -> None:
    told: list[tuple[str, int, int]] = []
    written = write_submission(photos, painter, Path("out/images.zip"), SMALL, lambda *now: told.append(now))
    assert (written.count, written.left_out) == (10, ())
    assert told == [(stage, n, 10) for stage in ("examined", "painted") for n in range(1, 11)]
    submission = validate_submission(Path("out/images.zip"), SMALL.limits)
    assert (submission.count, submission.problems) == (10, ())
    collection = read_collection(Path("out/images.zip"))
    assert [item.name for item in collection.items] == [f"{n + 1:05d}-{n:02d}.jpg" for n in range(10)]
    assert {read_picture(item.picture).size for item in collection.items} == {(32, 32)}
    assert [path.name for path in Path("out").iterdir()] == ["images.zip"]


def test_paintings_are_those_of_paint_in_the_order_of_the_photos(painter: LoadedPainter, photos: Path) -> None:
    write_submission(photos, painter, Path("images.zip"), SMALL)
    written = [np.asarray(read_picture(item.picture), int) for item in read_collection(Path("images.zip")).items]
    expected = []
    for photo in sorted(photos.iterdir()):
        whole = read_picture(photo)
        scale = 32 / min(whole.size)
        whole = whole.resize((round(whole.width * scale), round(whole.height * scale)), Image.Resampling.BICUBIC)
        left, top = (whole.width - 32) // 2, (whole.height - 32) // 2
        square = whole.crop((left, top, left + 32, top + 32))
        expected.append(as_jpeg(paint_picture(square, painter, PhotoOptions())))
    apart = np.array([[np.abs(one - np.asarray(other, int)).mean() for other in expected] for one in written])
    assert apart.diagonal().max() < 4  # rounded otherwise when resized
    assert apart.argmin(axis=1).tolist() == list(range(10))


def test_photos_of_the_contests_size_are_painted_as_they_are(painter: LoadedPainter, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    Path("photos").mkdir()
    originals = [picture(seed, 256, 256) for seed in range(2)]
    for number, original in enumerate(originals):
        original.save(f"photos/{number}.png")
    monkeypatch.setattr(type(painter.painter), "paint", lambda _self, prompt, *_: prompt.photos)
    write_submission(Path("photos"), painter, Path("images.zip"), SubmissionOptions(limits=Limits(1, 2)))
    for item, original in zip(read_collection(Path("images.zip")).items, originals, strict=True):
        assert read_picture(item.picture).tobytes() == as_jpeg(original).tobytes()


def test_equal_photos_make_equal_bytes_whenever_and_wherever(
    painter: LoadedPainter, photos: Path, tmp_path: Path
) -> None:
    shutil.copytree(photos, tmp_path / "copy" / "holiday", copy_function=shutil.copyfile)
    digests = set()
    for folder, target in ((photos, "a.zip"), (tmp_path / "copy" / "holiday", "b.zip")):
        write_submission(folder, painter, Path(target), SMALL)
        digests.add(hashlib.sha256(Path(target).read_bytes()).hexdigest())
    assert len(digests) == 1
    with zipfile.ZipFile("a.zip") as archive:
        assert {member.date_time for member in archive.infolist()} == {DATE}
        with archive.open("00001-00.jpg") as file, Image.open(file) as painting:
            assert painting.layer is not None
            assert {layer[1:3] for layer in painting.layer} == {(1, 1)}  # 4:4:4
            assert "exif" not in painting.info


def test_sub_folders_odd_names_and_zips_of_photos(painter: LoadedPainter) -> None:
    for number, name in enumerate(("a/1.png", "b/1.png", "b/Über dem Meer.png", "b/" + "x" * 120 + ".png")):
        Path("photos", name).parent.mkdir(parents=True, exist_ok=True)
        picture(number, 40, 40).save(Path("photos", name))
    write_submission(Path("photos"), painter, Path("images.zip"), SMALL)
    with zipfile.ZipFile("images.zip") as archive:
        names = archive.namelist()
        assert names == ["00001-1.jpg", "00002-1.jpg", f"00003-{'x' * 80}.jpg", "00004--ber-dem-Meer.jpg"] or names == [
            "00001-1.jpg", "00002-1.jpg", "00003--ber-dem-Meer.jpg", f"00004-{'x' * 80}.jpg",
        ]  # fmt: skip
    assert found(Path("images.zip"), SMALL.limits) == {}
    write_submission(Path("images.zip"), painter, Path("again.zip"), SMALL)
    assert validate_submission(Path("again.zip"), SMALL.limits).count == 4


def test_too_few_or_too_many_photos_are_refused_before_anything_is_read(
    painter: LoadedPainter, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("impasto.evaluation.submission.read_pixels", None)
    with pytest.raises(EvaluationError) as told:
        write_submission(photos, painter, Path("images.zip"))
    assert str(told.value) == (
        f"{photos} holds 10 photos, but the contest requires 7,000 to 10,000 paintings; add photos"
    )
    with pytest.raises(
        EvaluationError, match="holds 10 photos, but the contest requires 3 to 9 paintings; remove photos"
    ):
        write_submission(photos, painter, Path("images.zip"), SubmissionOptions(limits=Limits(3, 9, 32)))
    assert not Path("images.zip").exists()


def test_photos_that_are_broken_or_come_twice_are_left_out(painter: LoadedPainter, photos: Path) -> None:
    whole = (photos / "03.png").read_bytes()
    (photos / "cut.png").write_bytes(whole[: len(whole) // 2])
    read_picture(photos / "04.png").save(photos / "z-other-bytes.bmp")
    written = write_submission(photos, painter, Path("images.zip"), SMALL)
    assert written.count == 10
    assert [reason.split(" (")[0] for reason in written.left_out] == [
        f"{photos}/cut.png is cut off or damaged",
        f"{photos}/z-other-bytes.bmp shows the same as {photos}/04.png",
    ]
    assert found(Path("images.zip"), SMALL.limits) == {}


def test_too_few_that_can_be_used_are_told_before_painting(
    painter: LoadedPainter, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (photos / "07.png").write_text("text")
    monkeypatch.setattr(type(painter.painter), "paint", None)
    with pytest.raises(EvaluationError) as told:
        write_submission(photos, painter, Path("images.zip"), SubmissionOptions(limits=Limits(10, 12, 32)))
    assert "holds 9 photos that can be used and 1 that cannot (for example: " in str(told.value)
    assert "07.png is not a picture" in str(told.value)
    assert not list(Path().glob("*images.zip*"))
    assert not list(Path().glob(".*.part"))


def test_an_interrupt_leaves_nothing(painter: LoadedPainter, photos: Path) -> None:
    def interrupt(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("painted", 5):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_submission(photos, painter, Path("out/images.zip"), SMALL, interrupt)
    assert list(Path("out").iterdir()) == []


def test_what_cannot_be_written_or_painted_from(
    painter: LoadedPainter, photos: Path, collection: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("taken.zip").write_text("mine")
    with pytest.raises(
        OutputError, match=r"taken\.zip exists; pass --overwrite to replace it, or choose another --output"
    ):
        write_submission(photos, painter, Path("taken.zip"), SMALL)
    with pytest.raises(OutputError, match="cannot be written"):
        write_submission(photos, painter, Path("taken.zip/images.zip"), SMALL)
    with pytest.raises(DataError, match="gone does not exist"):
        write_submission(Path("gone"), painter, Path("images.zip"), SMALL)
    collection.joinpath("photos").rename(collection / "trainA")
    collection.joinpath("paintings").rename(collection / "trainB")
    with pytest.raises(
        DataError, match=r"holds more than photos \(it looks like two-domains\); use the folder with only"
    ):
        write_submission(collection, painter, Path("images.zip"), SMALL)
    for other in (load_painter("styles"), load_painter(toy_recipe(monkeypatch, Restyled))):
        with pytest.raises(PainterError, match=f"^{other.name} does not paint from photos alone; use a painter that"):
            write_submission(photos, other, Path("images.zip"), SMALL)
    assert Path("taken.zip").read_text() == "mine"
    assert not Path("images.zip").exists()


def test_a_photo_that_breaks_while_painting_is_told(
    painter: LoadedPainter, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("examined", 10):
            (photos / "09.png").write_text("text")

    with pytest.raises(PictureError, match=r"09\.png is not a picture"):
        write_submission(photos, painter, Path("images.zip"), SMALL, spoil)
    assert not Path("images.zip").exists()


# checking


def test_a_good_file_has_no_problem() -> None:
    told: list[tuple[str, int, int]] = []
    path = zip_of((f"{n}.jpg", encoded(seed=n)) for n in range(3))
    submission = validate_submission(path, Limits(3, 3), lambda *now: told.append(now))
    assert (submission.count, submission.problems) == (3, ())
    assert told == [("checked", n, 3) for n in (1, 2, 3)]
    assert found(zip_of([("a.JPEG", encoded())], zipfile.ZIP_DEFLATED)) == {}


REFUSED: dict[str, tuple[str, bytes, dict[str, str]]] = {
    "255 pixels": ("a.jpg", encoded(size=(255, 256)), {"size": "1 file is not 256 x 256 pixels: 'a.jpg' (255 x 256)"}),
    "PNG": ("a.png", encoded("PNG"), {"format": "1 file is not JPEG: 'a.png' (PNG)"}),
    "PNG named JPEG": ("a.jpg", encoded("PNG"), {"format": "1 file is not JPEG: 'a.jpg' (PNG)"}),
    "WebP named JPEG": ("a.jpg", encoded("WEBP"), {"format": "1 file is not JPEG: 'a.jpg' (WEBP)"}),
    "JPEG named PNG": ("a.png", encoded(), {"format": "1 file is not JPEG: 'a.png' (by its name)"}),
    "sub-folder": ("sub/a.jpg", encoded(), {"flat": "1 file is a folder or in one: 'sub/a.jpg'"}),
    "grey": ("a.jpg", encoded(mode="L"), {"mode": "1 file is not RGB: 'a.jpg' (grey)"}),
    "CMYK": ("a.jpg", encoded(mode="CMYK"), {"mode": "1 file is not RGB: 'a.jpg' (CMYK)"}),
    "EPS named JPEG": ("a.jpg", encoded("EPS", (8, 8)), {"readable": "1 file is damaged, cut off or not a picture: 'a.jpg' (unknown format)"}),
    "empty": ("a.jpg", b"", {"readable": "1 file is damaged, cut off or not a picture: 'a.jpg' (unknown format)"}),
    "truncated": ("a.jpg", encoded()[:3000], {"readable": "1 file is damaged, cut off or not a picture: 'a.jpg' (image file is truncated"}),
    "only a beginning": ("a.jpg", encoded()[:20], {"readable": "1 file is damaged, cut off or not a picture: 'a.jpg' ("}),
    "other file": ("notes.txt", b"text", {"others": "1 file is not named like a picture: 'notes.txt'"}),
    "macOS": ("__MACOSX/._a.jpg", b"x", {"flat": "1 file is a folder or in one: '__MACOSX/._a.jpg'", "others": "1 file is not named like a picture: '__MACOSX/._a.jpg'"}),
    "folder": ("sub/", b"", {"flat": "1 file is a folder or in one: 'sub/'"}),
    "absurd size": ("a.jpg", bytes(MOST_BYTES + 1), {"bytes": "1 file is larger than 1 MB: 'a.jpg' (1,000,001 bytes)"}),
    "way out": ("../a.jpg", encoded(), {"names": "1 file is named in a way that is unsafe to unpack: '../a.jpg'"}),
    "absolute": ("/a.jpg", encoded(), {"names": "1 file is named in a way that is unsafe to unpack: '/a.jpg'"}),
    "drive": ("C:a.jpg", encoded(), {"names": "1 file is named in a way that is unsafe to unpack: 'C:a.jpg'"}),
    "backslash": ("b\\a.jpg", encoded(), {"names": "1 file is named in a way that is unsafe to unpack: 'b\\\\a.jpg'"}),
    "control": ("\x1b[2J.jpg", encoded(), {"names": "1 file is named in a way that is unsafe to unpack: '\\x1b[2J.jpg'"}),
    "long": ("x" * 250 + ".jpg", encoded(), {"names": f"1 file is named in a way that is unsafe to unpack: '{'x' * 100}...'"}),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_each_fault_has_its_own_message(what: str) -> None:
    name, content, expected = REFUSED[what]
    member = zipfile.ZipInfo("x")
    member.filename = name  # what ZipInfo itself would have cleaned
    said = found(zip_of([("good.jpg", encoded(seed=9)), (member, content)]))
    assert said.keys() == expected.keys()
    for check, message in expected.items():
        assert said[check].startswith(message)
        assert said[check].isprintable()


def test_a_header_of_another_size_is_told_and_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray(encoded())
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = struct.pack(">HH", 65_000, 65_000)  # 13 GB of pixels
    assert found(zip_of([("a.jpg", bytes(content))])) == {
        "size": "1 file is not 256 x 256 pixels: 'a.jpg' (65000 x 65000)"
    }


def test_copies_are_told_with_what_they_copy() -> None:
    content = encoded()
    path = zip_of([("a.jpg", content), ("b.jpg", encoded(seed=2)), ("c.jpg", content), ("d.jpg", content)])
    assert found(path) == {"distinct": "2 files are a copy of another: 'c.jpg' (of 'a.jpg'), 'd.jpg' (of 'a.jpg')"}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_comes_twice() -> None:
    assert found(zip_of([("a.jpg", encoded()), ("a.jpg", encoded(seed=2))])) == {
        "unique": "1 file is named like an earlier file: 'a.jpg'"
    }


def test_five_names_are_told_and_the_rest_counted() -> None:
    path = zip_of((f"{n}.jpg", encoded("PNG", seed=n)) for n in range(8))
    (problem,) = validate_submission(path, Limits(1, 9)).problems
    assert (problem.check, problem.count, len(problem.names)) == ("format", 8, 5)
    names = ", ".join(f"'{n}.jpg' (PNG)" for n in range(5))
    assert problem.message == f"8 files are not JPEG: {names} and 3 more"


def test_links_encryption_and_rare_packing() -> None:
    link = zipfile.ZipInfo("link.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    rare = zipfile.ZipInfo("rare.jpg")
    rare.compress_type = zipfile.ZIP_LZMA
    path = zip_of([("good.jpg", encoded(seed=3)), (link, b"/etc/passwd"), (rare, encoded()), ("secret.jpg", encoded())])
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert found(path) == {
        "packing": "3 files are encrypted, a link or packed with another method: 'link.jpg', 'rare.jpg', 'secret.jpg'"
    }


def test_a_changed_byte_and_a_lie_about_the_size_are_noticed() -> None:
    path = zip_of([("a.jpg", encoded() + bytes(1000))])
    whole = path.read_bytes()
    path.write_bytes(whole.replace(bytes(1000), bytes(999) + b"!"))
    assert "Bad CRC-32" in found(path)["readable"]
    zip_of([("a.jpg", bytes(50_000_000))], zipfile.ZIP_DEFLATED)
    bomb = path.read_bytes().replace(struct.pack("<I", 50_000_000), struct.pack("<I", 1000))
    path.write_bytes(bomb)
    assert "Bad CRC-32" in found(path)["readable"]


@pytest.mark.parametrize(("count", "refused"), [(6_999, True), (7_000, False), (10_001, True)])
def test_the_contests_counts(count: int, refused: bool) -> None:
    content = encoded(size=(8, 8))
    path = zip_of((f"{n}.jpg", distinct(content, n)) for n in range(count))
    submission = validate_submission(path, Limits(CONTEST.fewest, CONTEST.most, side=8))
    expected = f"it holds {count:,} pictures, but the contest requires 7,000 to 10,000 pictures"
    assert [problem.message for problem in submission.problems] == ([expected] if refused else [])
    assert submission.count == count


def test_what_is_no_zip_or_names_far_too_much_is_an_error() -> None:
    Path("text.zip").write_text("text")
    with pytest.raises(EvaluationError, match=r"text\.zip cannot be read as a zip"):
        validate_submission(Path("text.zip"))
    with pytest.raises(EvaluationError, match=r"gone\.zip does not exist; check the path"):
        validate_submission(Path("gone.zip"))
    path = zip_of((f"{n}.txt", b"") for n in range(MOST_MEMBERS + 1))
    with pytest.raises(EvaluationError, match="names 20,001 files and is not examined; use at most 10,000 files"):
        validate_submission(path)
    whole = zip_of([("a.jpg", encoded())]).read_bytes()
    for length in range(0, len(whole), len(whole) // 10):
        Path("cut.zip").write_bytes(whole[:length])
        with pytest.raises(EvaluationError, match=r"cut\.zip cannot be read as a zip"):
            validate_submission(Path("cut.zip"))


def test_scrambled_bytes_never_escape_as_another_error() -> None:
    whole = zip_of([("a.jpg", encoded()), ("b.jpg", encoded(seed=2))], zipfile.ZIP_DEFLATED).read_bytes()
    chance = np.random.default_rng(0)
    for _ in range(60):
        scrambled = np.frombuffer(whole, np.uint8).copy()
        places = chance.integers(0, len(whole), 4)
        scrambled[places] = chance.integers(0, 256, 4)
        Path("scrambled.zip").write_bytes(scrambled.tobytes())
        try:
            submission = validate_submission(Path("scrambled.zip"), ONE)
        except EvaluationError:
            continue
        assert all(problem.message for problem in submission.problems)


def test_requirements_of_the_contest() -> None:
    assert [requirement(check) for check in CHECKS] == [
        "7,000 to 10,000 pictures", "plain names", "no name twice", "no folders", "nothing but pictures",
        "stored or deflated", "no picture above 1 MB", "every picture readable", "JPEG", "256 x 256 pixels", "RGB",
        "no picture twice",
    ]  # fmt: skip
