"""The commands as a user types them: what they print, their exit codes, and every mistake in one clear sentence."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from impasto.cli import names
from impasto.recipe_files import read_shipped, read_shipped_table, shipped_recipes
from tests.conftest import picture

Run = Callable[..., tuple[int, str, str]]


LIGHT = [
    ["--help"], ["--version"], ["evaluate", "--help"], ["figure", "--help"], ["list"], ["list", "recipes"],
    ["list", "data"], ["list", "tables"], ["table"], ["about", "cyclegan-atelier"], ["about", "artgan-mnist"],
]  # fmt: skip


def test_help_and_lists_load_no_torch() -> None:
    script = f"""
import sys
from impasto.cli.app import main
for arguments in {LIGHT}:
    sys.argv = ["impasto", *arguments]
    try:
        main()
    except SystemExit as end:
        assert not end.code, arguments
    assert "torch" not in sys.modules, arguments
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_train_paint_and_about(impasto: Run, tiny_recipe: Path, tmp_path: Path) -> None:
    code, out, _ = impasto("train", tiny_recipe, "training.images=4", "--run", "runs/mine")
    assert code == 0
    assert "Finished: runs/mine/checkpoints/000000004" in out
    assert "impasto paint PHOTO --painter runs/mine" in out
    picture(1, 50, 34).save(tmp_path / "cat.jpg")
    code, out, _ = impasto("paint", tmp_path / "cat.jpg", "--output", "out", "--format", "png")
    assert code == 0
    assert "Painting with mine (cyclegan)" in out
    assert "1 painted into out" in out
    with Image.open("out/cat.png") as painting:
        assert painting.size == (50, 34)
    code, out, _ = impasto("about", "out/cat.png")
    assert code == 0
    assert {"painter", "mine", "cyclegan", "cat.jpg"} <= set(out.split())


def test_painters_their_cards_and_exporting_one(impasto: Run, tiny_recipe: Path) -> None:
    assert impasto("train", tiny_recipe, "training.images=4", "--run", "runs/mine")[0] == 0
    code, out, _ = impasto("list", "painters")
    assert code == 0
    assert "mine (cyclegan; runs/mine)\n  4 images seen; paints from photos of any size" in out
    assert "styles (cdcgan; comes with impasto)" in out
    for what, heading in (("mine", "# mine\n"), ("runs/mine", "# mine\n"), ("styles", "# styles\n")):
        code, out, _ = impasto("about", what)
        assert (code, out.startswith(heading)) == (0, True)
    code, out, _ = impasto("export", "mine", "--format", "torch")
    assert code == 0
    assert "mine as torch: mine.pt2" in out
    assert "takes photo float32 [N, 3, H, W] in [-1, 1]" in out
    code, _, complaint = impasto("export", "styles", "--format", "torch", "--output", "mine.pt2")
    assert (code, complaint) == (
        2,
        "impasto: mine.pt2 exists; pass --overwrite to replace it, or choose another --output\n",
    )
    code, out, _ = impasto("export", "styles", "--format", "torch", "--output", "mine.pt2", "--overwrite")
    assert code == 0
    assert "takes weights float32" in out


def test_a_run_with_the_name_of_a_shipped_painter_or_a_dot(impasto: Run, tiny_recipe: Path) -> None:
    for name in ("engraver", "cut-0.5"):
        assert impasto("train", tiny_recipe, "training.images=4", "--run", f"runs/{name}")[0] == 0
    out = impasto("list", "painters")[1]
    assert "engraver (cyclegan; comes with impasto)\n  2,000 images seen" in out
    assert "engraver (cyclegan; runs/engraver)\n  4 images seen" in out
    assert impasto("about", "runs/cut-0.5")[1].startswith("# cut-0.5\n")
    Path("runs/engraver/checkpoints/best.json").write_text("{")
    code, out, complaint = impasto("list", "painters")
    assert (code, "cut-0.5 (cyclegan" in out) == (0, True)
    assert "left out: runs/engraver/checkpoints/best.json is damaged; remove it" in complaint.replace("\n", "")


def test_the_default_run_folder_has_the_recipes_name(impasto: Run, tiny_recipe: Path) -> None:
    assert impasto("train", tiny_recipe, "training.images=2")[0] == 0
    assert Path("runs/tiny/checkpoints/000000002").is_dir()


def test_recipes_are_listed_and_printed(impasto: Run) -> None:
    code, out, _ = impasto("list", "recipes")
    assert code == 0
    for name in shipped_recipes():
        assert f"{name}\n  " in out
    assert out.count("\n  cost: ") == len(shipped_recipes())
    code, out, _ = impasto("about", "cyclegan-atelier")
    assert (code, out) == (0, read_shipped("cyclegan-atelier"))
    assert impasto("about", "artgan-mnist")[1] == read_shipped_table("artgan-mnist")


