"""The Python face: painting, training and reading runs from Python."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import impasto
from impasto.data.atelier_pictures import atelier_folder
from impasto.data.transforms import to_pixels, to_range
from impasto.errors import PainterError, PictureError, RunError
from impasto.notebook import NotebookProgress, in_notebook
from impasto.painting.from_python import Pictures
from impasto.painting.painters import LoadedPainter
from tests.conftest import picture
from tests.painting.colour_painter import colour_painter

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def engraver() -> LoadedPainter:
    return impasto.load_painter("engraver")


@pytest.fixture
def photo() -> Image.Image:
    return picture(3, 48, 40)


def test_all_public_names_exist_and_importing_loads_no_torch() -> None:
    program = "import sys, impasto; assert 'torch' not in sys.modules; print(*(n for n in impasto.__all__ if n in dir(impasto)))"
    names = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert names == impasto.__all__
    assert all(getattr(impasto, name) is not None for name in names)
    assert (Path(impasto.__file__).parent / "py.typed").is_file()


def test_every_kind_of_photo_gives_the_same_pixels_as_the_command(
    engraver: LoadedPainter, photo: Image.Image, tmp_path: Path
) -> None:
    from impasto.painting.paint_files import paint_files

    photo.save(tmp_path / "photo.png")
    paint_files([tmp_path / "photo.png"], engraver, tmp_path / "out")
    expected = np.array(Image.open(tmp_path / "out" / "photo.png"))
    painting = engraver.paint(photo)
    assert isinstance(painting, Image.Image)
    assert np.array_equal(np.array(painting), expected)
    assert np.array_equal(np.array(engraver.paint(tmp_path / "photo.png")), expected)
    assert np.array_equal(engraver.paint(np.array(photo)), expected)
    floats = engraver.paint(np.array(photo) / 255)
    assert floats.dtype == np.float64
    assert np.allclose(floats * 255, expected)
    tensor = to_range(to_pixels(photo))
    painted = engraver.paint(tensor)
    assert torch.equal(painted, to_range(torch.from_numpy(expected).permute(2, 0, 1)))
    assert torch.equal(engraver.paint(torch.stack([tensor, tensor]))[1], painted)


def test_lists_grey_pictures_and_transparency(engraver: LoadedPainter, photo: Image.Image) -> None:
    grey, clear = photo.convert("L"), photo.convert("RGBA")
    one, other = engraver.paint([grey, clear])
    assert one.mode == other.mode == "RGB"
    assert one.size == photo.size
    assert np.array_equal(np.array(engraver.paint(np.array(grey))), np.array(one))


def test_common_options_are_those_of_the_command(engraver: LoadedPainter, photo: Image.Image) -> None:
    assert np.array_equal(np.array(engraver.paint(photo, strength=0)), np.array(photo))
    assert np.array_equal(np.array(engraver.paint(photo, size=16)), np.array(engraver.paint(photo, size=16)))


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "misspelt": ({"photo": picture(1), "strenght": 0.5}, "there is no option strenght; did you mean strength"),
    "of noise": ({"photo": picture(1), "count": 3}, "photos and classes do not go together"),
    "a style": ({"photo": picture(1), "style": picture(2)}, "takes no style picture"),
    "no photo": ({}, "does not paint from classes"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_calls_are_told_in_one_sentence(engraver: LoadedPainter, case: str) -> None:
    arguments, message = WRONG[case]
    with pytest.raises(PainterError, match=message):
        engraver.paint(**arguments)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (np.zeros((4, 5, 7)), r"array of \[4, 5, 7\] is not a photo"),
        (np.zeros((9, 9, 3), np.int64), "array of int64 is not a photo"),
        (torch.zeros(5, 9, 9), r"tensor of \[5, 9, 9\]"),
        (torch.zeros(3, 9, 9, dtype=torch.uint8), "uint8 is not a photo"),
        ("missing.png", "missing.png"),
    ],
)
def test_what_is_not_a_photo_is_refused(engraver: LoadedPainter, what: Any, message: str) -> None:
    with pytest.raises(PictureError, match=message):
        engraver.paint(what)


def test_classes_by_name_several_and_mixed() -> None:
    painter = colour_painter()
    four = painter.paint(classes="baroque", count=4, seed=3)
    assert isinstance(four, Pictures)
    assert len(four) == 4
    assert four[0] == painter.paint(classes="baroque", count=1, seed=3)[0], "a picture depends on its number alone"
    in_turn = painter.paint(classes=["ukiyo_e", "baroque"], count=4, seed=3)
    assert in_turn[1] == four[1]
    assert len(painter.paint()) == 16
    mixed = painter.paint(classes={"ukiyo_e": 0.5, "baroque": 0.5}, count=1, seed=3)[0]
    assert mixed not in (four[0], in_turn[0])
    assert painter.paint(classes="baroque", count=1, seed=3, truncation=0.1)[0] != four[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"classes": "barock"}, "knows no class barock; did you mean baroque"),
        ({"classes": {"baroque": -1}}, "weight of 0 or more"),
        ({"count": 0}, "count must be 1 or more"),
        ({"truncation": -1}, r"paint\.truncation: must be"),
        ({"strength": 0.5}, "strength needs a photo"),
    ],
)
def test_wrong_classes_and_options(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(PainterError, match=message):
        colour_painter().paint(**arguments)


def test_several_pictures_show_themselves_as_a_grid() -> None:
    shown = Pictures([Image.new("RGB", (300, 100), "red"), Image.new("RGB", (20, 40), "blue")])
    grid = shown.grid()
    assert grid.size == (512, 85)
    assert grid.getpixel((5, 5)) == (255, 0, 0)
    assert grid.getpixel((260, 5)) == (0, 0, 255)
    assert shown._repr_png_().startswith(b"\x89PNG")


SMALL = {
    "training.images": 128,
    "training.batch_size": 32,
    "method.width": 8,
    "method.discriminator_width": 8,
    "every.scalars": 32,
    "every.samples": 64,
    "every.checkpoint": 128,
}


def test_a_run_is_trained_and_read_as_tables(tmp_path: Path) -> None:
    run = impasto.train("cdcgan-digits", tmp_path / "run", SMALL)
    assert run.finished
    again = impasto.open_run(tmp_path / "run")
    rows = again.scalars()
    assert [row["images_seen"] for row in rows] == [32, 64, 96, 128]
    assert all("generator/adversarial" in row and isinstance(row["seconds"], float) for row in rows)
    assert {row["kind"] for row in again.journal()} >= {"start", "scalars", "samples", "checkpoint", "finish"}
    assert again.recipe.training.images == 128
    assert [path.stem for path in again.samples] == ["000000032", "000000064", "000000128"]
    assert len(again.painter().paint(classes="3", count=2)) == 2
    assert repr(again).endswith("of cdcgan, finished>")


def test_lines_that_are_no_entries_are_left_out(tmp_path: Path) -> None:
    run = impasto.train("cdcgan-digits", tmp_path / "run", [f"{path}={value}" for path, value in SMALL.items()])
    rows = run.journal()
    with (tmp_path / "run" / "journal.jsonl").open("a") as file:
        file.write('[1, 2]\n"text"\n{"no": "kind"}\n{"cut')
    assert run.journal() == rows


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is not a run folder"):
        impasto.open_run(tmp_path)


def test_a_recipe_object_needs_its_folder() -> None:
    with pytest.raises(RunError, match="needs run=DIR"):
        impasto.train(impasto.load_recipe("cdcgan-digits"))


def test_outside_of_a_notebook_nothing_is_shown() -> None:
    assert not in_notebook()


def test_the_bar_shows_rate_losses_notes_and_the_latest_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    display = pytest.importorskip("IPython.display", reason="IPython is not installed")
    shown: list[Any] = []

    class Handle:
        def update(self, thing: Any) -> None:
            shown.append(thing)

    monkeypatch.setattr(display, "display", lambda *_, **__: Handle())
    impasto.train("cdcgan-digits", tmp_path / "run", SMALL, listener=NotebookProgress())
    bars = [thing.data for thing in shown if isinstance(thing, display.HTML)]
    assert "128 of 128 images" in bars[-1]
    assert "generator/adversarial" in bars[-1]
    assert 'max="128"' in bars[-1]
    assert sum(isinstance(thing, display.Image) for thing in shown) == 3


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", (DOCS / "python.md").read_text(encoding="utf-8"), re.DOTALL)


def test_every_block_of_the_page_runs(tmp_path: Path, photo: Image.Image) -> None:
    photo.save("holiday.jpg")
    Path("photos").mkdir()
    for number in range(3):
        picture(number).save(f"photos/{number}.png")
    names: dict[str, Any] = {}
    for block in blocks():
        exec(compile(block, "docs/python.md", "exec"), names)  # our own page
    assert len(blocks()) == 6
    assert names["four"].grid().size == (256, 64)
    assert names["run"].finished


def test_the_notebook_runs(tmp_path: Path) -> None:
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    import nbformat

    notebook = nbformat.read(DOCS / "notebooks" / "first-steps.ipynb", as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "the notebook is committed without outputs"
    atelier_folder()  # rendered once, not by the kernel
    nbclient.NotebookClient(notebook, timeout=200, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = json.dumps([cell.get("outputs") for cell in notebook.cells])
    assert outputs.count("image/png") >= 4
    assert "1,280 of 1,280 images" in outputs
