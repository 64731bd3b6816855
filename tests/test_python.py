"""The Python face: painting, training and reading runs from Python."""

import re
import subprocess
import sys
import xml.dom.minidom
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import impasto
from impasto.cli.app import app
from impasto.data.transforms import to_pixels, to_range
from impasto.errors import ImpastoError, PainterError, PictureError, RecipeError, RunError
from impasto.notebook.training import as_overrides
from impasto.painting.layout import GAP, MARGIN, PAPER
from impasto.painting.painters import LoadedPainter
from impasto.painting.picture_grid import CELL, MOST_IN_GRID, Pictures
from impasto.painting.usage import USAGES
from impasto.recipe import load_recipe
from impasto.run_folder import RunFolder
from tests.conftest import picture
from tests.painting.colour_painter import SPEC, TWO_ATTRIBUTES, colour_painter
from tests.painting.toy_painters import Restyled, toy_recipe

PAGE = Path(__file__).parents[1] / "docs" / "python.md"
SMALL = {
    "training.images": 128,
    "training.batch_size": 32,
    "method.width": 8,
    "method.discriminator_width": 8,
    "every.scalars": 32,
    "every.samples": 64,
    "every.checkpoint": 128,
}


def command(*words: str) -> None:
    app(list(words), standalone_mode=False)


def pixels(image: Image.Image | Path) -> np.ndarray:
    return np.array(Image.open(image) if isinstance(image, Path) else image)


@pytest.fixture(scope="module")
def engraver() -> LoadedPainter:
    return impasto.load_painter("engraver")


@pytest.fixture(scope="module")
def styles() -> LoadedPainter:
    return impasto.load_painter("styles")


@pytest.fixture
def photo() -> Image.Image:
    return picture(3, 48, 40)


# Names and types


def test_importing_impasto_loads_no_torch_and_completion_finds_every_name() -> None:
    program = "import sys, impasto; assert not {'torch', 'numpy', 'PIL'} & sys.modules.keys(); print(*dir(impasto))"
    names = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert set(impasto.__all__) <= set(names)
    assert impasto.__all__ == sorted(impasto.__all__)
    for name in impasto.__all__:
        assert getattr(impasto, name).__name__ == name
    assert (Path(impasto.__file__).parent / "py.typed").is_file()
    with pytest.raises(AttributeError, match="has no attribute 'pain'"):
        _ = impasto.pain


def test_loading_a_painter_loads_nothing_of_training_or_of_notebooks() -> None:
    program = (
        "import sys, impasto; from PIL import Image\n"
        "impasto.load_painter('engraver').paint(Image.new('RGB', (16, 16)))\n"
        "print(*{'lightning_fabric', 'IPython', 'jinja2', 'impasto.engine', 'impasto.gallery'} & sys.modules.keys())"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


USER_SCRIPT = """
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from typing_extensions import assert_type

import impasto

painter = impasto.load_painter("impressionist")
one = painter.paint(Image.new("RGB", (9, 9)), strength=0.5)
assert_type(one, Image.Image)
assert_type(painter.paint("photo.jpg"), Image.Image)
assert_type(painter.paint(Path("photo.jpg")), Image.Image)
array: NDArray[np.uint8] = painter.paint(np.zeros((9, 9, 3), np.uint8))
several = painter.paint(["a.jpg", "b.jpg"])
assert_type(several, impasto.Pictures)
several.grid().save("grid.png")
tensor = painter.paint(torch.zeros(3, 9, 9))
assert_type(tensor, torch.Tensor)
assert_type(painter.paint([torch.zeros(3, 9, 9)]), list[torch.Tensor])
assert_type(painter.paint(classes="cubism"), Image.Image)
assert_type(painter.paint(classes={"cubism": 1.0}, truncation=0.7), Image.Image)
assert_type(painter.paint(classes="cubism", count=4), impasto.Pictures)
assert_type(painter.paint(classes=["cubism", "fauvism"]), impasto.Pictures)
assert_type(painter.paint(count=4), impasto.Pictures)
run = impasto.train("cdcgan-digits", "runs/digits", {"training.images": 1000}, listener=impasto.TrainingListener())
assert_type(run, impasto.Run)
rows: list[dict[str, object]] = [dict(row) for row in impasto.open_run(run.path).scalars()]
run.chart("generator/adversarial").save("loss.svg")
run.painter().paint(classes="3", count=2)
try:
    impasto.load_recipe("missing")
except impasto.ImpastoError as error:
    print(error)
"""


@pytest.mark.slow
def test_a_script_of_a_user_is_typed(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(USER_SCRIPT)
    source = Path(impasto.__file__).parents[1]
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(script)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"MYPYPATH": str(source), "PATH": ""},
    )
    mistakes = [line for line in run.stdout.splitlines() if line.startswith("script.py")]
    assert mistakes == [], run.stdout
    assert run.returncode in (0, 1), run.stderr


