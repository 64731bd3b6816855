"""Layouts of unpaired folders, and the three batch types of the atelier."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from impasto.data.atelier import Atelier, AtelierOptions
from impasto.data.batches import LabelledImages, PairedImages, UnpairedImages
from impasto.data.collection import Item
from impasto.data.picture_set import find_pictures
from impasto.data.prompts import ClassPrompt, PhotoPrompt
from impasto.data.unpaired_folders import UnpairedFolders, UnpairedFoldersOptions
from impasto.errors import DataError, PictureError

Make = Callable[..., Path]


def names(items: tuple[Item, ...]) -> list[str]:
    return [item.name.rsplit("/")[-1] for item in items]


def opened(**options: object) -> UnpairedFolders:
    return UnpairedFolders(UnpairedFoldersOptions(image_size=16, resize=20, **options))  # type: ignore[arg-type]


def test_batches_are_crops_of_both_folders(collection: Path) -> None:
    dataset = opened(photos=collection / "photos", paintings=collection / "paintings")
    assert dataset.size == 5
    assert dataset.summary() == "5 photos and 3 paintings to learn from, 0 and 0 held out"
    batch = next(dataset.stream(4, seed=0))
    assert isinstance(batch, UnpairedImages)
    assert batch.photos.shape == batch.paintings.shape == (4, 3, 16, 16)
    assert batch.photos.dtype == torch.float32
    assert -1 <= batch.photos.min() < batch.photos.max() <= 1
    prompt = dataset.prompt(PhotoPrompt, 9)
    assert prompt.photos.shape == (5, 3, 20, 20)


def test_a_stream_started_later_continues_as_the_whole_one(collection: Path) -> None:
    dataset = opened(photos=collection / "photos", paintings=collection / "paintings")
    whole = dataset.stream(2, seed=3)
    batches = [next(whole) for _ in range(6)]
    later = dataset.stream(2, seed=3, start=8)
    for expected in batches[4:]:
        found = next(later)
        assert torch.equal(found.photos, expected.photos)
        assert torch.equal(found.paintings, expected.paintings)


def test_paintings_can_have_another_scale(collection: Path) -> None:
    folders = {"photos": collection / "photos", "paintings": collection / "paintings"}
    of_both, larger = (next(opened(**folders, resize_paintings=side).stream(4, seed=3)) for side in (None, 40))
    whole = UnpairedFolders(UnpairedFoldersOptions(image_size=16, resize=40, **folders))  # type: ignore[arg-type]
    assert torch.equal(larger.photos, of_both.photos)
    assert torch.equal(larger.paintings, next(whole.stream(4, seed=3)).paintings)
    with pytest.raises(ValidationError, match=r"resize_paintings \(16\) is smaller than image_size \(32\)"):
        UnpairedFoldersOptions(image_size=32, resize_paintings=16, **folders)


def test_two_devices_share_the_batch_of_one_device(collection: Path) -> None:
    dataset = opened(photos=collection / "photos", paintings=collection / "paintings")
    whole = next(dataset.stream(4, seed=3))
    halves = [next(dataset.stream(4, seed=3, rank=rank, world_size=2)) for rank in (0, 1)]
    assert torch.equal(torch.cat([half.photos for half in halves]), whole.photos)
    assert torch.equal(torch.cat([half.paintings for half in halves]), whole.paintings)


@pytest.mark.parametrize(("photos_are", "photos"), [("A", 4), ("B", 3)])
def test_train_a_and_train_b(photos_are: str, photos: int, tmp_path: Path, make_pictures: Make) -> None:
    for folder, count in [("trainA", 4), ("trainB", 3), ("testA", 2), ("testB", 1)]:
        make_pictures(tmp_path / "set" / folder, count)
    dataset = opened(path=tmp_path / "set", photos_are=photos_are)
    assert len(dataset.photos.train) == photos
    assert len(dataset.paintings.train) == 7 - photos
    assert len(dataset.photos.test) == photos - 2


def test_paintings_of_some_classes(collection: Path, tmp_path: Path, make_pictures: Make) -> None:
    paintings = tmp_path / "styles"
    for style, count in [("cubism", 3), ("pointillism", 4), ("realism", 2)]:
        make_pictures(paintings / style, count)
    (paintings / "split.csv").write_text("path,split\npointillism/00.png,test\nrealism/00.png,test\n")
    photos = collection / "photos"
    dataset = opened(photos=photos, paintings=paintings, classes=["cubism", "pointillism"])
    assert dataset.summary() == "5 photos and 6 paintings to learn from, 0 and 1 held out"
    assert {item.labels["class"] for item in dataset.paintings.train} == {"cubism", "pointillism"}
    assert dataset.fingerprint != opened(photos=photos, paintings=paintings).fingerprint
    with pytest.raises(DataError, match=r"styles has no class 'cubsim'; did you mean cubism"):
        opened(photos=photos, paintings=paintings, classes=["cubsim"])
    with pytest.raises(DataError, match="have no label 'style'; they have class"):
        opened(photos=photos, paintings=paintings, classes=["cubism"], label="style")
    with pytest.raises(ValueError, match=r"set data\.classes too"):
        opened(photos=photos, paintings=paintings, label="class")
    with pytest.raises(DataError, match=r"paintings has no labels"):
        opened(photos=photos, paintings=collection / "paintings", classes=["cubism"])
    with pytest.raises(ValueError, match="at least 1 item"):
        opened(photos=photos, paintings=paintings, classes=[])
    for folder in ("trainA", "trainB"):
        make_pictures(tmp_path / "domains" / folder, 2)
    with pytest.raises(DataError, match="domains has no labels"):
        opened(path=tmp_path / "domains", classes=["A"])


@pytest.mark.parametrize("base", ["own", "parent"])
def test_split_csv(base: str, tmp_path: Path, make_pictures: Make) -> None:
    make_pictures(tmp_path / "art" / "monet", 4)
    prefix = "" if base == "own" else "art/"
    rows = [f"{prefix}monet/00.png,test", f"{prefix}monet/01.png,train", f"{prefix}monet/02.png,test"]
    (tmp_path / "art" / "split.csv").write_text("\n".join(["path,split", *rows]))
    for folder in ("art", "art/monet"):
        found = find_pictures(tmp_path / folder, 10)
        assert names(found.test) == ["00.png", "02.png"]
        assert names(found.train) == ["01.png", "03.png"], "what the table does not list is for training"


def test_a_split_csv_of_other_pictures_is_ignored(tmp_path: Path, make_pictures: Make) -> None:
    make_pictures(tmp_path / "photos", 2)
    (tmp_path / "split.csv").write_text("path,split\nothers/00.png,test\n")
    assert len(find_pictures(tmp_path / "photos", 10).train) == 2


def test_train_and_test_subfolders(tmp_path: Path, make_pictures: Make) -> None:
    make_pictures(tmp_path / "p" / "train" / "deep", 3)
    make_pictures(tmp_path / "p" / "test", 1)
    found = find_pictures(tmp_path / "p", 10)
    assert (len(found.train), len(found.test)) == (3, 1)


def test_bad_collections(tmp_path: Path, make_pictures: Make) -> None:
    folder = make_pictures(tmp_path / "p", 2)
    (folder / "split.csv").write_text("file,part\n")
    with pytest.raises(DataError, match=r"split.csv needs the columns path and split; it has file, part"):
        find_pictures(folder, 10)
    (folder / "split.csv").write_text("path,split\n00.png,dev\n")
    with pytest.raises(DataError, match=r"split.csv, line 2: split is 'dev'; it must be train or test"):
        find_pictures(folder, 10)
    (folder / "split.csv").write_text("path,split\n00.png,test\n01.png,test\n")
    with pytest.raises(DataError, match="test pictures but no training pictures"):
        find_pictures(folder, 10)
    (folder / "split.csv").unlink()
    (folder / "note.jpg").write_text("text")
    with pytest.raises(PictureError, match=r"note.jpg is not a picture"):
        find_pictures(folder, 10)
    (folder / "note.jpg").unlink()
    with pytest.raises(PictureError, match=r"more than the limit of 0.0001; shrink it or raise max_megapixels"):
        find_pictures(folder, 0.0001)
    with pytest.raises(DataError, match="nowhere does not exist"):
        opened(photos=tmp_path / "nowhere", paintings=folder)


@pytest.mark.parametrize("table", [b"path,split\n\xe9.png,test\n", b"split,path\ntest\n", b"path,split\n\x00"])
def test_a_damaged_split_csv(table: bytes, tmp_path: Path, make_pictures: Make) -> None:
    folder = make_pictures(tmp_path / "p", 2)
    (folder / "split.csv").write_bytes(table)
    with pytest.raises(DataError, match=r"split.csv"):
        find_pictures(folder, 10)


def test_an_unrelated_split_csv_above_is_ignored(tmp_path: Path, make_pictures: Make) -> None:
    (tmp_path / "split.csv").write_bytes(b"name;part\n\xe9;1\n")
    assert len(find_pictures(make_pictures(tmp_path / "p", 2), 10).train) == 2


def test_the_atelier_unpaired() -> None:
    dataset = Atelier(AtelierOptions(image_size=32, resize=64, style="mosaic"), UnpairedImages)
    batch = next(dataset.stream(3, seed=1))
    assert isinstance(batch, UnpairedImages)
    assert batch.paintings.shape == (3, 3, 32, 32)
    assert dataset.prompt(PhotoPrompt, 2).count == 2
    assert {item.picture.parent.name for item in dataset.paintings.train} == {"mosaic"}


def test_paired_atelier_pictures_get_the_same_crop() -> None:
    dataset = Atelier(AtelierOptions(image_size=48, resize=128, style="strokes"), PairedImages)
    stream = dataset.stream(4, seed=1)
    for _ in range(3):
        batch = next(stream)
        assert isinstance(batch, PairedImages)
        pairs = torch.stack([batch.sources.mean(1).flatten(1), batch.targets.mean(1).flatten(1)])
        assert all(torch.corrcoef(pairs[:, i])[0, 1] > 0.8 for i in range(4))


def test_the_atelier_holds_out_renderings_of_two_photos() -> None:
    dataset = Atelier(AtelierOptions(image_size=32, resize=64), LabelledImages)
    batches = list(dataset.held_out(4))
    assert dataset.held_out_size == 10
    assert torch.cat([batch.labels[:, 0] for batch in batches]).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert batches[0].images.shape == (4, 3, 32, 32)
    unpaired = Atelier(AtelierOptions(image_size=32, resize=64), UnpairedImages)
    assert (unpaired.held_out_size, list(unpaired.held_out(4))) == (0, [])
    (some,) = dataset.held_out(10, every=4)
    assert torch.equal(some.images, torch.cat([batch.images for batch in batches])[::4])


def test_the_atelier_yields_training_renderings_like_held_out_ones() -> None:
    dataset = Atelier(AtelierOptions(image_size=32, resize=64), LabelledImages)
    (some,) = dataset.learned(dataset.size, every=dataset.size // 5)
    assert some.images.shape == (5, 3, 32, 32)
    assert some.labels[:, 0].tolist() == [0, 1, 2, 3, 4]


def test_the_atelier_labelled_draws_all_styles_evenly() -> None:
    dataset = Atelier(AtelierOptions(image_size=32, resize=64), LabelledImages)
    assert dataset.spec.classes == ("strokes", "points", "mosaic", "hatching", "flat")
    stream = dataset.stream(5, seed=2)
    labels = torch.cat([next(stream).labels for _ in range(dataset.size // 5)])
    assert labels[:, 0].bincount().tolist() == [dataset.size // 5] * 5
    prompt = dataset.prompt(ClassPrompt, 7)
    assert prompt.weights.shape == (7, 5)
    assert prompt.weights.argmax(1).tolist() == [0, 1, 2, 3, 4, 0, 1]
