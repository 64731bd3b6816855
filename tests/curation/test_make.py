"""Folders of made data are the same for any number of workers and interruptions, and never mixed."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from threadpoolctl import threadpool_info, threadpool_limits

import impasto
from impasto.curation import make
from impasto.curation.made import Grey, Kind, Made, Mask, Semantic, Voxel
from impasto.curation.make import MakeOptions, Outcome, make_folder_of, read_mark
from impasto.data.layouts import read_collection
from impasto.data.pictures import list_pictures, read_picture, to_array
from impasto.data.renderers.canvas import Picture
from impasto.errors import DataError, ImpastoError, OutputError, PictureError
from impasto.files import replacing
from tests.conftest import picture

NOISY = Semantic(noise=0.25, noisy_images=0.5)


@pytest.fixture
def source(tmp_path: Path, make_pictures: Callable[..., Path]) -> Path:
    """Eight pictures, three of them JPEGs in a sub-folder."""
    folder = make_pictures(tmp_path / "photos", 5)
    make_pictures(folder / "sea", 3, seed=50, suffix=".jpg")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in list_pictures(folder)}


def pixels(path: Path) -> Any:
    with Image.open(path) as opened:
        return np.asarray(opened)


def names(outcome: Outcome, folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in outcome.made]


def workers_left() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("impasto-make")]


class StopAfter:
    """A progress callback that raises KeyboardInterrupt."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __call__(self, done: int, total: int) -> None:
        if done == self.count:
            raise KeyboardInterrupt


def test_every_picture_keeps_its_path_and_size(source: Path) -> None:
    told: list[tuple[int, int]] = []
    target = source.with_name("grey")
    outcome = make_folder_of(Grey(), source, target, progress=lambda done, total: told.append((done, total)))
    assert names(outcome, target) == [
        "00.png", "01.png", "02.png", "03.png", "04.png", "sea/00.png", "sea/01.png", "sea/02.png"
    ]  # fmt: skip
    assert told == [(number, 8) for number in range(1, 9)]
    for original, made in zip(list_pictures(source), outcome.made, strict=True):
        with Image.open(made) as opened:
            assert (opened.format, opened.mode) == ("PNG", "RGB")
        expected = Grey().make(to_array(read_picture(original)), 0).picture
        assert np.array_equal(pixels(made), expected)  # PNG loses nothing


@pytest.mark.parametrize("kind", [NOISY, Voxel(block=8, materials=4), Mask()], ids=lambda kind: kind.kind)
def test_workers_interruptions_and_other_pictures_change_nothing(kind: Kind, source: Path, tmp_path: Path) -> None:
    at_once = make_folder_of(kind, source, tmp_path / "one", MakeOptions(seed=3, workers=1))
    in_parallel = make_folder_of(kind, source, tmp_path / "four", MakeOptions(seed=3, workers=4))
    with pytest.raises(KeyboardInterrupt) as stop:
        make_folder_of(kind, source, tmp_path / "cut", MakeOptions(seed=3, workers=1), StopAfter(2))
    assert stop.tb  # kept, so that nothing is tidied up because it is forgotten
    assert not workers_left()
    begun = len(contents(tmp_path / "cut"))
    assert 2 <= begun < 8
    rest = make_folder_of(kind, source, tmp_path / "cut", MakeOptions(seed=3, workers=2))
    assert (len(rest.present), len(rest.made)) == (begun, 8 - begun)
    expected = contents(tmp_path / "one")
    assert expected == contents(tmp_path / "four") == contents(tmp_path / "cut")
    assert at_once.notes == in_parallel.notes == rest.notes
    (source / "00.png").unlink()
    make_folder_of(kind, source, tmp_path / "fewer", MakeOptions(seed=3))
    assert contents(tmp_path / "fewer") == {name: made for name, made in expected.items() if name != "00.png"}


def test_another_seed_makes_another_folder(source: Path, tmp_path: Path) -> None:
    make_folder_of(NOISY, source, tmp_path / "a", MakeOptions(seed=0))
    make_folder_of(NOISY, source, tmp_path / "b", MakeOptions(seed=1))
    assert contents(tmp_path / "a") != contents(tmp_path / "b")


def test_the_same_call_makes_nothing_again(source: Path, tmp_path: Path) -> None:
    make_folder_of(NOISY, source, tmp_path / "out")
    dates = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    again = make_folder_of(NOISY, source, tmp_path / "out")
    assert (len(again.made), len(again.present)) == (0, 8)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == dates


