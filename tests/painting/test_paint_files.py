"""Photos of every size and kind become paintings of the same size, signed."""

import struct
import weakref
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import impasto
from impasto.errors import DataError, OutputError, PainterError, PictureError
from impasto.painting.paint_files import paint_files
from impasto.painting.paint_picture import PhotoOptions, paint_picture
from impasto.painting.painters import LoadedPainter
from impasto.painting.signature import read_signature
from tests.conftest import picture


@pytest.mark.parametrize("size", [(8, 8), (9, 200), (37, 53), (64, 64), (131, 70)])
def test_any_size_comes_back(painter: LoadedPainter, size: tuple[int, int]) -> None:
    assert paint_picture(picture(1, *size), painter, PhotoOptions()).size == size
    assert paint_picture(picture(1, *size), painter, PhotoOptions(size=16)).size == size


def test_the_size_setting_paints_smaller_or_larger(painter: LoadedPainter) -> None:
    photo = picture(1, 128, 96)
    fine = paint_picture(photo, painter, PhotoOptions())
    for size in (24, 200):
        other = paint_picture(photo, painter, PhotoOptions(size=size))
        assert other.size == photo.size
        assert np.abs(np.asarray(fine).astype(int) - np.asarray(other).astype(int)).mean() > 0.5
    with pytest.raises(PictureError, match="at --size 5000 a picture of 128 x 96 pixels would have 6667 x 5000, more"):
        paint_picture(photo, painter, PhotoOptions(size=5000, max_megapixels=30))


