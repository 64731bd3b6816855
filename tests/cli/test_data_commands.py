"""`impasto data` as a user types it, and training on data that changed."""

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from tests.conftest import picture

Run = Callable[..., tuple[int, str, str]]
Make = Callable[..., Path]


def test_show_writes_a_sheet_of_crops_with_labels(impasto: Run, tmp_path: Path, make_pictures: Make) -> None:
    make_pictures(tmp_path / "c" / "monet", 3)
    make_pictures(tmp_path / "c" / "manet", 2)
    code, out, _ = impasto("data", "show", tmp_path / "c", "--image-size", 32, "--count", 4, "--output", "sheet.png")
    assert code == 0
    assert "5 pictures as class-folders: 5 to learn from, 0 held out; labels: class" in out
    assert "monet       3 █" in out
    assert "4 pictures as a model sees them: sheet.png" in out
    with Image.open("sheet.png") as sheet:
        assert sheet.size == (4 * 102 + 6, 96 + 18 + 12), "thrice as large, to be seen"


def test_show_draws_what_a_recipe_gives_its_method(impasto: Run, tiny_recipe: Path) -> None:
    Path("sheet.png").write_text("mine")
    command = ["data", "show", tiny_recipe, "data.image_size=24", "--count", 3, "--output", "sheet.png"]
    code, _, err = impasto(*command)
    assert (code, Path("sheet.png").read_text()) == (2, "mine")
    assert "sheet.png exists; pass --overwrite to replace it" in err
    code, out, _ = impasto(*command, "--overwrite")
    assert code == 0
    assert "5 photos and 3 paintings to learn from" in out
    with Image.open("sheet.png") as sheet:
        assert sheet.size == (3 * (2 * 96 + 6) + 6, 96 + 18 + 12), "photo and painting side by side"


def test_show_suggests_label_columns(impasto: Run, tmp_path: Path, make_pictures: Make) -> None:
    make_pictures(tmp_path / "c" / "a", 2)
    make_pictures(tmp_path / "c" / "b", 2)
    code, _, err = impasto("data", "show", tmp_path / "c", "--label", "klass")
    assert code == 2
    assert "--label:" in err
    assert "has no 'klass'; did you mean class?" in err


def test_shard_writes_and_show_reads(impasto: Run, tmp_path: Path, make_pictures: Make) -> None:
    make_pictures(tmp_path / "c", 5, suffix=".jpg")
    code, out, _ = impasto("data", "shard", tmp_path / "c", "--output", "shards", "--megabytes", 0.002)
    assert code == 0
    assert "shards; train on them with data.path=shards" in out.replace("\n", " ")
    code, out, _ = impasto("data", "show", "shards")
    assert code == 0
    assert "5 pictures as shards" in out
    code, _, err = impasto("data", "shard", tmp_path / "c", "shards")
    assert code == 2
    assert "shards is not empty; choose another folder" in err


def test_a_folder_of_two_layouts_is_read_as_the_one_named(impasto: Run, tmp_path: Path, make_pictures: Make) -> None:
    for name, count in (("trainA", 2), ("trainB", 2), ("A", 3), ("B", 3)):
        make_pictures(tmp_path / "c" / name, count)
    code, _, err = impasto("data", "show", tmp_path / "c", "--image-size", 32)
    assert code == 2
    assert "two layouts" in err
    assert "--layout" in err
    code, out, _ = impasto("data", "show", tmp_path / "c", "--image-size", 32, "--layout", "paired-folders")
    assert code == 0
    assert "3 pictures as paired-folders" in out
    code, _, err = impasto("data", "shard", tmp_path / "c", "shards", "--layout", "paired")
    assert code == 2
    assert "there is no layout 'paired'; did you mean paired-folders?" in err


def test_a_run_goes_on_with_the_same_pictures_only(impasto: Run, tiny_recipe: Path, collection: Path) -> None:
    command = ["train", tiny_recipe, "--run", "run"]
    assert impasto(*command, "training.images=4")[0] == 0
    (Path("run") / "journal.jsonl").write_text("")  # as if it had been stopped before its end
    picture(9).save(collection / "photos" / "new.png")
    code, _, err = impasto(*command, "training.images=4")
    assert code == 2
    assert (
        "the pictures changed since the run run started: pictures were added, removed or renamed (8 then, 9 now)" in err
    )
    assert "--accept-changed-data" in err
    code, out, _ = impasto(*command, "training.images=4", "--accept-changed-data")
    assert code == 0
    assert "Finished: run/checkpoints/000000004" in out
