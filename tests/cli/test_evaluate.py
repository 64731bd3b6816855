"""`impasto evaluate` and `impasto figure distances` as a user types them."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from tests.evaluation.test_evaluate import fill

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def collections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "cache"))
    return fill(tmp_path / "mine", 36, seed=0), fill(tmp_path / "theirs", 36, seed=1)


def test_folders_against_folders(impasto: Run, collections: tuple[Path, Path]) -> None:
    mine, theirs = collections
    metrics = "fid,fid-by-class,kid,mifid,prdc,colour"
    arguments = [
        "--metrics",
        metrics,
        "--features",
        "pixels",
        "--output",
        "record.json",
        "--output-copies",
        "copies.html",
    ]
    code, out, _ = impasto("evaluate", mine, "--against", theirs, *arguments, "--output-statistics", "mine.safetensors")
    assert code == 0
    said = " ".join(out.split())
    for word in ("fid-by-class", "kid", "mifid", "density", "colour", "108 images of", "features pixels", "note: fid:"):
        assert word in said
    record = json.loads(Path("record.json").read_text())
    assert {measure["name"] for measure in record["measures"]} >= {"fid", "precision", "recall", "coverage"}
    assert "Is " in Path("copies.html").read_text(encoding="utf-8")
    code, out, _ = impasto(
        "evaluate", theirs, "--against", "mine.safetensors", "--metrics", "fid", "--features", "pixels"
    )
    assert code == 0
    again = next(float(line.split()[1]) for line in out.splitlines() if line.startswith("fid "))
    fid = next(measure["value"] for measure in record["measures"] if measure["name"] == "fid")
    assert again == pytest.approx(fid, rel=1e-3), "the distance is symmetric"


@pytest.mark.parametrize("option", ["--output", "--output-statistics", "--output-copies"])
def test_existing_files_are_refused_before_anything_is_measured(
    option: str, impasto: Run, collections: tuple[Path, Path]
) -> None:
    Path("mine.safetensors").write_text("mine")
    mine, theirs = collections
    arguments = ["evaluate", mine, "--against", theirs, "--features", "pixels", option, "mine.safetensors"]
    code, _, err = impasto(*arguments)
    assert code == 2
    assert f"mine.safetensors exists; pass --overwrite to replace it, or choose another {option}" in err
    assert Path("mine.safetensors").read_text() == "mine"
    assert impasto(*arguments, "--overwrite")[0] == 0
    assert Path("mine.safetensors").read_bytes() != b"mine"


def test_a_painter_paints_what_is_measured(impasto: Run, collections: tuple[Path, Path]) -> None:
    mine, theirs = collections
    arguments = ["--photos", mine, "--against", theirs, "--images", 3, "--size", 16]
    code, out, _ = impasto("evaluate", "engraver", *arguments, "--metrics", "ssim,colour")
    assert code == 0
    assert "left-untouched" in out
    assert "3 images of engraver" in out


def test_a_class_of_one_collection_against_another(impasto: Run, collections: tuple[Path, Path]) -> None:
    mine, _ = collections
    arguments = ["--against", f"{mine}:class=blue", "--features", "pixels", "--metrics", "kid"]
    code, out, _ = impasto("evaluate", f"{mine}:class=red", *arguments)
    assert code == 0
    assert "36 images of" in out


def test_an_error_about_missing_weights_names_file_and_option(
    impasto: Run, collections: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from impasto import weights
    from impasto.download import Patience
    from impasto.evaluation import extractors

    monkeypatch.setattr(weights, "fetch", partial(weights.fetch, patience=Patience(pause=0)))
    nowhere = weights.Published("weights.pth", ("http://127.0.0.1:9/weights.pth",), None)
    monkeypatch.setattr(extractors, "find_weights", lambda _: weights.find_weights(nowhere))
    code, _, err = impasto("evaluate", collections[0], "--against", collections[1])
    assert code == 2
    for word in ("weights.pth cannot be downloaded", "http://127.0.0.1:9/weights.pth", "--features-weights FILE"):
        assert word in " ".join(err.split())


def test_distances_between_classes_are_drawn(impasto: Run, collections: tuple[Path, Path]) -> None:
    for command in (["figure", "distances"], ["distances"]):  # scripts may still use the old name
        Path("map.png").unlink(missing_ok=True)
        arguments = [*command, collections[0], "--features", "pixels", "--output", "map.png"]
        code, out, _ = impasto(*arguments)
        assert code == 0
    code, _, err = impasto(*arguments)
    assert code == 2
    assert "map.png exists; pass --overwrite to replace it, or choose another --output" in err
    assert "3 classes, 108 pictures: map.png" in out
    with Image.open("map.png") as sheet:
        assert sheet.width > 3 * 76