def test_new_and_replaced_pictures_are_made(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    make_folder_of(Grey(), source, target)
    picture(77).save(source / "new.png")
    picture(78).save(source / "01.png")
    outcome = make_folder_of(Grey(), source, target)
    assert names(outcome, target) == ["01.png", "new.png"]
    assert np.array_equal(pixels(target / "01.png"), Grey().make(to_array(picture(78)), 0).picture)


def test_retouched_pictures_are_kept(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    make_folder_of(Mask(), source, target)
    picture(5).save(target / "02.png")
    assert len(make_folder_of(Mask(), source, target).present) == 8
    assert np.array_equal(pixels(target / "02.png"), to_array(picture(5)))
    assert names(make_folder_of(Mask(), source, target, MakeOptions(overwrite=True)), target) == ["02.png"]


@pytest.mark.parametrize(
    ("kind", "settings", "told"),
    [
        (Semantic(noise=0.5), MakeOptions(), "noise 0.25 instead of 0.5"),
        (Semantic(noise=0.25), MakeOptions(seed=4, size=32), "size None instead of 32; seed 0 instead of 4"),
        (Grey(), MakeOptions(), "kind semantic instead of grey"),
        (Semantic(noise=0.25), MakeOptions(layout="pairs"), "layout alone instead of pairs"),
    ],
)
def test_other_options_are_refused_and_overwrite_replaces_all(
    kind: Kind, settings: MakeOptions, told: str, source: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    make_folder_of(Semantic(noise=0.25), source, target)
    before = contents(target)
    with pytest.raises(
        OutputError,
        match=rf"out was made with other options \(.*{told}.*pass --overwrite to replace files, or choose another --output",
    ):
        make_folder_of(kind, source, target, settings)
    assert contents(target) == before
    replacing_all = settings.model_copy(update={"overwrite": True})
    with pytest.raises(KeyboardInterrupt):
        make_folder_of(kind, source, target, replacing_all.model_copy(update={"workers": 1}), StopAfter(2))
    make_folder_of(kind, source, target, settings)  # goes on with or without --overwrite
    make_folder_of(kind, source, tmp_path / "fresh", settings)
    assert contents(target) == contents(tmp_path / "fresh")
    assert len(make_folder_of(kind, source, target, replacing_all).present) == 8


def test_pictures_of_another_folder_are_refused(
    source: Path, tmp_path: Path, make_pictures: Callable[..., Path]
) -> None:
    make_folder_of(Grey(), source, tmp_path / "out")
    with pytest.raises(OutputError, match="source photos instead of others"):
        make_folder_of(Grey(), make_pictures(tmp_path / "others", 2), tmp_path / "out")


def test_a_folder_that_impasto_did_not_make_is_refused(source: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".DS_Store").touch()
    make_folder_of(Grey(), source, tmp_path / "out")  # nothing that anybody would miss
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").touch()
    with pytest.raises(OutputError, match=r"thesis holds files but no made.json.*choose another --output"):
        make_folder_of(Grey(), source, tmp_path / "thesis")
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["chapter.tex"]


@pytest.mark.parametrize("target", [".", "made", "..", "sea/../made"])
def test_nested_folders_are_refused(target: str, source: Path) -> None:
    with pytest.raises(OutputError, match="one is inside the other; choose another folder"):
        make_folder_of(Grey(), source, source / target)
    assert len(list_pictures(source)) == 8


def test_a_link_to_the_source_counts_as_the_source(source: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(source)
    with pytest.raises(OutputError, match="the same folder"):
        make_folder_of(Grey(), source, tmp_path / "link")


def test_unreadable_pictures_are_listed_and_the_rest_is_made(source: Path, tmp_path: Path) -> None:
    (source / "01.png").write_bytes((source / "01.png").read_bytes()[:200])
    (source / "note.jpg").write_text("no picture")
    picture(1, 200, 200).save(source / "large.png")
    outcome = make_folder_of(Grey(), source, tmp_path / "out", MakeOptions(max_megapixels=0.03))
    assert len(outcome.made) == 7
    assert [Path(str(error).split()[0]).name for error in outcome.unreadable] == ["01.png", "large.png", "note.jpg"]
    assert all(isinstance(error, PictureError) for error in outcome.unreadable)


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere does not exist"):
        make_folder_of(Grey(), tmp_path / "nowhere", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_record_holds_the_options_of_the_folder(source: Path, tmp_path: Path) -> None:
    palette = ((1, 2, 3), (250, 0, 9))
    make_folder_of(Semantic(noise=0.25, palette=palette), source, tmp_path / "out", MakeOptions(seed=9, size=64))
    assert json.loads((tmp_path / "out" / "made.json").read_text()) == {
        "kind": "semantic", "colours": 4, "blur": "before", "blur_pixels": 4.0, "quantiser": "k-means",
        "noise": 0.25, "noisy_images": 1.0, "palette": [[1, 2, 3], [250, 0, 9]],
        "layout": "alone", "size": 64, "stretch": False, "seed": 9, "source": "photos", "impasto": impasto.__version__,
    }  # fmt: skip


def test_a_newer_version_of_impasto_resumes(source: Path, tmp_path: Path) -> None:
    make_folder_of(NOISY, source, tmp_path / "out")
    record = tmp_path / "out" / "made.json"
    record.write_text(record.read_text().replace(impasto.__version__, "0.0.1"))
    assert len(make_folder_of(NOISY, source, tmp_path / "out", MakeOptions(workers=3)).present) == 8


def test_notes_count_made_and_present_pictures(source: Path, tmp_path: Path) -> None:
    first = make_folder_of(NOISY, source, tmp_path / "out")
    assert sum(first.notes.values()) == 8
    assert set(first.notes) == {"with noise", "without noise"}
    assert make_folder_of(NOISY, source, tmp_path / "out").notes == first.notes
    assert {read_mark(path).note for path in first.made} == set(first.notes)


def test_sizes(source: Path, tmp_path: Path) -> None:
    own = [read_picture(path).size for path in list_pictures(source)]
    make_folder_of(Grey(), source, tmp_path / "short", MakeOptions(size=60))
    for (width, height), made in zip(own, list_pictures(tmp_path / "short"), strict=True):
        found = read_picture(made).size
        assert min(found) == 60
        assert found[0] / found[1] == pytest.approx(width / height, rel=0.02)
    make_folder_of(Grey(), source, tmp_path / "square", MakeOptions(size=60, stretch=True))
    assert {read_picture(made).size for made in list_pictures(tmp_path / "square")} == {(60, 60)}
    with pytest.raises(ImpastoError, match="--size"):
        make_folder_of(Grey(), source, tmp_path / "no", MakeOptions(stretch=True))


def test_pairs_show_the_made_picture_left_and_the_source_right(source: Path, tmp_path: Path) -> None:
    noisy = Semantic(noise=0.25)
    make_folder_of(noisy, source, tmp_path / "maps")
    make_folder_of(noisy, source, tmp_path / "pairs", MakeOptions(layout="pairs"))
    for original, name in zip(list_pictures(source), contents(tmp_path / "maps"), strict=True):
        pair, half = pixels(tmp_path / "pairs" / name), pixels(tmp_path / "maps" / name)
        assert np.array_equal(pair[:, : half.shape[1]], half)
        assert np.array_equal(pair[:, half.shape[1] :], to_array(read_picture(original)))  # noise never touches it


def test_stretched_pairs_are_read_as_pairs(source: Path, tmp_path: Path) -> None:
    settings = MakeOptions(layout="pairs", size=32, stretch=True)
    make_folder_of(Semantic(), source, tmp_path / "pairs", settings)
    assert read_collection(tmp_path / "pairs").layout == "side-by-side"


def test_maps_alone_are_the_partners_of_their_sources(source: Path, tmp_path: Path) -> None:
    both = tmp_path / "both"
    both.mkdir()
    source.rename(both / "B")
    make_folder_of(Semantic(), both / "B", both / "A")
    collection = read_collection(both)
    assert collection.layout == "paired-folders"
    assert len(collection.items) == 8


def test_unpaired_domains_share_no_picture(tmp_path: Path, make_pictures: Callable[..., Path]) -> None:
    source = make_pictures(tmp_path / "photos", 24)
    (source / "split.csv").write_text("path,split\n" + "".join(f"{n:02d}.png,test\n" for n in range(8)))
    target = tmp_path / "out"
    make_folder_of(Grey(), source, target, MakeOptions(layout="unpaired"))
    found = {domain: {Path(name).name for name in contents(target) if domain in name} for domain in "AB"}
    assert not found["A"] & found["B"]
    assert found["A"] | found["B"] == {path.name for path in list_pictures(source)}
    assert 6 <= len(found["A"]) <= 18
    for name in contents(target):
        original = to_array(read_picture(source / Path(name).name))
        expected = original if "A/" in name else Grey().make(original, 0).picture
        assert np.array_equal(pixels(target / name), expected)
    collection = read_collection(target)
    assert collection.layout == "two-domains"
    assert {Path(item.name).name for item in collection.of("test")} == {f"{n:02d}.png" for n in range(8)}


def test_pictures_with_the_same_stem_get_different_files(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    picture(1).save(tmp_path / "photos" / "a.jpg")
    picture(2).save(tmp_path / "photos" / "a.png")
    outcome = make_folder_of(Grey(), tmp_path / "photos", tmp_path / "out")
    assert names(outcome, tmp_path / "out") == ["a.jpg.png", "a.png.png"]
    picture(3).save(tmp_path / "photos" / "a.jpg.png")
    with pytest.raises(DataError, match=r"two pictures would both be written to .*a\.jpg\.png; rename one"):
        make_folder_of(Grey(), tmp_path / "photos", tmp_path / "out")


class TestSplit:
    """The split of the source is kept."""

    def check(self, target: Path, tests: set[str]) -> None:
        assert {item.name for item in read_collection(target, "plain").of("test")} == tests

    def test_from_a_table_in_the_source(self, source: Path, tmp_path: Path) -> None:
        (source / "split.csv").write_text("path,split\n01.png,test\nsea/02.jpg,test\n03.png,train\n")
        make_folder_of(Grey(), source, tmp_path / "out")
        self.check(tmp_path / "out", {"01.png", "sea/02.png"})

    def test_from_a_table_above_the_source(self, source: Path, tmp_path: Path) -> None:
        (tmp_path / "split.csv").write_text("path,split\nphotos/sea/00.jpg,test\n")
        make_folder_of(Grey(), source, tmp_path / "out")
        self.check(tmp_path / "out", {"sea/00.png"})

    def test_from_folders(self, source: Path, tmp_path: Path) -> None:
        (source / "train").mkdir()
        for loose in source.glob("*.png"):
            loose.rename(source / "train" / loose.name)
        (source / "sea").rename(source / "test")
        make_folder_of(Grey(), source, tmp_path / "out")
        self.check(tmp_path / "out", {"test/00.png", "test/01.png", "test/02.png"})

    def test_a_source_without_a_split_gives_none(self, source: Path, tmp_path: Path) -> None:
        make_folder_of(Grey(), source, tmp_path / "out")
        assert not (tmp_path / "out" / "split.csv").exists()

    def test_exists_while_pictures_are_missing(self, source: Path, tmp_path: Path) -> None:
        (source / "split.csv").write_text("path,split\n00.png,test\n")
        with pytest.raises(KeyboardInterrupt):
            make_folder_of(Grey(), source, tmp_path / "out", MakeOptions(workers=1), StopAfter(1))
        self.check(tmp_path / "out", {"00.png"})

    def test_leaves_out_pictures_that_were_not_made(self, source: Path, tmp_path: Path) -> None:
        (source / "split.csv").write_text("path,split\n00.png,test\n01.png,test\n")
        (source / "01.png").write_text("no picture")
        make_folder_of(Grey(), source, tmp_path / "out")
        self.check(tmp_path / "out", {"00.png"})
        assert not read_collection(tmp_path / "out", "plain").notes

    def test_test_pictures_in_a_sibling_folder_need_their_own_call(
        self, tmp_path: Path, make_pictures: Callable[..., Path]
    ) -> None:
        make_pictures(tmp_path / "data" / "trainA", 3)
        make_pictures(tmp_path / "data" / "testA", 2)
        make_folder_of(Grey(), tmp_path / "data" / "trainA", tmp_path / "out" / "trainB")
        assert list(contents(tmp_path / "out")) == ["trainB/00.png", "trainB/01.png", "trainB/02.png"]


def test_a_full_disk_gives_one_clear_sentence(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(target: Path) -> Any:
        if target.suffix == ".png":
            raise OutputError(f"{target} cannot be written (No space left on device)")
        return replacing(target)

    monkeypatch.setattr(make, "replacing", full)
    with pytest.raises(OutputError, match="No space left"):
        make_folder_of(Grey(), source, tmp_path / "out")
    assert not workers_left()


class SingleCore(Grey):
    """Grey, if only one core computes it."""

    def make(self, picture: Picture, seed: int) -> Made:
        assert {library["num_threads"] for library in threadpool_info()} == {1}
        return super().make(picture, seed)


def test_each_worker_computes_on_one_core_and_the_caller_keeps_its_own(source: Path, tmp_path: Path) -> None:
    with threadpool_limits(2):
        before = threadpool_info()
        assert len(make_folder_of(SingleCore(), source, tmp_path / "out").made) == 8
        assert threadpool_info() == before
