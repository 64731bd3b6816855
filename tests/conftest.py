"""Small collections and recipes that tests train on in seconds."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tiny networks: threads cost more than they bring

import torch

torch.set_num_threads(1)

TINY_CYCLEGAN = """
method: {name: cyclegan, width: 4, blocks: 1, discriminator_width: 4, pool_size: 3}
data: {kind: unpaired-folders, image_size: 24, resize: 28}
training: {images: 8, batch_size: 1, precision: fp32}
every: {scalars: 1, samples: 4, checkpoint: 4}
"""


def picture(seed: int, width: int = 40, height: int = 30) -> Image.Image:
    """A smooth random picture: noise alone would not survive JPEG."""
    small = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture
def make_pictures() -> Callable[..., Path]:
    """Return a function that fills a folder with pictures of various sizes."""

    def make(folder: Path, count: int, seed: int = 0, suffix: str = ".png") -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            picture(seed + number, 34 + 3 * number, 30 + number).save(folder / f"{number:02d}{suffix}")
        return folder

    return make


@pytest.fixture
def collection(tmp_path: Path, make_pictures: Callable[..., Path]) -> Path:
    """A folder with `photos` (5) and `paintings` (3)."""
    make_pictures(tmp_path / "data" / "photos", 5, seed=0)
    make_pictures(tmp_path / "data" / "paintings", 3, seed=100)
    return tmp_path / "data"


@pytest.fixture
def tiny_recipe(tmp_path: Path, collection: Path) -> Path:
    """A recipe file that trains on `collection` within a second."""
    path = tmp_path / "tiny.yaml"
    where = f"data: {{kind: unpaired-folders, photos: {collection / 'photos'}, paintings: {collection / 'paintings'},"
    path.write_text(TINY_CYCLEGAN.replace("data: {kind: unpaired-folders,", where))
    return path


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has its own working folder: `runs/` and `paintings/` are relative to it."""
    monkeypatch.chdir(tmp_path)
