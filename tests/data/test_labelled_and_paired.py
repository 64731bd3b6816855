"""Labelled collections and pairs, as batches."""

from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
import torch

from impasto.data.labelled_folder import LabelledFolder, LabelledFolderOptions
from impasto.data.paired_folders import PairedFolders, PairedFoldersOptions
from impasto.data.prompts import ClassPrompt, PhotoPrompt
from impasto.data.stream import BalancedOrder, quotas
from impasto.data.transforms import centre_crop, read_pixels, to_range
from impasto.errors import DataError
from tests.conftest import picture

Make = Callable[..., Path]
COUNTS = {"baroque": 9, "rococo": 4, "10": 2, "2": 2}


@pytest.fixture
def styles(tmp_path: Path) -> Path:
    """Pictures whose brightness gives their class: 0, 60, 120, 180."""
    for level, (name, count) in enumerate(COUNTS.items()):
        folder = tmp_path / "styles" / name
        folder.mkdir(parents=True)
        for number in range(count):
            picture(number, 30, 30).point(lambda _, level=level: 60 * level).save(folder / f"{number}.png")
    return tmp_path / "styles"


def labelled(path: Path, **options: object) -> LabelledFolder:
    return LabelledFolder(LabelledFolderOptions(path=path, image_size=16, resize=20, **options))  # type: ignore[arg-type]


def test_batches_carry_their_class(styles: Path) -> None:
    dataset = labelled(styles)
    assert dataset.spec.classes == ("2", "10", "baroque", "rococo"), "numbers before words, 2 before 10"
    assert dataset.histogram() == {"2": 2, "10": 2, "baroque": 9, "rococo": 4}
    assert dataset.summary() == "17 pictures of 4 classes (class) to learn from, 0 held out"
    level = {"baroque": 0, "rococo": 60, "10": 120, "2": 180}
    for batch in islice(dataset.stream(4, seed=1), 5):
        assert batch.images.shape == (4, 3, 16, 16)
        for image, label in zip(batch.images, batch.labels[:, 0].tolist(), strict=True):
            assert round(float((image.mean() + 1) * 127.5)) == level[dataset.spec.classes[label]]
    prompt = dataset.prompt(ClassPrompt, 6)
    assert prompt.weights.argmax(1).tolist() == [0, 1, 2, 3, 0, 1]


@pytest.mark.parametrize("balance", ["none", "sqrt", "uniform"])
def test_a_stream_started_later_or_shared_is_the_same(balance: str, styles: Path) -> None:
    dataset = labelled(styles, balance=balance)
    batches = list(islice(dataset.stream(4, seed=3), 12))
    (later,) = islice(dataset.stream(4, seed=3, start=40), 1)
    assert torch.equal(later.images, batches[10].images)
    assert torch.equal(later.labels, batches[10].labels)
    halves = [next(dataset.stream(4, seed=3, rank=rank, world_size=2)) for rank in (0, 1)]
    assert torch.equal(torch.cat([half.images for half in halves]), batches[0].images)


def test_a_subset_of_classes(styles: Path) -> None:
    dataset = labelled(styles, classes=("rococo", "10"))
    assert dataset.spec.classes == ("10", "rococo")
    assert dataset.size == 6
    with pytest.raises(DataError, match="data.classes: .* has no class 'rokoko'; did you mean rococo?"):
        labelled(styles, classes=("rokoko",))


def split_table(folder: Path, tests: set[str]) -> None:
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.glob("*/*.png"))]
    rows = [f"{name},{'test' if name in tests else 'train'}" for name in names]
    (folder / "split.csv").write_text("\n".join(["path,split", *rows]))


@pytest.mark.parametrize("crop", ["square", "resized"])
def test_held_out_pictures_come_once_in_order_as_centre_crops(crop: str, styles: Path) -> None:
    split_table(styles, {"baroque/0.png", "baroque/5.png", "rococo/1.png", "rococo/3.png"})
    dataset = labelled(styles, crop=crop)
    assert dataset.held_out_size == 4
    batches = list(dataset.held_out(3))
    assert [batch.images.shape for batch in batches] == [(3, 3, 16, 16), (1, 3, 16, 16)]
    names = [dataset.spec.classes[label] for label in torch.cat([batch.labels[:, 0] for batch in batches])]
    assert names == ["baroque", "baroque", "rococo", "rococo"]
    again = list(dataset.held_out(4))
    assert torch.equal(torch.cat([batch.images for batch in batches]), again[0].images)
    side = 16 if crop == "resized" else 20
    whole = read_pixels(styles / "rococo" / "3.png", 10, side)
    assert torch.equal(again[0].images[3], to_range(centre_crop(whole, 16)))


