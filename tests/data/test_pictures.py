"""Every kind of picture file gives the same upright RGB pixels."""

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from impasto.data.pictures import list_pictures, open_picture, read_picture, to_array
from impasto.data.transforms import read_pixels
from impasto.errors import DataError, PictureError

COLOURS = np.zeros((24, 36, 3), dtype=np.uint8)
COLOURS[:12, :18], COLOURS[:12, 18:], COLOURS[12:, :18], COLOURS[12:, 18:] = (
    (200, 30, 40),
    (20, 180, 60),
    (30, 50, 210),
    (90, 90, 90),
)
PICTURE = Image.fromarray(COLOURS)


def difference(path: Path, expected: np.ndarray = COLOURS) -> float:  # type: ignore[type-arg]
    found = to_array(read_picture(path))
    assert found.shape == expected.shape
    return float(np.abs(found.astype(int) - expected.astype(int)).mean())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(orientation: int, tmp_path: Path) -> None:
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the transposition that a camera in this position made
    stored = PICTURE if orientation == 1 else PICTURE.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "p.png", exif=exif.tobytes())
    assert difference(tmp_path / "p.png") == 0


def test_alpha_becomes_white(tmp_path: Path) -> None:
    alpha = Image.new("L", PICTURE.size, 255)
    alpha.paste(0, (0, 0, 18, 12))
    with_alpha = PICTURE.copy()
    with_alpha.putalpha(alpha)
    expected = COLOURS.copy()
    expected[:12, :18] = 255
    for name in ("p.png", "p.webp", "p.tif"):
        with_alpha.save(tmp_path / name, **({"lossless": True} if name == "p.webp" else {}))
        assert difference(tmp_path / name, expected) < 0.5, name
    grey = Image.merge("LA", (PICTURE.convert("L"), alpha))
    grey.save(tmp_path / "la.png")
    found = to_array(read_picture(tmp_path / "la.png"))
    assert (found[:12, :18] == 255).all()
    assert (found[12:] == to_array(PICTURE.convert("L").convert("RGB"))[12:]).all()


def test_palettes_with_and_without_transparency(tmp_path: Path) -> None:
    palette = PICTURE.quantize(8)
    palette.save(tmp_path / "p.png")
    palette.save(tmp_path / "p.gif")
    assert difference(tmp_path / "p.png") < 2
    assert difference(tmp_path / "p.gif") < 2
    corner = palette.getpixel((0, 0))
    palette.save(tmp_path / "t.png", transparency=corner)
    assert (to_array(read_picture(tmp_path / "t.png"))[:12, :18] == 255).all()


def test_greyscale_of_8_16_and_32_bits(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(0, 256, dtype=np.uint8), (20, 1))
    expected = np.repeat(ramp[..., None], 3, axis=2)
    Image.fromarray(ramp).save(tmp_path / "8.png")
    Image.fromarray(ramp.astype(np.uint16) * 257).save(tmp_path / "16.png")
    Image.fromarray(ramp.astype(np.uint16) * 257).save(tmp_path / "16.tif")
    Image.fromarray(ramp.astype(np.int32) * 257).save(tmp_path / "32.tif")
    Image.fromarray(ramp.astype(np.float32) / 255).save(tmp_path / "float.tif")
    for name in ("8.png", "16.png", "16.tif", "32.tif", "float.tif"):
        assert difference(tmp_path / name, expected) == 0, name
    PICTURE.convert("1").save(tmp_path / "1.png")
    assert set(np.unique(to_array(read_picture(tmp_path / "1.png")))) <= {0, 255}


def test_16_bit_colour_png(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + (row.astype(">u2") * 257).tobytes() for row in COLOURS)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 36, 24, 16, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (tmp_path / "p.png").write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
    assert difference(tmp_path / "p.png") == 0


def test_cmyk_jpeg_and_tiff(tmp_path: Path) -> None:
    PICTURE.convert("CMYK").save(tmp_path / "p.tif")
    assert difference(tmp_path / "p.tif") < 2
    PICTURE.convert("CMYK").save(tmp_path / "p.jpg", quality=98, subsampling=0)
    assert difference(tmp_path / "p.jpg") < 6