def test_a_large_photo_is_painted_smaller_unless_its_own_size_is_asked_for(
    painter: LoadedPainter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("impasto.painting.paint_picture.LARGEST_DEFAULT_SIDE", 48)
    large, small = picture(1, 128, 96), picture(1, 48, 60)
    usual, coarse, own, fine = (
        np.asarray(paint_picture(large, painter, PhotoOptions(size=size))) for size in (None, 48, "own", 96)
    )
    assert np.array_equal(usual, coarse)
    assert np.array_equal(own, fine)
    assert not np.array_equal(usual, own)
    assert np.array_equal(
        paint_picture(small, painter, PhotoOptions()), paint_picture(small, painter, PhotoOptions(size="own"))
    )


def test_among_several_one_that_would_become_too_large_is_skipped(painter: LoadedPainter, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    picture(1, 40, 40).save(photos / "square.png")
    picture(1, 400, 10).save(photos / "wide.png")
    outcome = paint_files([photos], painter, tmp_path / "out", PhotoOptions(size=64, max_megapixels=0.1))
    assert [path.name for path in outcome.painted] == ["square.png"]
    assert [str(error).partition(" a picture")[0] for error in outcome.unreadable] == [
        f"{photos}/wide.png: at --size 64"
    ]


def test_strength_and_palette(painter: LoadedPainter) -> None:
    photo = picture(1, 64, 48)
    painting, half, none, kept = (
        np.asarray(paint_picture(photo, painter, settings)).astype(float)
        for settings in (
            PhotoOptions(),
            PhotoOptions(strength=0.5),
            PhotoOptions(strength=0),
            PhotoOptions(colours="keep"),
        )
    )
    assert np.array_equal(none, photo)
    assert np.abs(half - (painting + none) / 2).max() <= 1
    assert np.abs((kept - none).mean((0, 1))).max() < 3 < np.abs((painting - none).mean((0, 1))).max()


def test_a_painting_that_cannot_be_saved_is_an_error(painter: LoadedPainter, tmp_path: Path) -> None:
    """Another thread saves; its errors are not lost, even with the last painting."""
    photos = [tmp_path / name for name in ("a.png", "b.png")]
    for seed, photo in enumerate(photos):
        picture(seed).save(photo)
    for blocked in photos:
        output = tmp_path / f"out-{blocked.stem}"
        (output / blocked.name).mkdir(parents=True)  # a folder where the painting should go
        with pytest.raises(OutputError, match=f"{blocked.name} cannot be written"):
            paint_files(photos, painter, output, PhotoOptions(overwrite=True))


def test_large_pictures_are_alone_in_memory(
    painter: LoadedPainter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("impasto.painting.paint_files.LARGE", 40 * 40)
    (tmp_path / "in").mkdir()
    for seed in range(4):
        picture(seed, *((30, 30) if seed == 1 else (50, 50))).save(tmp_path / "in" / f"{seed}.png")
    held: list[int] = []
    reading = "impasto.painting.paint_files.read_picture"
    read, paint = paint_files.__globals__["read_picture"], paint_files.__globals__["paint_picture"]
    monkeypatch.setattr(reading, lambda path, limit: held.append(int(path.stem)) or read(path, limit))
    before: list[list[int]] = []

    photos: list[weakref.ref[Image.Image]] = []
    alive: list[int] = []

    def painted(photo: Image.Image, *rest: object) -> Image.Image:
        photos.append(weakref.ref(photo))
        painting: Image.Image = paint(photo, *rest)
        before.append(list(held))
        alive.append(sum(photo() is not None for photo in photos))
        return painting

    monkeypatch.setattr("impasto.painting.paint_files.paint_picture", painted)
    outcome = paint_files([tmp_path / "in"], painter, tmp_path / "out")
    assert [path.name for path in outcome.painted] == ["0.png", "1.png", "2.png", "3.png"]
    assert all(path.exists() for path in outcome.painted)
    assert before == [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3]], "large ones are read at their turn, nothing beside them"
    assert alive == [1, 1, 1, 1], "nothing painted before is held"


def test_folders_formats_and_orientation(painter: LoadedPainter, tmp_path: Path) -> None:
    folder = tmp_path / "holiday"
    (folder / "beach").mkdir(parents=True)
    exif = Image.Exif()
    exif[0x0112] = 6  # taken with the camera turned: stored 60 x 40, seen 40 x 60
    picture(1, 60, 40).save(folder / "a.jpg", exif=exif.tobytes())
    picture(2, 33, 45).save(folder / "beach" / "b.webp")
    picture(3, 50, 50).convert("CMYK").save(folder / "c.tif")
    picture(4, 30, 40).save(folder / "a.png")
    told: list[tuple[float, int]] = []
    outcome = paint_files([folder], painter, tmp_path / "out", progress=lambda *done: told.append(done))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    sizes = {}
    for path in outcome.painted:
        with Image.open(path) as painting:
            sizes[path.relative_to(tmp_path / "out").as_posix()] = painting.size
    assert sizes == {"a.jpg": (40, 60), "a.png": (30, 40), "beach/b.webp": (33, 45), "c.png": (50, 50)}
    for path in outcome.painted:
        with Image.open(path) as painting:
            assert painting.getexif().get(0x0112, 1) == 1
            assert painting.mode == "RGB"
            assert painting.info["icc_profile"]
    again = paint_files([folder], painter, tmp_path / "out")
    assert (len(again.painted), len(again.present)) == (0, 4)


def test_one_format_for_all_keeps_names_apart(painter: LoadedPainter, tmp_path: Path) -> None:
    picture(1).save(tmp_path / "a.jpg")
    picture(2).save(tmp_path / "a.png")
    outcome = paint_files([tmp_path / "a.jpg", tmp_path / "a.png"], painter, tmp_path / "o", PhotoOptions(kind="WEBP"))
    assert sorted(p.name for p in outcome.painted) == ["a.jpg.webp", "a.png.webp"]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_the_signature_is_read_back(painter: LoadedPainter, suffix: str, tmp_path: Path) -> None:
    photo = tmp_path / f"café{suffix}"
    picture(1).save(photo)
    (painting,) = paint_files([photo], painter, tmp_path / "out", PhotoOptions(seed=7, size=20)).painted
    assert read_signature(painting) == {
        "painter": "tiny",
        "method": "cyclegan",
        "images_seen": 8,
        "weights": painter.fingerprint,
        "impasto": impasto.__version__,
        "photo": f"café{suffix}",
        "seed": 7,
        "size": 20,
        "strength": 1.0,
        "colours": "painted",
    }
    with pytest.raises(PictureError, match="has no signature of impasto"):
        read_signature(photo)
    cut = painting.with_name(f"cut{suffix}")
    cut.write_bytes(painting.read_bytes()[:100])
    with pytest.raises(PictureError, match=r"cut\."):
        read_signature(cut)


def test_the_same_photo_gives_the_same_bytes(painter: LoadedPainter, tmp_path: Path) -> None:
    picture(1).save(tmp_path / "a.png")
    first, second = (paint_files([tmp_path / "a.png"], painter, tmp_path / o).painted[0].read_bytes() for o in "xy")
    assert first == second


def enlarged_header(png: bytes, side: int) -> bytes:
    """Return a PNG that claims to have this width and height; writing such a picture takes seconds."""
    header = png[12:16] + struct.pack(">II", side, side) + png[24:29]
    return png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]


def test_unreadable_files_are_skipped_in_a_folder_and_an_error_alone(painter: LoadedPainter, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    picture(1).save(folder / "good.png")
    (folder / "text.jpg").write_text("no picture")
    whole = (folder / "good.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "huge.png").write_bytes(enlarged_header(whole, 30_000))
    outcome = paint_files([folder], painter, tmp_path / "out")
    assert [p.name for p in outcome.painted] == ["good.png"]
    assert len(outcome.unreadable) == 3
    assert {name for name in ("text.jpg", "cut.png", "huge.png") if any(name in str(e) for e in outcome.unreadable)} == {
        "text.jpg", "cut.png", "huge.png",
    }  # fmt: skip
    for name, said in (("text.jpg", "not a picture"), ("cut.png", "cut off"), ("huge.png", "900 megapixels")):
        with pytest.raises(PictureError, match=f"{name} .*{said}"):
            paint_files([folder / name], painter, tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["good.png"]


def test_nothing_is_overwritten_by_default(painter: LoadedPainter, tmp_path: Path) -> None:
    photo = tmp_path / "a.png"
    picture(1).save(photo)
    paint_files([photo], painter, tmp_path / "out")
    with pytest.raises(OutputError, match=r"out/a.png exists; pass --overwrite"):
        paint_files([photo], painter, tmp_path / "out")
    assert paint_files([photo], painter, tmp_path / "out", PhotoOptions(overwrite=True)).painted
    with pytest.raises(OutputError, match="would be replaced by its own painting"):
        paint_files([photo], painter, tmp_path, PhotoOptions(overwrite=True))
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        paint_files([photo], painter, tmp_path / "file" / "out")


def test_missing_photos_and_empty_folders(painter: LoadedPainter, tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="gone.png does not exist"):
        paint_files([tmp_path / "gone.png"], painter, tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty holds no pictures"):
        paint_files([tmp_path / "empty"], painter, tmp_path / "out")
    folder = tmp_path / "thin"
    folder.mkdir()
    picture(1, 5, 60).save(folder / "a.png")
    picture(1, 20, 60).save(folder / "b.png")
    with pytest.raises(PictureError, match="thin/a.png has only 5 x 60 pixels"):
        paint_files([folder / "a.png"], painter, tmp_path / "out")
    outcome = paint_files([folder], painter, tmp_path / "out")
    assert (len(outcome.painted), len(outcome.unreadable)) == (1, 1)


def test_formats_that_cannot_hold_the_picture(painter: LoadedPainter, tmp_path: Path) -> None:
    Image.new("RGB", (16_400, 8)).save(tmp_path / "wide.png")
    with pytest.raises(PictureError, match=r"wide.png has 16400 x 8 pixels, more than WEBP supports; use --format png"):
        paint_files([tmp_path / "wide.png"], painter, tmp_path / "out", PhotoOptions(kind="WEBP"))


def test_paintings_inside_the_folder_of_photos_are_not_painted_again(painter: LoadedPainter, tmp_path: Path) -> None:
    folder = tmp_path / "holiday"
    folder.mkdir()
    picture(1).save(folder / "a.png")
    for _ in range(2):
        outcome = paint_files([folder], painter, folder / "paintings", PhotoOptions(overwrite=True))
        assert [p.relative_to(folder).as_posix() for p in outcome.painted] == ["paintings/a.png"]


def test_too_little_memory_is_an_error_with_a_remedy(painter: LoadedPainter, monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(*_: object) -> torch.Tensor:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried ...")

    monkeypatch.setattr(type(painter.painter), "paint", greedy)
    with pytest.raises(
        PainterError, match=r"not enough memory to paint 90 x 60 pixels at once; use --size .* below 60"
    ):
        paint_picture(picture(1, 90, 60), painter, PhotoOptions())
