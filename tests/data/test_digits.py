"""The embedded digits."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from impasto.data import digits
from impasto.data.batches import LabelledImages
from impasto.data.datasets import open_dataset
from impasto.data.digits import Digits, DigitsOptions, digits_folder
from impasto.data.layouts import read_collection
from impasto.data.pictures import read_picture
from impasto.errors import DataError


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    digits_folder(folder)
    return folder


@pytest.fixture(autouse=True)
def _own_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPASTO_CACHE", str(cache))


def test_the_files_hold_every_digit_once_with_its_label() -> None:
    collection = read_collection(digits_folder())
    assert collection.layout == "mnist"
    source = load_digits()
    wanted = sorted(
        (int(label), np.round(image * 255 / 16).astype(np.uint8).tobytes())
        for label, image in zip(source.target, source.images, strict=True)
    )
    found = sorted(
        (int(item.labels["class"]), read_picture(item.picture).convert("L").tobytes()) for item in collection.items
    )
    assert found == wanted
    assert len(collection.of("test")) == pytest.approx(1797 / 6, abs=25)


def test_digits_are_grey_whole_and_upright() -> None:
    dataset = open_dataset(DigitsOptions(), LabelledImages)
    assert isinstance(dataset, Digits)
    assert dataset.spec == (1, 16, tuple("0123456789"), ())
    assert dataset.size + dataset.held_out_size == 1797
    assert min(dataset.histogram().values()) > 120
    batches = [next(dataset.stream(8, seed=seed)) for seed in (0, 0)]
    assert batches[0].images.shape == (8, 1, 16, 16)
    assert torch.equal(batches[0].images, batches[1].images)
    (held_out, *_) = dataset.held_out(1000)
    small = torch.nn.functional.avg_pool2d(held_out.images, 2)
    assert small.min() < -0.9
    again = [read_picture(item.picture).convert("L") for item in dataset.pictures.test]
    pixels = torch.stack([torch.from_numpy(np.array(picture)) for picture in again]).float() / 127.5 - 1
    assert float((small[:, 0] - pixels).abs().mean()) < 0.1, "enlarged, neither cropped nor mirrored"


def test_size_and_flip_can_be_set() -> None:
    dataset = Digits(DigitsOptions(image_size=32, resize=36, flip=True))
    assert dataset.options.short_side == 36
    assert dataset.options.flip
    assert next(dataset.stream(2, seed=0)).images.shape == (2, 1, 32, 32)


def test_written_once_and_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(folder: Path) -> None:
        (folder / "train-images-idx3-ubyte").write_bytes(b"")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(digits, "write_digits", cut_off)
        with pytest.raises(KeyboardInterrupt):
            digits_folder(tmp_path)
    assert list(tmp_path.iterdir()) == []
    folder = digits_folder(tmp_path)
    monkeypatch.setattr(digits, "write_digits", cut_off)
    assert digits_folder(tmp_path) == folder


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"cannot be written .*; .* \(set IMPASTO_CACHE to it\)"):
        digits_folder(tmp_path / "file")