def test_a_colour_profile_is_applied_and_a_broken_one_is_not(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    PICTURE.save(tmp_path / "srgb.png", icc_profile=srgb)
    PICTURE.save(tmp_path / "broken.png", icc_profile=b"not a profile")
    swapped = srgb.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")  # red primary is blue
    PICTURE.save(tmp_path / "swapped.png", icc_profile=swapped)
    PICTURE.convert("CMYK").save(tmp_path / "wrong.tif", icc_profile=srgb)
    assert difference(tmp_path / "srgb.png") <= 1
    assert difference(tmp_path / "broken.png") == 0
    assert difference(tmp_path / "swapped.png", COLOURS[..., ::-1]) <= 2
    assert difference(tmp_path / "wrong.tif") < 2, "an RGB profile on a CMYK picture is ignored"


def test_aspect_ratio_is_kept_and_jpeg_draft_changes_little(tmp_path: Path) -> None:
    from tests.conftest import picture

    large = picture(3, 900, 600)
    large.save(tmp_path / "p.jpg", quality=95)
    small = read_pixels(tmp_path / "p.jpg", 200, short_side=100)
    assert small.shape == (3, 100, 150)
    plain = large.resize((150, 100), Image.Resampling.BICUBIC)
    assert np.abs(small.permute(1, 2, 0).numpy().astype(int) - to_array(plain).astype(int)).mean() < 2
    assert read_pixels(tmp_path / "p.jpg", 200, short_side=700).shape == (3, 700, 1050)
    assert read_pixels(tmp_path / "p.jpg", 200, short_side=61).shape == (3, 61, 92)


@pytest.mark.parametrize("short_side", [20, 93, 286])
def test_resizing_matches_pillow(tmp_path: Path, short_side: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (120, 171, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    found = read_pixels(tmp_path / "noise.png", 200, short_side).permute(1, 2, 0).numpy().astype(int)
    expected = Image.fromarray(noise).resize(found.shape[1::-1], Image.Resampling.BICUBIC)
    difference = np.abs(found - np.asarray(expected).astype(int))
    assert difference.max() <= 2
    assert difference.mean() < 0.1


def test_the_error_for_an_unreadable_file_has_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("not a picture at all")
    with pytest.raises(PictureError, match=r"text.jpg is not a picture that can be read; remove it or replace it"):
        read_picture(tmp_path / "text.jpg")
    with pytest.raises(PictureError, match=r"gone.jpg cannot be opened"):
        read_picture(tmp_path / "gone.jpg")
    from tests.conftest import picture

    for suffix in (".png", ".jpg", ".webp", ".tif", ".gif"):
        whole = tmp_path / f"whole{suffix}"
        picture(1, 200, 150).save(whole)
        cut = tmp_path / f"cut{suffix}"
        cut.write_bytes(whole.read_bytes()[: len(whole.read_bytes()) // 2])
        with pytest.raises(
            PictureError, match=f"cut{suffix}.*(damaged|cannot be opened|not a picture).*remove it or replace it"
        ):
            read_picture(cut)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow tells of scrambled EXIF
def test_damaged_files_give_pictures_or_a_picture_error(tmp_path: Path) -> None:
    """Whatever bytes are flipped, the result is a picture or a PictureError."""
    from tests.conftest import picture

    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    chance = np.random.default_rng(0)
    for suffix, options in [
        (".jpg", {"exif": exif.tobytes()}),
        (".png", {"exif": exif.tobytes()}),
        (".tif", {}),
        (".gif", {}),
        (".webp", {}),
    ]:
        whole = tmp_path / f"whole{suffix}"
        picture(1, 24, 18).save(whole, **options)
        original = np.frombuffer(whole.read_bytes(), dtype=np.uint8)
        for _ in range(120):
            scrambled = original.copy()
            scrambled[chance.integers(0, min(len(original), 300), 3)] = chance.integers(0, 256, 3)
            (tmp_path / "p").write_bytes(scrambled.tobytes())
            try:
                found = read_picture(tmp_path / "p", max_megapixels=0.01)
            except PictureError:
                continue
            assert found.mode == "RGB"


def test_thin_pictures_are_not_enlarged_without_limit(tmp_path: Path) -> None:
    Image.new("RGB", (30_000, 2)).save(tmp_path / "thin.png")
    with pytest.raises(PictureError, match=r"thin.png is so thin \(30000 x 2 pixels\)"):
        read_pixels(tmp_path / "thin.png", 200, short_side=286)


def test_the_pixel_limit_is_stated_and_adjustable(tmp_path: Path) -> None:
    Image.new("1", (30_000, 30_000)).save(tmp_path / "huge.png")
    with pytest.raises(
        PictureError, match=r"30000 x 30000 pixels \(900 megapixels\).*limit of 200; .*raise max_megapixels"
    ):
        open_picture(tmp_path / "huge.png")
    with open_picture(tmp_path / "huge.png", max_megapixels=900) as opened:
        assert opened.size == (30_000, 30_000)


def test_listing_is_recursive_sorted_and_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b.PNG", "sub/a.jpg", ".hidden.png", ".thumbnails/c.png", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [p.relative_to(tmp_path).as_posix() for p in list_pictures(tmp_path)] == ["b.PNG", "sub/a.jpg"]
    with pytest.raises(DataError, match="nowhere does not exist; check the path"):
        list_pictures(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"b.PNG is not a folder"):
        list_pictures(tmp_path / "b.PNG")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty holds no pictures"):
        list_pictures(tmp_path / "empty")


def test_only_known_formats_are_decoded(tmp_path: Path) -> None:
    """Pillow would give PostScript to Ghostscript, which executes it."""
    PICTURE.save(tmp_path / "drawing.eps")
    (tmp_path / "drawing.eps").rename(tmp_path / "drawing.jpg")
    with pytest.raises(PictureError, match=r"drawing.jpg is not a picture that can be read"):
        read_picture(tmp_path / "drawing.jpg")


def test_pipes_are_ignored_and_broken_links_are_reported(tmp_path: Path) -> None:
    PICTURE.save(tmp_path / "a.png")
    os.mkfifo(tmp_path / "b.png")
    (tmp_path / "c.png").symlink_to(tmp_path / "gone.png")
    assert list_pictures(tmp_path) == [tmp_path / "a.png", tmp_path / "c.png"]
    with pytest.raises(PictureError, match=r"c.png cannot be opened \(No such file"):
        read_picture(tmp_path / "c.png")