def test_only_every_nth_held_out_picture_is_read(styles: Path) -> None:
    split_table(styles, {"baroque/0.png", "baroque/5.png", "rococo/1.png", "rococo/3.png"})
    dataset = labelled(styles)
    (everything,) = dataset.held_out(4)
    (styles / "baroque" / "5.png").unlink()
    batches = list(dataset.held_out(1, every=2))
    assert torch.equal(torch.cat([batch.images for batch in batches]), everything.images[::2])
    assert torch.equal(torch.cat([batch.labels for batch in batches]), everything.labels[::2])


def test_training_pictures_are_yielded_like_held_out_ones(styles: Path) -> None:
    dataset = labelled(styles)
    (everything,) = dataset.learned(dataset.size)
    assert torch.bincount(everything.labels[:, 0]).tolist() == list(dataset.histogram().values())
    _, fourth, *_ = (batch.images[0] for batch in dataset.learned(1, every=3))
    whole = read_pixels(dataset.pictures.train[3].picture, 10, 20)
    assert torch.equal(fourth, everything.images[3])
    assert torch.equal(fourth, to_range(centre_crop(whole, 16)))


def test_nothing_is_held_out_by_default(styles: Path) -> None:
    assert labelled(styles).held_out_size == 0
    assert list(labelled(styles).held_out(2)) == []


def test_a_share_of_each_class_is_held_out_by_name_if_nothing_else_is(styles: Path) -> None:
    dataset = labelled(styles, validation_share=0.25)
    assert dataset.summary() == "14 pictures of 4 classes (class) to learn from, 3 held out"
    assert dataset.histogram() == {"2": 2, "10": 2, "baroque": 7, "rococo": 3}, "two of each class are left"
    names = {item.name for item in dataset.pictures.test}
    assert names == {item.name for item in labelled(styles, validation_share=0.25).pictures.test}
    assert names <= {item.name for item in labelled(styles, validation_share=0.5).pictures.test}, "more, not others"
    assert dataset.fingerprint != labelled(styles).fingerprint
    split_table(styles, {"baroque/0.png"})
    assert {item.name for item in labelled(styles, validation_share=0.25).pictures.test} == {"baroque/0.png"}


def test_held_out_pictures_of_classes_that_are_not_learned_give_a_note(styles: Path) -> None:
    split_table(styles, {"2/0.png", "2/1.png", "rococo/0.png"})
    dataset = labelled(styles)
    assert dataset.held_out_size == 1
    assert dataset.notes == ("2 held-out pictures have a class without training pictures",)


def test_which_label_is_the_class(tmp_path: Path, make_pictures: Make) -> None:
    make_pictures(tmp_path / "c", 6)
    rows = ["path,style,genre", *[f"0{n}.png,{'ab'[n % 2]},{'xy'[n // 3] if n != 5 else ''}" for n in range(6)]]
    (tmp_path / "c" / "labels.csv").write_text("\n".join(rows))
    assert labelled(tmp_path / "c", label="style").histogram() == {"a": 3, "b": 3}
    dataset = labelled(tmp_path / "c", label="genre")
    assert dataset.histogram() == {"x": 3, "y": 2}
    assert dataset.notes == ("1 pictures have no genre and are left out",)
    with pytest.raises(
        DataError, match="data.label: .* has several labels; set data.label to one of them: style, genre"
    ):
        labelled(tmp_path / "c")
    with pytest.raises(DataError, match="have no label 'gender'; they have style, genre"):
        labelled(tmp_path / "c", label="gender")


def test_collections_without_labels_or_with_single_pictures_are_refused(tmp_path: Path, make_pictures: Make) -> None:
    make_pictures(tmp_path / "plain", 3)
    with pytest.raises(DataError, match="plain has no labels; sort its pictures into a folder for each class or add"):
        labelled(tmp_path / "plain")
    make_pictures(tmp_path / "c" / "many", 3)
    make_pictures(tmp_path / "c" / "one", 1)
    remedies = "add pictures, leave small classes out with data.min_images=2 or data.largest, or name"
    with pytest.raises(DataError, match=rf"1 classes of class with a single training picture \(one\); {remedies}"):
        labelled(tmp_path / "c")
    assert labelled(tmp_path / "c", classes=("many",)).size == 3
    assert labelled(tmp_path / "c", min_images=2).size == 3
    assert labelled(tmp_path / "c", largest=1).size == 3


def test_small_classes_are_left_out_with_a_note(styles: Path) -> None:
    assert labelled(styles, min_images=2).notes == (), "all have two"
    dataset = labelled(styles, min_images=3)
    assert dataset.histogram() == {"baroque": 9, "rococo": 4}
    assert dataset.notes == (
        "2 of 4 classes of class are too small and left out: 2 (2), 10 (2); 13 pictures of 2 classes are kept",
    )
    assert labelled(styles, largest=3).spec.classes == ("2", "baroque", "rococo"), "of equals the first by name"
    assert labelled(styles, largest=9).notes == ()
    assert labelled(styles, min_images=3, largest=1).histogram() == {"baroque": 9}
    assert labelled(styles, classes=("2", "rococo"), largest=1).histogram() == {"rococo": 4}
    with pytest.raises(DataError, match="no class of class has 10 training pictures; the largest, baroque, has 9"):
        labelled(styles, min_images=10)


