"""Generated pictures, and a separate cache for the notes of the doctor."""

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / ".cache"))


@pytest.fixture
def paint() -> Callable[..., Image.Image]:
    """Return a function that makes a different picture for each seed, with coarse and fine detail."""

    def make(seed: int, width: int = 120, height: int = 90) -> Image.Image:
        chance = np.random.default_rng(seed)
        grids = chance.integers(60, 196, (7, 9, 3)), chance.integers(0, 61, (21, 27, 3))
        coarse, fine = (
            np.asarray(Image.fromarray(grid.astype(np.uint8)).resize((width, height), Image.Resampling.BICUBIC))
            for grid in grids
        )
        return Image.fromarray(np.clip(coarse.astype(int) + fine - 30, 0, 255).astype(np.uint8))

    return make


@pytest.fixture
def healthy(tmp_path: Path, paint: Callable[..., Image.Image]) -> Path:
    """A collection without problems: two classes of eight pictures, a quarter held out by split.csv."""
    folder = tmp_path / "healthy"
    rows = ["path,split"]
    for number in range(16):
        name = f"{'sea' if number % 2 else 'hills'}/{number:02d}.jpg"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        paint(number, 100 + 3 * number, 90 + number).save(folder / name, quality=92)
        rows.append(f"{name},{'test' if number % 4 == 0 else 'train'}")
    (folder / "split.csv").write_text("\n".join(rows) + "\n")
    return folder


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG chunk with a correct checksum."""
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(data, zlib.crc32(kind)).to_bytes(4, "big")


@pytest.fixture
def vast_png() -> bytes:
    """A small file whose header claims 30,000 x 20,000 pixels."""
    size = (30_000).to_bytes(4, "big") + (20_000).to_bytes(4, "big")
    parts = png_chunk(b"IHDR", size + bytes([8, 2, 0, 0, 0])) + png_chunk(b"IDAT", b"") + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts
