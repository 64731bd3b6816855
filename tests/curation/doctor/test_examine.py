"""Records of single pictures: complete, damaged or hostile."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from impasto.curation.doctor.examine import FORMATS, Record, examine, looks_like_a_picture
from impasto.data.pictures import SUFFIXES
from impasto.data.sources import Packed, Raw

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of odd metadata; the survey silences them

PICTURE = Image.fromarray(np.random.default_rng(7).integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize(
    (80, 60), Image.Resampling.BICUBIC
)
OPTIONS = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}, "AVIF": {"quality": 95}}


def encoded(kind: str, picture: Image.Image = PICTURE, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **{**OPTIONS.get(kind, {}), **options})  # type: ignore[arg-type]
    return stream.getvalue()


WHOLE = {kind: encoded(kind) for kind in FORMATS}
WHOLE["PROGRESSIVE"] = encoded("JPEG", progressive=True)
WHOLE["LZW"] = encoded("TIFF", compression="tiff_lzw")


def written(path: Path, content: bytes, max_megapixels: float = 200) -> Record:
    path.write_bytes(content)
    return examine(path, max_megapixels)


def test_formats_match_the_suffixes_that_folders_are_searched_for() -> None:
    assert frozenset.union(*FORMATS.values()) == SUFFIXES


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_read_and_looks_the_same(kind: str, tmp_path: Path) -> None:
    record = written(tmp_path / "p", WHOLE[kind])
    assert (record.fault, record.format, record.width, record.height) == (None, kind, 80, 60)
    assert record.size == len(WHOLE[kind])
    expected = written(tmp_path / "q", WHOLE["PNG"])
    if kind != "GIF":  # 256 colours
        difference = np.frombuffer(record.thumbnail, np.uint8).astype(int) - np.frombuffer(expected.thumbnail, np.uint8)
        assert np.abs(difference).mean() < 2
    assert not record.colourless


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("kept", [0.35, 0.7, 0.95])
def test_a_cut_is_found_at_any_position(kind: str, kept: float, tmp_path: Path) -> None:
    content = WHOLE[kind]
    record = written(tmp_path / "p", content[: int(kept * len(content))])
    assert record.fault in ("truncated", "corrupt")
    if kind in ("JPEG", "PROGRESSIVE", "PNG"):
        assert record.fault == "truncated"


@pytest.mark.parametrize("kind", ["JPEG", "PROGRESSIVE"])
@pytest.mark.parametrize("lost", [1, 2, 10])
def test_a_jpeg_without_its_last_bytes_is_cut_off(kind: str, lost: int, tmp_path: Path) -> None:
    assert written(tmp_path / "p", WHOLE[kind][:-lost]).fault == "truncated"


@pytest.mark.parametrize("kind", ["JPEG", "PROGRESSIVE", "PNG"])
def test_a_cut_that_is_filled_with_zeros_is_found(kind: str, tmp_path: Path) -> None:
    content = WHOLE[kind]
    half = len(content) // 2
    assert written(tmp_path / "p", content[:half] + bytes(len(content) - half)).fault in ("truncated", "corrupt")


def test_one_wrong_bit_in_the_pixels_of_a_png_is_found(tmp_path: Path) -> None:
    content = WHOLE["PNG"]
    start = content.index(b"IDAT") + 4
    for place in range(start, len(content) - 16, 97):
        broken = bytearray(content)
        broken[place] ^= 16
        assert written(tmp_path / "p", bytes(broken)).fault in ("corrupt", "truncated"), place


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (bytes(500), "only zero bytes"),
        (b"<!DOCTYPE html><html>404", "a web page"),
        (b"\xef\xbb\xbf  <HTML><body>", "a web page"),
        (b'<svg xmlns="x"/>', "SVG"),
        (b"%PDF-1.7 ...", "a PDF document"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "a PostScript document"),
        (b"\0\0\0\x18ftypheic" + bytes(40), "a HEIC photo"),
        (b"\0\0\0\x18ftypisom" + bytes(40), "a video"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "a Git LFS pointer"),
        (b"dear diary", "is text"),
        (bytes(range(128, 256)), "something else"),
    ],
)
def test_files_that_are_not_pictures_are_identified(content: bytes, words: str, tmp_path: Path) -> None:
    record = written(tmp_path / "p.jpg", content)
    assert record.fault == "not-a-picture"
    assert words in record.says


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
def test_the_first_bytes_of_a_picture_are_a_damaged_picture(kind: str, tmp_path: Path) -> None:
    record = written(tmp_path / "p", WHOLE[kind][:20])
    assert record.fault == "corrupt"
    assert "header" in record.says


def test_a_vast_picture_is_not_decoded(vast_png: bytes, tmp_path: Path) -> None:
    record = written(tmp_path / "p.png", vast_png)
    assert (record.fault, record.thumbnail, record.megapixels) == (None, b"", 600)
    assert written(tmp_path / "q.png", WHOLE["PNG"], max_megapixels=0.001).thumbnail == b""


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_size_and_thumbnail_are_those_of_the_upright_picture(orientation: int, tmp_path: Path) -> None:
    undo = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = encoded("JPEG", PICTURE.transpose(undo[orientation]), exif=exif.tobytes())
    record, upright = written(tmp_path / "p", turned), written(tmp_path / "q", WHOLE["JPEG"])
    assert (record.orientation, record.width, record.height) == (orientation, 80, 60)
    difference = np.frombuffer(record.thumbnail, np.uint8).astype(int) - np.frombuffer(upright.thumbnail, np.uint8)
    assert np.abs(difference).max() <= 6


def test_modes(tmp_path: Path) -> None:
    assert written(tmp_path / "p", encoded("JPEG", PICTURE.convert("CMYK"))).mode == "CMYK"
    assert written(tmp_path / "p", encoded("PNG", PICTURE.quantize(8))).mode == "P"
    grey = written(tmp_path / "p", encoded("PNG", PICTURE.convert("L")))
    assert (grey.mode, grey.colourless) == ("L", True)
    disguised = written(tmp_path / "p", encoded("JPEG", PICTURE.convert("L").convert("RGB")))
    assert (disguised.mode, disguised.colourless) == ("RGB", True)


def test_more_than_8_bits(tmp_path: Path) -> None:
    deep = Image.fromarray(np.asarray(PICTURE.convert("L")).astype(np.uint16) * 257)
    for kind in ("PNG", "TIFF"):
        record = written(tmp_path / "p", encoded(kind, deep))
        assert (record.fault, record.deep, record.colourless) == (None, True, True)
        flat = written(tmp_path / "q", encoded("PNG", PICTURE.convert("L")))
        difference = np.frombuffer(record.thumbnail, np.uint8).astype(int) - np.frombuffer(flat.thumbnail, np.uint8)
        assert np.abs(difference).max() <= 1
    assert not written(tmp_path / "p", WHOLE["PNG"]).deep


def test_only_true_transparency_counts(tmp_path: Path) -> None:
    with_alpha = PICTURE.convert("RGBA")
    assert not written(tmp_path / "p", encoded("PNG", with_alpha)).transparent
    with_alpha.putpixel((3, 3), (0, 0, 0, 254))
    assert written(tmp_path / "p", encoded("PNG", with_alpha)).transparent
    assert written(tmp_path / "p", encoded("PNG", PICTURE.quantize(8), transparency=0)).transparent


def test_animations_but_not_photos_with_a_preview(tmp_path: Path) -> None:
    frames = [PICTURE, PICTURE.transpose(Image.Transpose.ROTATE_180)]
    for kind in ("GIF", "PNG", "WEBP", "TIFF"):
        film = encoded(kind, PICTURE, save_all=True, append_images=frames[1:])
        assert written(tmp_path / "p", film).animated, kind
        assert not written(tmp_path / "p", WHOLE[kind]).animated, kind
    photo = written(tmp_path / "p", encoded("MPO", PICTURE, save_all=True, append_images=frames[1:]))
    assert (photo.format, photo.animated) == ("JPEG", False)


def test_profiles_other_than_srgb_are_named(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    xyz = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    assert written(tmp_path / "p", encoded("PNG", icc_profile=srgb)).profile == ""
    assert "XYZ" in written(tmp_path / "p", encoded("PNG", icc_profile=xyz)).profile
    assert written(tmp_path / "p", encoded("PNG", icc_profile=b"nonsense")).profile == "damaged"


def test_large_files_are_not_held_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = written(tmp_path / "p", WHOLE["PNG"])
    monkeypatch.setattr("impasto.curation.doctor.examine.READ_WHOLE_BYTES", 10)
    assert examine(tmp_path / "p") == held


def test_large_pictures_take_turns_and_lack_of_memory_is_not_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = written(tmp_path / "p", WHOLE["PNG"])
    monkeypatch.setattr("impasto.curation.doctor.examine.LARGE_MEGAPIXELS", 0.001)
    assert [examine(tmp_path / "p"), examine(tmp_path / "p")] == [expected, expected]

    def full(self: Image.Image) -> None:
        raise MemoryError

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", full)
    record = examine(tmp_path / "p")
    assert record.fault == "unopened"
    assert "memory" in record.says


def test_pictures_inside_other_files(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.write_bytes(b"head" + WHOLE["PNG"] + b"tail")
    inside = examine(Packed(archive, 4, len(WHOLE["PNG"]), "p.png"))
    assert inside == written(tmp_path / "p.png", WHOLE["PNG"])
    assert examine(Packed(archive, 40, 10**6, "q.png")).fault == "corrupt"
    pixels = np.asarray(PICTURE.convert("L"))
    archive.write_bytes(pixels.tobytes())
    raw = examine(Raw(archive, 0, 60, 80, 1, "r"))
    assert (raw.fault, raw.format, raw.width, raw.height, raw.colourless) == (None, "raw", 80, 60, True)


def test_files_that_the_system_cannot_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "link.jpg").symlink_to("nowhere.jpg")
    for name in ("pipe.jpg", "folder.jpg", "link.jpg", "missing.jpg"):
        assert examine(tmp_path / name).fault == "unopened", name
        assert not looks_like_a_picture(tmp_path / name)


def test_pictures_with_other_suffixes(tmp_path: Path) -> None:
    for name, content, expected in (
        ("a.jfif", WHOLE["JPEG"], True),
        ("b", WHOLE["WEBP"], True),
        ("BM.txt", b"BMW drives past", False),
        ("c.txt", b"text", False),
        ("d.csv", b"", False),
    ):
        (tmp_path / name).write_bytes(content)
        assert looks_like_a_picture(tmp_path / name) is expected


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(sorted(WHOLE)),
    edits=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=6)), min_size=1, max_size=6),
    cut=st.none() | st.floats(0, 1),
    doubled=st.booleans(),
)
def test_damaged_files_give_a_record_and_never_raise(
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    edits: list[tuple[float, bytes]],
    cut: float | None,
    doubled: bool,
) -> None:
    content = bytearray(WHOLE[kind])
    for where, what in edits:
        place = int(where**3 * (len(content) - 1))  # most of what can go wrong is at the beginning
        content[place : place + len(what)] = what
    if doubled:
        content *= 2
    if cut is not None:
        del content[int(cut * len(content)) :]
    record = written(tmp_path_factory.getbasetemp() / "scrambled", bytes(content), max_megapixels=1)
    assert record.size == len(content)
    assert bool(record.fault) == bool(record.says)
    decoded = record.fault is None and record.megapixels <= 1
    assert len(record.thumbnail) == (256 if decoded else 0)