def test_the_short_list_has_every_recipe_and_painter_with_a_sentence(impasto: Run, tiny_recipe: Path) -> None:
    assert impasto("train", tiny_recipe, "training.images=2", "--run", "runs/mine")[0] == 0
    code, out, _ = impasto("list")
    assert code == 0
    lines = [line.split(maxsplit=1) for line in out.splitlines() if line.startswith("  ")]
    assert [words[0] for words in lines] == [*shipped_recipes(), "engraver", "impressionist", "styles", "runs/mine"]
    assert all(len(words) == 2 for words in lines[:-1]), "each has a sentence; the test's own recipe has none"
    assert ["engraver", "Turns photos into hatched drawings: dark ink in crossing lines on cream paper."] in lines


def test_a_painter_that_does_not_learn_is_listed_with_the_painters(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"optimiser": "about: {}\nmethod: {name: optimiser}\n", "learner": "method: {}\ntraining: {images: 1}\n"}
    monkeypatch.setattr(names, "shipped_recipes", lambda: sorted(texts))
    monkeypatch.setattr(names, "read_shipped", texts.__getitem__)
    assert names.trainable_recipes() == ["learner"]
    assert "optimiser" in names.painter_names()
    assert "learner" not in names.painter_names()


def test_a_painter_comes_before_a_recipe_of_its_name(impasto: Run, tiny_recipe: Path) -> None:
    assert impasto("train", tiny_recipe, "training.images=2", "--run", "runs/cut-atelier")[0] == 0
    code, out, note = impasto("about", "cut-atelier")
    assert (code, out.startswith("# cut-atelier\n\n")) == (0, True)
    assert note == "note: cut-atelier is also a recipe: impasto about cut-atelier --kind recipe\n"
    code, out, note = impasto("about", "cut-atelier", "--kind", "recipe")
    assert (code, out, note) == (0, read_shipped("cut-atelier"), "")
    shutil.rmtree("runs/cut-atelier/checkpoints")
    assert impasto("about", "cut-atelier")[1] == read_shipped("cut-atelier"), "nothing paints yet"


def test_a_folder_with_unreadable_pictures_is_painted_and_they_are_counted(impasto: Run, tiny_recipe: Path) -> None:
    impasto("train", tiny_recipe, "training.images=2", "--run", "runs/r")
    Path("photos").mkdir()
    picture(1).save("photos/good.png")
    Path("photos/[bad].jpg").write_text("text")
    code, out, err = impasto("paint", "photos")
    assert code == 0
    assert "1 painted into paintings, 1 unreadable" in out
    assert "skipped: photos/[bad].jpg is not a picture" in err


