"""Every kind of problem is found, and none in a healthy folder."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from impasto.curation.doctor.diagnosis import Options, diagnose
from impasto.curation.doctor.findings import KINDS, SEVERITIES
from impasto.errors import DataError

Paint = Callable[..., Image.Image]


def found(folder: Path, **options: float) -> dict[str, list[tuple[str, ...]]]:
    """The names of each case, by kind."""
    diagnosis = diagnose(folder, Options(**options))  # type: ignore[arg-type]
    return {finding.kind: [case.names for case in finding.cases] for finding in diagnosis.findings}


def fingerprint(folder: Path) -> dict[str, tuple[int, int, str]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_mode, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_nothing_is_found_in_a_healthy_folder_and_nothing_changed(healthy: Path) -> None:
    before = fingerprint(healthy)
    diagnosis = diagnose(healthy)
    assert diagnosis.findings == []
    assert fingerprint(healthy) == before
    assert diagnosis.verdict().startswith("In good order")
    assert diagnosis.collection.layout == "class-folders"
    assert diagnosis.attribute == "class"
    assert diagnosis.splits == {"train": 12, "test": 4}
    assert diagnosis.classes == {"hills": {"train": 4, "test": 4}, "sea": {"train": 8, "test": 0}}


def test_any_number_of_threads_gives_the_same_diagnosis(
    healthy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_sick(healthy)
    said = []
    for workers in (1, 4):
        monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / f"cache{workers}"))
        said.append(diagnose(healthy, workers=workers).to_json())
    said.append(diagnose(healthy).to_json())  # from memory
    assert said[0] == said[1] == said[2]


def make_sick(folder: Path) -> None:
    """Add one case each of most kinds to a healthy folder."""
    sea = folder / "sea"
    whole = (sea / "01.jpg").read_bytes()
    picture = Image.open(sea / "03.jpg")
    turned = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    (sea / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    broken = bytearray(png_of(turned, sea / "broken.png"))
    broken[len(broken) // 2] ^= 1
    (sea / "broken.png").write_bytes(broken)
    (sea / "page.jpg").write_text("<html>not found</html>")
    (sea / "gone.jpg").symlink_to("nowhere.jpg")
    shutil.copy(folder / "hills" / "02.jpg", sea / "hills.jpg")  # another class
    shutil.copy(sea / "05.jpg", sea / "05 copy.jpg")
    Image.open(sea / "07.jpg").resize((70, 65)).save(sea / "07 small.webp", quality=80)
    picture = Image.open(folder / "hills" / "04.jpg")  # held out
    picture.save(folder / "hills" / "04 again.jpg", quality=60)
    Image.new("RGB", (30, 40), "red").save(sea / "tiny.png")
    (folder / "split.csv").write_text((folder / "split.csv").read_text() + "sea/absent.jpg,train\n")
    (folder / "lone").mkdir()
    picture = Image.open(sea / "09.jpg")
    picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(folder / "lone" / "only.png")
    picture.rotate(180).save(sea / "unknown.jfif", "JPEG")
    os.rename(sea / "11.jpg", os.fsencode(sea) + b"/caf\xe9.jpg")  # noqa: PTH104
    os.rename(sea / "13.jpg", sea / "Case.jpg")  # noqa: PTH104
    os.rename(sea / "15.jpg", sea / "case.jpg")  # noqa: PTH104
    (folder / "notes.txt").write_text("hello")


def png_of(picture: Image.Image, path: Path) -> bytes:
    picture.save(path)
    return path.read_bytes()


def test_every_problem_is_found(healthy: Path) -> None:
    make_sick(healthy)
    assert found(healthy) == {
        "not-a-picture": [("sea/page.jpg",)],
        "truncated": [("sea/cut.jpg",)],
        "corrupt": [("sea/broken.png",)],
        "unopened": [("sea/gone.jpg",)],
        "across-splits": [("hills/04 again.jpg", "hills/04.jpg")],
        "across-classes": [("hills/02.jpg", "sea/hills.jpg")],
        "exact-duplicate": [("sea/05 copy.jpg", "sea/05.jpg")],
        "near-duplicate": [("sea/07 small.webp", "sea/07.jpg")],
        "single": [("lone/only.png",)],
        "tiny": [("sea/tiny.png",)],
        "labels": [()],
        "misnamed": [("sea/unknown.jfif",)],
        "name": [("sea/caf\udce9.jpg",)],
        "same-name": [("sea/Case.jpg", "sea/case.jpg")],
        "beside": [("notes.txt",)],
    }


def test_unusual_pictures_are_found(healthy: Path, paint: Paint, vast_png: bytes) -> None:
    hills = healthy / "hills"
    paint(50).convert("CMYK").save(hills / "cmyk.jpg")
    paint(51).quantize(16).save(hills / "palette.png")
    Image.fromarray(np.asarray(paint(52).convert("L")).astype(np.uint16) * 257).save(hills / "deep.png")
    with_alpha(paint(53)).save(hills / "alpha.png")
    paint(54).convert("L").save(hills / "grey.jpg")
    paint(55).save(hills / "film.gif", save_all=True, append_images=[paint(56)])
    paint(57).save(hills / "wrong.jpg", "PNG")
    exif = Image.Exif()
    exif[0x0112] = 6
    paint(58).save(hills / "turned.jpg", exif=exif.tobytes())
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    paint(59).save(hills / "profile.png", icc_profile=profile)
    (hills / "vast.png").write_bytes(vast_png)
    assert found(healthy) == {
        "oversized": [("hills/vast.png",)],
        "wrong-suffix": [("hills/wrong.jpg",)],
        "animated": [("hills/film.gif",)],
        "transparent": [("hills/alpha.png",)],
        "cmyk": [("hills/cmyk.jpg",)],
        "palette": [("hills/film.gif",), ("hills/palette.png",)],
        "deep": [("hills/deep.png",)],
        "grey": [("hills/deep.png",), ("hills/grey.jpg",)],
        "profile": [("hills/profile.png",)],
        "turned": [("hills/turned.jpg",)],
    }


def with_alpha(picture: Image.Image) -> Image.Image:
    picture.putalpha(Image.radial_gradient("L").resize(picture.size))
    return picture


def test_limits_are_options(healthy: Path) -> None:
    assert len(found(healthy, tiny=95)["tiny"]) == 5
    assert len(found(healthy, max_megapixels=0.01)["oversized"]) == 13


def test_a_usual_property_is_no_finding(tmp_path: Path, paint: Paint) -> None:
    for seed in range(6):
        paint(seed, 32, 32).convert("L").save(tmp_path / f"{seed}.png")
    assert found(tmp_path) == {}
    paint(6, 32, 32).save(tmp_path / "6.png")
    assert found(tmp_path) == {"colour": [("6.png",)]}


def test_an_inconsistent_folder_is_still_examined(tmp_path: Path, paint: Paint) -> None:
    for name in ("A/1.png", "A/2.png", "B/1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        paint(len(list(tmp_path.rglob("*.png")))).save(tmp_path / name)
    (tmp_path / "A" / "2.png").write_bytes(b"")
    diagnosis = diagnose(tmp_path)
    assert [finding.kind for finding in diagnosis.findings] == ["layout", "not-a-picture"]
    assert "no partner" in diagnosis.findings[0].cases[0].note
    assert diagnosis.collection.layout == "plain"


def test_paths_that_cannot_be_examined_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        diagnose(tmp_path / "missing")
    with pytest.raises(DataError, match="holds no pictures"):
        diagnose(tmp_path)
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(DataError, match="zip"):
        diagnose(tmp_path / "a.zip")


def test_the_pictures_of_one_pair_are_not_duplicates(tmp_path: Path, paint: Paint) -> None:
    """The grey version of a photo is its partner. Two pairs with the same photo are duplicates."""
    for place, seed in enumerate((0, 1, 2, 1)):
        for name, mode in (("A", "L"), ("B", "RGB")):
            (tmp_path / name).mkdir(exist_ok=True)
            paint(seed).convert(mode).save(tmp_path / name / f"{place}.png")
    kinds = found(tmp_path)
    kinds.pop("grey", None)
    kinds.pop("colour", None)
    assert kinds == {"near-duplicate": [("A/1.png", "B/1.png", "A/3.png", "B/3.png")]}


def test_a_pair_of_odd_width(tmp_path: Path, paint: Paint) -> None:
    for seed in range(70):
        paint(seed, 64, 32).save(tmp_path / f"{seed:02d}.png")
    paint(70, 65, 32).save(tmp_path / "00x.png")  # recognition looks at every second only
    diagnosis = diagnose(tmp_path)
    assert diagnosis.collection.layout == "side-by-side"
    assert [(finding.kind, finding.files) for finding in diagnosis.findings] == [("uneven-pair", 1)]


def test_pictures_in_folders_that_the_layout_does_not_read(tmp_path: Path, paint: Paint) -> None:
    for name in ("trainA", "trainB", "elsewhere"):
        (tmp_path / name).mkdir()
        for _ in range(2):
            number = len(list(tmp_path.rglob("*.png")))
            paint(number).save(tmp_path / name / f"{number}.png")
    assert found(tmp_path) == {"unused": [("elsewhere/4.png",), ("elsewhere/5.png",)]}


def test_the_attribute_is_one_that_groups(tmp_path: Path, paint: Paint) -> None:
    rows = ["path,title,style"]
    for seed in range(8):
        paint(seed).save(tmp_path / f"{seed}.png")
        rows.append(f"{seed}.png,title {seed},{'rococo' if seed < 5 else 'baroque' if seed < 7 else ''}")
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    diagnosis = diagnose(tmp_path)
    assert diagnosis.attribute == "style"
    assert {name: counts["train"] for name, counts in diagnosis.classes.items()} == {"rococo": 5, "baroque": 2}
    assert [(finding.kind, finding.cases[0].names) for finding in diagnosis.findings] == [("unlabelled", ("7.png",))]


def test_histograms_count_every_picture_once(healthy: Path, paint: Paint) -> None:
    paint(90, 700, 64).save(healthy / "sea" / "wide.png")
    diagnosis = diagnose(healthy)
    assert [(bar.low, bar.high, bar.pictures) for bar in diagnosis.sides] == [(64, 128, 17)]
    assert sum(bar.pictures for bar in diagnosis.aspects) == 17
    assert diagnosis.aspects[-1] == (3, None, 1)
    assert diagnosis.formats == {"JPEG RGB": 16, "PNG RGB": 1}


def test_plain_values_hold_everything(healthy: Path) -> None:
    make_sick(healthy)
    diagnosis = diagnose(healthy)
    said = json.loads(json.dumps(diagnosis.to_json(), allow_nan=False))
    assert said["pictures"] == len(diagnosis.survey.subjects)
    assert said["found"] == {severity: diagnosis.count(severity) for severity in SEVERITIES}
    assert [finding["kind"] for finding in said["findings"]] == [kind for kind in KINDS if kind in found(healthy)]
    assert {"names": ["sea/cut.jpg"], "note": "is cut off, so a part of the picture is missing"} in said["findings"][1][
        "cases"
    ]


def test_the_most_severe_finding_comes_first(healthy: Path) -> None:
    make_sick(healthy)
    diagnosis = diagnose(healthy)
    order = [SEVERITIES.index(finding.severity) for finding in diagnosis.findings]
    assert order == sorted(order)
    assert diagnosis.verdict() == "Not ready for training: not a picture, cut off, damaged and 3 more grave findings."