def test_class_sizes_count_training_pictures_only(styles: Path) -> None:
    split_table(styles, {f"rococo/{number}.png" for number in range(3)})
    dataset = labelled(styles, min_images=2)
    assert dataset.histogram() == {"2": 2, "10": 2, "baroque": 9}
    assert dataset.held_out_size == 0
    assert dataset.pictures.test == (), "held-out pictures of classes left out are left out too"


def test_balance_gives_each_class_its_share_and_shows_every_picture() -> None:
    counts = [90, 10, 0 + 4]
    assert quotas(counts, "uniform") == [35, 35, 34] or sum(quotas(counts, "uniform")) == 104
    shares = [count / sum(quotas(counts, "sqrt")) for count in quotas(counts, "sqrt")]
    roots = [count**0.5 for count in counts]
    assert shares == pytest.approx([root / sum(roots) for root in roots], abs=0.01)
    order = BalancedOrder(counts, seed=1, balance="uniform")
    drawn = [order[position] for position in range(3 * order.places)]
    assert Counter(label for label, _ in drawn) == {label: 3 * quota for label, quota in enumerate(order.quotas)}
    for label, count in enumerate(counts):
        shown = [index for drawn_label, index in drawn if drawn_label == label]
        for turn in range(len(shown) // count):
            assert sorted(shown[turn * count : (turn + 1) * count]) == list(range(count))
    assert [order[position] for position in range(200, 220)] == drawn[200:220], "whatever was asked for in between"


def test_rare_classes_are_never_left_out() -> None:
    assert min(quotas([10_000, 1, 1], "sqrt")) >= 1


def write_pairs(folder: Path, count: int) -> Path:
    for side in "AB":
        (folder / side).mkdir(parents=True)
    for seed in range(count):
        source = picture(seed, 40, 30)
        source.save(folder / "A" / f"{seed}.png")
        source.point(lambda value: 255 - value).save(folder / "B" / f"{seed}.png")
    return folder


@pytest.mark.parametrize("direction", ["A-to-B", "B-to-A"])
def test_pairs_get_the_same_crop_and_flip(direction: str, tmp_path: Path) -> None:
    folder = write_pairs(tmp_path / "c", 5)
    dataset = PairedFolders(PairedFoldersOptions(path=folder, image_size=16, resize=30, direction=direction))  # type: ignore[arg-type]
    assert dataset.summary() == "5 pairs to learn from, 0 held out"
    for batch in islice(dataset.stream(3, seed=2), 4):
        assert torch.allclose(batch.sources, -batch.targets, atol=1e-6), "B is A's negative"
    first = dataset.prompt(PhotoPrompt, 1).photos
    other = PairedFolders(PairedFoldersOptions(sources=folder / "A", targets=folder / "B", image_size=16, resize=30))
    sign = 1 if direction == "A-to-B" else -1
    assert torch.allclose(other.prompt(PhotoPrompt, 1).photos, sign * first, atol=1e-6)


@pytest.mark.parametrize("cache", ["none", "memory", "disk"])
def test_side_by_side_pairs(cache: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "cache"))
    (tmp_path / "c").mkdir()
    for seed in range(3):
        whole = picture(seed, 60, 30)
        left = whole.crop((0, 0, 30, 30))
        whole.paste(left.point(lambda value: 255 - value), (30, 0))
        whole.save(tmp_path / "c" / f"{seed}.png")
    dataset = PairedFolders(PairedFoldersOptions(path=tmp_path / "c", image_size=20, resize=30, cache=cache))  # type: ignore[arg-type]
    for batch in islice(dataset.stream(2, seed=2), 3):
        assert torch.allclose(batch.sources, -batch.targets, atol=1e-6)


def test_odd_widths_and_unpaired_collections(tmp_path: Path, make_pictures: Make) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    picture(0, 60, 30).save(folder / "0.png")
    picture(1, 61, 30).save(folder / "1.png")
    dataset = PairedFolders(PairedFoldersOptions(path=folder, layout="side-by-side", image_size=16))
    with pytest.raises(DataError, match="1.png has an odd width of 61 pixels and cannot be split into a pair"):
        list(islice(dataset.stream(2, seed=0), 2))
    make_pictures(tmp_path / "plain", 2)
    with pytest.raises(DataError, match="plain is plain, not a collection of pairs; put the pairs side by side"):
        PairedFolders(PairedFoldersOptions(path=tmp_path / "plain", image_size=16))