MISTAKES: dict[str, tuple[list[str], str]] = {
    "unknown recipe": (["train", "cyclegan-ateleir"], "no such recipe; did you mean cyclegan-atelier?"),
    "misspelt key": (["train", "TINY", "training.bach_size=2"], "training.bach_size: not an option of training; did you mean batch_size?"),
    "value out of range": (["train", "TINY", "training.batch_size=0"], "training.batch_size: must be a whole number from 1 to 65536, not 0"),
    "no space after a colon": (["train", "TINY", "training.schedule={kind:constant}"], "training.schedule.kind: missing; write a space after the colon: {kind: constant}"),
    "unknown schedule": (["train", "TINY", "training.schedule.kind=halve"], "training.schedule.kind: must be constant, linear-decay or halving, not 'halve'; did you mean halving?"),
    "no number": (["train", "TINY", "method.learning_rate=fast"], "method.learning_rate: must be a number above 0 and at most 1, not 'fast'"),
    "no switch": (["train", "TINY", "data.flip=maybe"], "data.flip: must be true or false, not 'maybe'"),
    "no block": (["train", "TINY", "method.augment=ada"], "method.augment: must be a block of options such as {kind: none}, not 'ada'"),
    "no list": (["train", "TINY", "data.classes=monet"], "data.classes: must be a list with 1 or more entries, each text, not 'monet'; write [monet]"),
    "no setting": (["train", "TINY", "batch_size"], "'batch_size' is not a setting; write it as a.dotted.path=value"),
    "missing folder": (["train", "TINY", "data.photos=gone"], "gone does not exist; check the path"),
    "empty folder": (["train", "TINY", "data.photos=empty"], "empty holds no pictures"),
    "fewer pictures than a batch": (["train", "TINY", "training.batch_size=8"], "5 training pictures are fewer than a batch of 8"),
    "text named jpg": (["train", "TINY", "data.photos=fake"], "fake/note.jpg is not a picture that can be read"),
    "huge picture": (["train", "TINY", "data.photos=huge"], "30000 x 30000 pixels (900 megapixels), more than the limit of 200"),
    "truncated picture": (["train", "TINY", "data.photos=cut"], "cut/cut.png is cut off or damaged"),
    "unwritable run": (["train", "TINY", "--run", "note.txt/run"], "note.txt/run cannot be written"),
    "unwritable run itself a file": (["train", "TINY", "--run", "note.txt"], "note.txt exists and is not a run folder"),
    "unknown metric": (["evaluate", "fake", "--against", "fake", "--metrics", "fdi"], "there is no metric fdi; did you mean fid?"),
    "metric without reference": (["evaluate", "fake", "--metrics", "kid"], "kid compares with a reference; pass --against DIR"),
    "unknown features": (["evaluate", "fake", "--against", "fake", "--features", "pixel"], "there are no features pixel; did you mean pixels?"),
    "nothing to measure": (["evaluate", "gone", "--against", "fake", "--features", "pixels"], "gone does not exist; check the path"),
    "photos not named": (["evaluate", "engraver", "--metrics", "colour"], "engraver paints from photos; pass --photos DIR"),
    "no run to compare": (["compare", "fake"], "fake is not a run folder"),
    "submission without photos": (["publish", "kaggle", "engraver"], "needs --photos and --output"),
    "submission no zip": (["publish", "kaggle", "--check", "note.txt"], "cannot be read as a zip"),
    "unknown painter": (["paint", "photo.png", "--painter", "engravr"], "there is no painter engravr; did you mean engraver?"),
    "missing photo": (["paint", "gone.png"], "gone.png does not exist; check the path"),
    "empty photo folder": (["paint", "empty"], "empty holds no pictures"),
    "truncated photo": (["paint", "cut/cut.png"], "cut/cut.png is cut off or damaged"),
    "text photo": (["paint", "fake/note.jpg"], "fake/note.jpg is not a picture that can be read"),
    "huge photo": (["paint", "huge/huge.png"], "30000 x 30000 pixels"),
    "unwritable output": (["paint", "photo.png", "--output", "note.txt/out"], "note.txt/out cannot be written"),
    "no signature": (["about", "photo.png"], "photo.png has no signature of impasto"),
    "about no picture": (["about", "note.txt"], "note.txt is not a picture"),
    "about no file": (["about", "beach.jpg"], "beach.jpg does not exist; check the path"),
    "about nothing": (["about", "stiles"], "there is no painting, painter, recipe or table stiles; did you mean styles?"),
    "about no run": (["about", "fake"], "there is no painter fake"),
    "about no painter": (["about", "stiles", "--kind", "painter"], "there is no painter stiles; did you mean styles?"),
    "about no table": (["about", "artgan-minst", "--kind", "table"], "artgan-minst: no such table; did you mean artgan-mnist? (impasto list tables lists them"),
    "published by no one": (["publish", "hub", "styles", "styles"], "styles is not a model name; use OWNER/NAME"),
    "strength of classes": (["paint", "--painter", "styles", "--strength", "0.5"], "--strength: styles paints from classes"),
    "palette of classes": (["paint", "--painter", "styles", "--colours", "keep"], "--colours: styles paints from classes"),
    "unknown recipe to print": (["about", "cyclegan-landscap"], "did you mean cyclegan-landscape?"),
    "no output": (["data", "shard", "empty"], "--output is missing; pass --output DIR"),
    "two outputs": (["data", "make", "grey", "empty", "one", "--output", "two"], "one: --output two is given already"),
    "no folders given": (["train", "cyclegan-landscape"], "data: set data.photos=DIR and data.paintings=DIR"),
}  # fmt: skip


def everything() -> list[str]:
    """All files outside runs/: a mistake found late may leave a run folder there."""
    return sorted(str(p) for p in Path().rglob("*") if p.is_file() and p.parts[0] != "runs")


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_get_one_clear_sentence_and_exit_code_2(mistake: str, impasto: Run, tiny_recipe: Path) -> None:
    Path("empty").mkdir()
    Path("fake").mkdir()
    Path("fake/note.jpg").write_text("text")
    Path("note.txt").write_text("text")
    picture(1).save("photo.png")
    Path("cut").mkdir()
    for name in "abcd":
        picture(2).save(f"cut/{name}.png")
    Path("cut/cut.png").write_bytes(Path("photo.png").read_bytes()[:300])
    if "huge" in mistake:
        Path("huge").mkdir()
        Image.new("1", (30_000, 30_000)).save("huge/huge.png")
    arguments, expected = MISTAKES[mistake]
    before = everything()
    code, _, err = impasto(*[str(tiny_recipe) if a == "TINY" else a for a in arguments])
    assert code == 2
    assert expected in err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1
    assert everything() == before


def test_usage_mistakes_are_typers_own(impasto: Run) -> None:
    code, _, err = impasto("pain")
    assert code == 2
    assert "paint" in err