# Photos


def test_every_kind_of_photo_gives_the_pixels_of_the_command(engraver: LoadedPainter, photo: Image.Image) -> None:
    photo.save("photo.png")
    command("paint", "photo.png", "--painter", "engraver", "--output", "out", "--device", "cpu")
    expected = pixels(Path("out/photo.png"))
    for given in (photo, "photo.png", Path("photo.png")):
        painting = engraver.paint(given)
        assert isinstance(painting, Image.Image)
        assert np.array_equal(pixels(painting), expected)
    array = engraver.paint(pixels(photo))
    assert array.dtype == np.uint8
    assert np.array_equal(array, expected)
    for dtype in (np.float32, np.float64):
        floats = engraver.paint((pixels(photo) / 255).astype(dtype))
        assert floats.dtype == dtype
        assert np.array_equal(np.rint(floats * 255), expected)
    tensor, painted = to_range(to_pixels(photo)), to_range(torch.tensor(expected).permute(2, 0, 1))
    assert torch.equal(engraver.paint(tensor), painted)
    assert torch.equal(engraver.paint(torch.stack([tensor, -tensor]))[0], painted)
    assert engraver.paint(tensor.double()).dtype == torch.float64


@pytest.mark.parametrize(
    ("options", "keywords"),
    [
        (["--strength", "0.3", "--size", "24"], {"strength": 0.3, "size": 24}),
        (["--colours", "keep", "--seed", "5", "--size", "own"], {"colours": "keep", "seed": 5, "size": "own"}),
        (["--size", "20", "--strength", "1"], {"size": np.int64(20), "strength": np.float32(1), "seed": np.int64(0)}),
    ],
)
def test_keywords_do_what_the_command_s_options_do(
    photo: Image.Image, options: list[str], keywords: dict[str, Any]
) -> None:
    photo.save("photo.png")
    command("paint", "photo.png", "--painter", "impressionist", "--output", "out", "--device", "cpu", *options)
    painting = impasto.load_painter("impressionist").paint(photo, **keywords)
    assert np.array_equal(pixels(painting), pixels(Path("out/photo.png")))


def test_a_seed_of_numpy_is_the_same_number(photo: Image.Image) -> None:
    painter = impasto.load_painter("impressionist")
    one, same, other = (pixels(painter.paint(photo, seed=seed)) for seed in (5, np.int64(5), 6))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "I;16", "F"])
def test_images_of_any_mode_are_painted_as_rgb_and_stay_as_they_are(
    engraver: LoadedPainter, photo: Image.Image, mode: str
) -> None:
    given = Image.fromarray(np.full((16, 16), 30_000, np.uint16)) if mode == "I;16" else photo.convert(mode)
    before = given.tobytes()
    painting = engraver.paint(given)
    assert painting.mode == "RGB"
    assert painting.size == given.size
    assert (given.mode, given.tobytes()) == (mode, before)


def test_a_photo_that_lies_on_its_side_is_turned_and_the_given_image_is_not(
    engraver: LoadedPainter, photo: Image.Image
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    photo.save("turned.jpg", exif=exif)
    with Image.open("turned.jpg") as given:
        painting = engraver.paint(given)
        assert painting.size == (40, 48)
        assert given.size == (48, 40)
    assert np.array_equal(pixels(painting), pixels(engraver.paint("turned.jpg")))


def test_arrays_in_grey_and_with_opacity_become_rgb(engraver: LoadedPainter, photo: Image.Image) -> None:
    grey = pixels(photo.convert("L"))
    expected = pixels(engraver.paint(photo.convert("L")))
    for given in (grey, grey[:, :, None]):
        assert np.array_equal(engraver.paint(given), expected)
    assert np.array_equal(engraver.paint(pixels(photo.convert("RGBA"))), engraver.paint(pixels(photo)))
    one_channel = to_range(torch.tensor(grey))[None]
    assert torch.equal(engraver.paint(one_channel), to_range(torch.tensor(expected).permute(2, 0, 1)))
    flipped = engraver.paint(pixels(photo)[:, ::-1])
    assert flipped.shape == (40, 48, 3), "an array of negative strides"


def test_lists_of_one_kind_come_back_as_lists_of_that_kind(engraver: LoadedPainter, photo: Image.Image) -> None:
    photo.save("photo.png")
    paintings = engraver.paint([photo, Path("photo.png"), "photo.png"])
    assert isinstance(paintings, Pictures)
    assert paintings[0] == paintings[1] == paintings[2]
    arrays = engraver.paint((pixels(photo), pixels(photo.rotate(90))))
    assert [type(each) for each in arrays] == [np.ndarray, np.ndarray]
    assert np.array_equal(arrays[0], pixels(paintings[0]))
    assert engraver.paint([]) == []


def test_a_painter_of_styles_takes_any_picture_as_its_style(
    photo: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = impasto.load_painter(toy_recipe(monkeypatch, Restyled))
    red = Image.new("RGB", (20, 20), (255, 0, 0))
    by_image = painter.paint(photo, style=red)
    assert np.array_equal(pixels(by_image), pixels(painter.paint(photo, style=pixels(red))))
    assert not np.array_equal(pixels(by_image), pixels(painter.paint(photo, style=red.convert("L"))))
    with pytest.raises(PainterError, match="toy paints in the style of a picture; give it as style=PICTURE"):
        painter.paint(photo)
    with pytest.raises(PictureError, match="style: a picture of 3 x 3 pixels is too small"):
        painter.paint(photo, style=Image.new("RGB", (3, 3)))


NOT_PHOTOS: dict[str, tuple[Any, str]] = {
    "channels": (np.zeros((9, 9, 7)), r"an array of shape \[9, 9, 7\] is not a picture; give \[H, W, 3\]"),
    "a batch of arrays": (np.zeros((2, 9, 9, 3)), "or a list of arrays for several"),
    "integers": (np.zeros((9, 9, 3), np.int64), "an array of int64 is not a picture; give uint8, or floats"),
    "0 to 255 as floats": (np.full((9, 9, 3), 200.0), "in an array must lie in 0 to 1, not in 200 to 200; divide 0"),
    "below 0": (np.full((9, 9), -0.5), "must lie in 0 to 1, not in -0.5 to -0.5"),
    "NaN": (np.full((9, 9), np.nan), "must lie in 0 to 1, not in nan to nan"),
    "no pixels": (np.zeros((0, 9, 3)), r"an array of shape \[0, 9, 3\] has no pixels"),
    "no pixels in integers": (np.zeros((0, 9, 3), np.uint8), r"an array of shape \[0, 9, 3\] has no pixels"),
    "5 channels": (torch.zeros(5, 9, 9), r"a tensor of shape \[5, 9, 9\] and torch.float32 is not a picture"),
    "bytes in a tensor": (torch.zeros(3, 9, 9, dtype=torch.uint8), r"torch.uint8 is not a picture; give floats"),
    "an empty batch": (torch.zeros(0, 3, 9, 9), r"a tensor of shape \[0, 3, 9, 9\]"),
    "a large tensor": (
        torch.full((3, 9, 9), 255.0),
        "must lie in -1 to 1, not in 255 to 255; divide 0 to 255 by 127.5",
    ),
    "a small image": (Image.new("RGB", (7, 30)), "a picture of 7 x 30 pixels is too small to paint; use one of 8 or"),
    "a missing file": ("missing.png", "missing.png cannot be opened"),
    "a number": (3, "int is no kind of picture; give a PIL image, a path, a NumPy array or a torch tensor"),
    "one of a list": ([Image.new("RGB", (9, 9)), None], "photo 1 of the list: NoneType is no kind of picture"),
}


@pytest.mark.parametrize("case", NOT_PHOTOS)
def test_what_is_not_a_photo_is_refused(engraver: LoadedPainter, case: str) -> None:
    what, message = NOT_PHOTOS[case]
    with pytest.raises(PictureError, match=message):
        engraver.paint(what)


def test_a_file_that_is_cut_off_is_refused_when_pillow_reads_it_late(
    engraver: LoadedPainter, photo: Image.Image
) -> None:
    photo.save("whole.png")
    Path("cut.png").write_bytes(Path("whole.png").read_bytes()[:200])
    with Image.open("cut.png") as opened, pytest.raises(PictureError, match=r"the picture is cut off or damaged \("):
        engraver.paint(opened)


def test_floats_a_little_out_of_range_are_clipped(engraver: LoadedPainter) -> None:
    edges = np.tile(np.array([0.0, 1.0], np.float32), (16, 8))
    beyond = np.where(edges > 0, 1.004, -0.004).astype(np.float32)
    assert np.array_equal(engraver.paint(beyond), engraver.paint(edges))


WRONG_OF_PHOTOS: dict[str, tuple[dict[str, Any], str]] = {
    "misspelt": ({"strenght": 0.5}, "engraver has no option strenght; did you mean strength?"),
    "unheard of": (
        {"zzz": 1},
        "engraver has no option zzz; there are classes, colours, count, seed, size, strength, style",
    ),
    "a count": ({"count": 3}, "engraver paints from photos and takes no count; leave it out"),
    "classes": ({"classes": "cubism"}, "engraver paints from photos and takes no classes; leave it out"),
    "a style": ({"style": picture(2)}, "engraver takes no style picture; leave style out, or choose another painter"),
    "strength": ({"strength": 7}, r"strength must be a number from 0 \(photo\) to 1 \(painting\), not 7"),
    "strength in words": ({"strength": "full"}, "strength must be a number from 0"),
    "size": ({"size": 15}, 'size must be a whole number of 16 or more, or "own", not 15'),
    "half a size": ({"size": 20.5}, 'size must be a whole number of 16 or more, or "own", not 20.5'),
    "a word as size": ({"size": "big"}, "size must be a whole number of 16 or more"),
    "colours": ({"colours": "kept"}, "colours must be painted or keep, not 'kept'"),
    "seed": ({"seed": -1}, "seed must be a whole number of 0 or more, not -1"),
}


@pytest.mark.parametrize("case", WRONG_OF_PHOTOS)
def test_wrong_keywords_for_photos_are_told_in_one_sentence(engraver: LoadedPainter, case: str) -> None:
    arguments, message = WRONG_OF_PHOTOS[case]
    with pytest.raises(PainterError, match=f"^{message}"):
        engraver.paint(picture(1), **arguments)


def test_a_painter_of_photos_needs_one(engraver: LoadedPainter) -> None:
    with pytest.raises(PainterError, match=r'engraver paints from photos; give one, such as painter.paint\("photo'):
        engraver.paint()


# Classes


def test_classes_give_the_pixels_of_the_command(styles: LoadedPainter) -> None:
    drawn = ["paint", "--painter", "styles", "--count", "3", "--seed", "7", "--device", "cpu"]
    command(*drawn, "--class", "ukiyo_e", "--class", "realism", "--set", "truncation=0.7", "--output", "named")
    files = sorted(Path("named").glob("ukiyo_e-*-0000?.png")) + sorted(Path("named").glob("realism-*-0000?.png"))
    named = styles.paint(classes=["ukiyo_e", "realism"], count=3, seed=7, truncation=0.7)
    assert len(files) == len(named) == 6
    command(*drawn, "--mix", "ukiyo_e=0.6,realism=0.2", "--output", "mixed")
    files += sorted(Path("mixed").glob("*-0000?.png"))
    named += styles.paint(classes={"ukiyo_e": 0.6, "realism": np.float64(0.2)}, count=3, seed=7)
    command(*drawn, "--output", "turns")
    files += sorted(Path("turns").glob("*-0000?.png"), key=lambda path: path.stem[-5:])
    named += styles.paint(count=3, seed=7)
    assert len(files) == len(named) == 12
    assert all(np.array_equal(pixels(painting), pixels(file)) for painting, file in zip(named, files, strict=True))


def test_one_class_without_a_count_is_one_image() -> None:
    painter = colour_painter()
    four = painter.paint(classes="baroque", count=4, seed=3)
    assert isinstance(four, Pictures)
    assert len(four) == 4
    alone = painter.paint(classes="baroque", seed=3)
    assert isinstance(alone, Image.Image)
    assert alone == four[0]
    assert painter.paint(classes="baroque", count=1, seed=3) == [alone], "with a count it is always a list"
    mixture = painter.paint(classes={"baroque": 1, "ukiyo_e": 1}, seed=3)
    assert isinstance(mixture, Image.Image)
    assert mixture != alone
    assert painter.paint(classes={"baroque": 5}, seed=3) == alone, "weights are scaled to a sum of 1"
    assert painter.paint(classes=["baroque"], seed=3) == [alone], "of a list, there is a list"


def test_without_classes_all_take_turns() -> None:
    painter = colour_painter()
    turns = painter.paint(seed=3)
    names = [name.partition("=")[2] or name for name in SPEC.classes]
    assert len(turns) == len(names)
    for number, name in enumerate(names):
        assert turns[number] == painter.paint(classes=name, count=number + 1, seed=3)[number]
    assert painter.paint(count=2 * len(names), seed=3)[: len(names)] == turns


def test_classes_of_several_attributes_are_combined() -> None:
    painter = colour_painter(TWO_ATTRIBUTES)
    rows = painter.paint(classes=["ukiyo_e", "baroque", "landscape"], count=2)
    assert rows.rows == ("ukiyo_e + landscape", "baroque + landscape")
    assert len(rows) == 4


def test_names_of_classes_may_contain_commas() -> None:
    painter = colour_painter(SPEC._replace(classes=("a, b", "c=d", "e")))
    assert painter.paint(classes={"a, b": 1}) == painter.paint(classes="a, b")
    assert painter.paint(classes={"c=d": 2}) == painter.paint(classes=["c=d"])[0]


WRONG_OF_CLASSES: dict[str, tuple[dict[str, Any], str]] = {
    "a photo": (
        {"photo": picture(1)},
        r'colours paints from classes, not from photos; use painter.paint\(classes="uki',
    ),
    "misspelt class": ({"classes": "barock"}, "classes: the painter knows no class barock; did you mean baroque?"),
    "misspelt in a mixture": ({"classes": {"barock": 1}}, "classes: the painter knows no class barock; did you mean"),
    "no class": ({"classes": []}, r"classes must be a name, a list of names or weights by name, not \[\]"),
    "a number": ({"classes": 3}, "classes must be a name, a list of names or weights by name, not 3"),
    "numbers": ({"classes": [3, 7]}, "classes must be a name"),
    "negative": ({"classes": {"baroque": -1}}, "classes: the weight of baroque must be a number of 0 or more, not -1"),
    "infinite": ({"classes": {"baroque": float("inf")}}, "classes: the weight of baroque must be a number"),
    "in words": ({"classes": {"baroque": "half"}}, "classes: the weight of baroque must be a number"),
    "nothing of it": ({"classes": {"baroque": 0}}, "classes: the weights add up to 0"),
    "twice": ({"classes": {"baroque": 1, "Baroque": 1}}, "classes: Baroque is there twice; give each class one weight"),
    "no count": ({"count": 0}, "count must be a whole number of 1 or more, not 0"),
    "half a count": ({"count": 1.5}, "count must be a whole number of 1 or more, not 1.5"),
    "seed": ({"seed": "three"}, "seed must be a whole number of 0 or more, not 'three'"),
    "method's option": ({"truncation": -1}, r"colours: paint\.truncation: must be"),
    "misspelt option": ({"truncated": 0.7}, "colours has no option truncated; did you mean truncation?"),
    "strength": ({"strength": 0.5}, "colours paints without a photo and takes no strength; leave it out"),
    "size": ({"size": 64}, "colours paints without a photo and takes no size; leave it out"),
    "colours": ({"colours": "keep"}, "colours paints without a photo and takes no colours; leave it out"),
    "style": ({"style": np.zeros((9, 9))}, "colours paints without a photo and takes no style; leave it out"),
}


@pytest.mark.parametrize("case", WRONG_OF_CLASSES)
def test_wrong_keywords_for_classes_are_told_in_one_sentence(case: str) -> None:
    arguments, message = WRONG_OF_CLASSES[case]
    with pytest.raises(PainterError, match=f"^{message}"):
        colour_painter().paint(**arguments)


def test_a_painter_keeps_its_own_options() -> None:
    painter = colour_painter()
    before = painter.paint(classes="baroque")
    assert painter.paint(classes="baroque", truncation=0.1) != before
    assert painter.paint(classes="baroque") == before


# Shown in a notebook


def corners(grid: Image.Image, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the pixels of a colour, the last two exclusive."""
    rows, columns = np.nonzero((pixels(grid) == colour).all(2))
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def test_pictures_of_different_sizes_are_whole_in_the_grid() -> None:
    red, blue = (255, 0, 0), (0, 0, 255)
    grid = Pictures([Image.new("RGB", (2 * CELL, CELL), red), Image.new("RGB", (20, 40), blue)]).grid()
    half = CELL // 2
    assert corners(grid, red) == (MARGIN, MARGIN, MARGIN + CELL, MARGIN + half), "reduced, with its proportions"
    left, top = MARGIN + CELL + GAP + (CELL - 20) // 2, MARGIN + (half - 40) // 2
    assert corners(grid, blue) == (left, top, left + 20, top + 40), "in the middle of its place, not enlarged"
    assert grid.getpixel((grid.width - 1, grid.height - 1)) == PAPER


def test_rows_and_columns_give_the_grid_its_shape() -> None:
    shades = [Image.new("RGB", (64, 64), (10 * number + 5, 0, 255)) for number in range(6)]

    def places(**captions: list[str]) -> list[tuple[int, int]]:
        found = [corners(Pictures(shades, **captions).grid(), (10 * number + 5, 0, 255))[:2] for number in range(6)]
        return [((left - found[0][0]) // 68, (top - found[0][1]) // 68) for left, top in found]

    assert places() == [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1)]
    assert places(rows=["a", "b"]) == places()
    assert places(columns=["a", "b"]) == [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2)]
    assert places(rows=["a"]) == [(number, 0) for number in range(6)]


def test_a_grid_shows_the_first_of_many_pictures_and_none_of_none() -> None:
    few, many = (Pictures([Image.new("RGB", (16, 16), "red")] * count) for count in (MOST_IN_GRID, MOST_IN_GRID + 1))
    assert few.grid().width == many.grid().width
    assert few.grid().height < many.grid().height, "a line tells how many there are"
    assert Pictures().grid().size == (1, 1)
    assert repr(many) == "<Pictures: 101>"
    assert few._repr_png_().startswith(b"\x89PNG")


def test_classes_are_named_on_the_grid() -> None:
    painter = colour_painter()
    assert painter.paint(classes=["ukiyo_e", "baroque"], count=2, seed=4).rows == ("ukiyo_e", "baroque")
    turns = painter.paint(seed=4)
    assert (turns.title, turns.rows, turns.columns) == ("all classes, seed 4", (), SPEC.classes)
    assert painter.paint(classes="baroque", count=2).title == "baroque, seed 0"


def test_a_painter_shows_a_card_in_which_all_words_are_escaped(styles: LoadedPainter) -> None:
    card = styles._repr_html_()
    assert "<b>styles</b>" in card
    assert "ukiyo_e" in card
    assert "truncation" in card
    assert "painter.paint(classes=&#x27;art_nouveau&#x27;, count=4, seed=3)" in card
    assert repr(styles) == "<LoadedPainter styles (cdcgan, 320,000 images seen)>"
    strange = colour_painter(SPEC._replace(classes=("<script>", "b", "c")))
    assert "<script>" not in strange._repr_html_()
    assert "&lt;script&gt;" in strange._repr_html_()
    many = colour_painter(SPEC._replace(classes=tuple(f"class{number}" for number in range(900))))
    assert "900 classes" in many._repr_html_()
    assert len(many._repr_html_()) < 3000


def test_the_card_of_every_kind_of_painter_has_an_example(
    engraver: LoadedPainter, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = [
        (impasto.load_painter(toy_recipe(monkeypatch, Restyled)), 'painter.paint("photo.jpg", style="painting.jpg")'),
        (engraver, 'painter.paint("photo.jpg")'),
        (colour_painter(SPEC._replace(classes=())), "painter.paint(count=4, seed=3)"),
    ]
    assert {painter.painter.prompt_type for painter, _ in examples} == set(USAGES)
    for painter, example in examples:
        assert example.replace('"', "&quot;") in painter._repr_html_()


# Training and runs


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> impasto.Run:
    return impasto.train("cdcgan-digits", tmp_path_factory.mktemp("runs") / "digits", SMALL)


def test_a_run_reads_as_tables(trained: impasto.Run) -> None:
    run = impasto.open_run(trained.path)
    rows = run.scalars()
    assert [row["images_seen"] for row in rows] == [32, 64, 96, 128]
    assert all(isinstance(value, int | float) for row in rows for value in row.values())
    assert all("generator/adversarial" in row and "kind" not in row for row in rows)
    assert "health/diversity" in rows[0], "what the collapse watch noted at the same moment is in the same row"
    assert {row["kind"] for row in run.journal()} >= {"start", "scalars", "samples", "checkpoint", "finish"}
    assert not any(isinstance(value, dict) for row in run.journal() for value in row.values())
    assert [path.stem for path in run.samples] == ["000000032", "000000064", "000000128"]
    assert (run.recipe.training.images, run.images_seen, run.finished) == (128, 128, True)
    assert repr(run).endswith("digits (cdcgan, 128 of 128 images seen)>")
    assert run.metrics() == []


def test_a_table_of_pandas_is_made_of_the_rows(trained: impasto.Run) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    table = pandas.DataFrame(trained.scalars()).set_index("images_seen")
    assert list(table.index) == [32, 64, 96, 128]
    assert table["generator/adversarial"].dtype == float
    assert table["seconds"].is_monotonic_increasing


def test_measurements_are_rows_without_their_records(trained: impasto.Run, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    RunFolder(tmp_path / "run").recipe_file.write_text(trained.recipe.to_yaml())
    entry = '{"kind": "metrics", "images_seen": 64, "seconds": 2.5, "metrics": {"fid": 12.5}, "record": {"seed": 0}}\n'
    RunFolder(tmp_path / "run").journal_file.write_text(entry)
    run = impasto.open_run(tmp_path / "run")
    assert run.metrics() == [{"images_seen": 64, "seconds": 2.5, "fid": 12.5}]
    assert run.journal() == [{"kind": "metrics", **run.metrics()[0]}]
    assert (run.images_seen, run.finished, run.samples) == (0, False, [])
    with pytest.raises(RunError, match="has no checkpoint yet"):
        run.painter()


def test_lines_of_a_journal_that_are_no_entries_are_left_out(trained: impasto.Run, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    folder = RunFolder(tmp_path / "run")
    folder.recipe_file.write_text(trained.recipe.to_yaml())
    good = b'{"kind": "start", "images_seen": 0, "seconds": 0.1}\n'
    wrong = b'[1, 2]\n"text"\n\n{"no": "kind"}\n{"kind": "scalars"}\n{"kind": 3, "images_seen": 1}\n\xff\xfe\n{"cut'
    folder.journal_file.write_bytes(good + wrong)
    assert impasto.open_run(tmp_path / "run").journal() == [{"kind": "start", "images_seen": 0, "seconds": 0.1}]
    assert not folder.told_finished()


def test_a_run_paints(trained: impasto.Run) -> None:
    three = trained.painter().paint(classes="3", count=2)
    assert [each.size for each in three] == [(16, 16), (16, 16)]


def test_a_chart_shows_a_scalar_and_can_be_saved(trained: impasto.Run, tmp_path: Path) -> None:
    chart = trained.chart("generator/adversarial")
    assert chart._repr_svg_().startswith("<svg xmlns=")
    assert '<text class="name" x="8" y="16">generator/adversarial</text>' in chart.svg
    assert chart.svg.count('class="smoothed"') == 1
    chart.save(tmp_path / "loss.svg")
    xml.dom.minidom.parse(str(tmp_path / "loss.svg"))
    with pytest.raises(RunError, match="has no scalar or metric generator/adversary; did you mean generator/adv"):
        trained.chart("generator/adversary")


def test_a_run_is_found_by_its_name_and_a_missing_one_is_told(trained: impasto.Run, tmp_path: Path) -> None:
    Path("runs").symlink_to(trained.path.parent)
    assert impasto.open_run("digits").images_seen == 128
    with pytest.raises(RunError, match="there is no run digit; did you mean digits?"):
        impasto.open_run("digit")
    with pytest.raises(RunError, match=r"is not a run folder: it has no readable recipe\.yaml"):
        impasto.open_run(tmp_path)


def test_training_takes_names_files_and_recipes_and_names_the_run() -> None:
    once = {**SMALL, "training.images": 32}
    assert impasto.train("cdcgan-digits", settings=once).path == Path("runs/cdcgan-digits")
    recipe = load_recipe("cdcgan-digits", as_overrides(once))
    Path("mine.yaml").write_text(recipe.to_yaml())
    assert impasto.train(Path("mine.yaml")).path == Path("runs/mine")
    changed = impasto.train(recipe, "elsewhere", ["training.seed=3"])
    assert (changed.recipe.training.seed, changed.recipe.training.images) == (3, 32)
    with pytest.raises(RunError, match="run: a Recipe has no name for its run folder; name the folder, such as runs/"):
        impasto.train(recipe)


def test_a_listener_of_one_s_own_is_told(tmp_path: Path) -> None:
    class Told(impasto.TrainingListener):
        seen = 0

        def stepped(self, clock: Any, means: Any) -> None:
            self.seen = clock.images_seen

    told = Told()
    impasto.train("cdcgan-digits", tmp_path / "run", {**SMALL, "training.images": 64}, listener=told)
    assert told.seen == 64


def test_training_in_a_script_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    impasto.train("cdcgan-digits", tmp_path / "run", {**SMALL, "training.images": 32})
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1000, "1000"),
        (1e-5, "1.0e-05"),
        (None, "null"),
        (True, "true"),
        ("null", "'null'"),
        ("2024-01-01", "'2024-01-01'"),
        ("a: b", "'a: b'"),
        (Path("my photos/été"), "my photos/été"),
        (["fid", "kid"], "[fid, kid]"),
        (("fid",), "[fid]"),
        ({"kind": "constant"}, "{kind: constant}"),
        (np.float32(0.5), "0.5"),
        (np.int64(7), "7"),
    ],
)
def test_settings_are_written_so_that_the_recipe_reads_the_same_value(value: Any, written: str) -> None:
    assert as_overrides({"a.b": value}) == [f"a.b={written}"]


def test_settings_reach_the_recipe_as_they_are() -> None:
    settings = {
        "training.ema_halflife_images": None,
        "method.learning_rate": 1e-5,
        "training.schedule": {"kind": "constant"},
    }
    recipe = load_recipe("cdcgan-digits", as_overrides(settings))
    assert recipe.training.ema_halflife_images is None
    assert recipe.method.learning_rate == 1e-5  # type: ignore[attr-defined]
    with pytest.raises(RecipeError, match=r"settings: training\.seed: <object object at .*> is no number, text, list"):
        impasto.train("cdcgan-digits", settings={"training.seed": object()})
    with pytest.raises(ImpastoError, match=r"training\.imges: not an option of training; did you mean images"):
        impasto.train("cdcgan-digits", settings={"training.imges": 3})


# The page


def test_every_block_of_the_page_runs(photo: Image.Image) -> None:
    photo.save("holiday.jpg")
    Path("photos").mkdir()
    for number in range(3):
        picture(number).save(f"photos/{number}.png")
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    assert len(blocks) == 8
    assert names["run"].finished
    assert Path("four.png").is_file()
    assert Path("loss.svg").is_file()
