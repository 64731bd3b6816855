"""Speed and memory of reading pictures for training: impasto against Pillow and torchvision's transforms.

    python bench/loading.py
    python bench/loading.py --memory 1000 10000 50000

The reference is a common setup: a DataLoader with two worker processes, Pillow, and torchvision's version 1 transforms.
Both resize bicubically, crop, mirror, and return float32 batches in [-1, 1]. The loaders alternate in one process,
round by round. bench/README.md explains the columns.
"""

from __future__ import annotations

import argparse
import itertools
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # as in the command impasto, for both sides

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from impasto.curation.shards import write_shards
from impasto.data.labelled_folder import LabelledFolder, LabelledFolderOptions
from impasto.data.layouts import read_collection
from impasto.data.transforms import read_pixels
from impasto.hardware import keep_large_blocks

WORKERS = 2
BATCH = 16


class Plain(Dataset[Any]):
    """Pillow and torchvision, as their documentation shows."""

    def __init__(self, folder: Path, size: int, resize: int) -> None:
        self.files = sorted(folder.rglob("*.jpg"))
        self.transform = transforms.Compose(
            [
                transforms.Resize(resize, transforms.InterpolationMode.BICUBIC),
                transforms.RandomCrop(size),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize((0.5,) * 3, (0.5,) * 3),
            ]
        )

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Any:
        return self.transform(Image.open(self.files[index]).convert("RGB")), 0


def plain(folder: Path, size: int, resize: int) -> Iterator[Any]:
    dataset = Plain(folder, size, resize)
    while True:
        yield from DataLoader(dataset, BATCH, shuffle=True, num_workers=WORKERS, drop_last=True)


def ours(folder: Path, size: int, resize: int, cache: str = "none") -> Iterator[Any]:
    options = LabelledFolderOptions(path=folder, image_size=size, resize=resize, workers=WORKERS, cache=cache)  # type: ignore[arg-type]
    return iter(LabelledFolder(options).stream(BATCH, seed=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=800, help="256 px JPEGs; a tenth as many of 3,000 px")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", type=int, nargs="+", help="only: peak memory with this many pictures")
    parser.add_argument("--memory-of", type=Path, help=argparse.SUPPRESS)  # one collection in its own process
    arguments = parser.parse_args()
    if arguments.memory_of:
        print(peak_megabytes(arguments.memory_of))
        return
    keep_large_blocks()  # as training does; for both sides
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["IMPASTO_CACHE"] = str(folder / "cache")
        if arguments.memory:
            report_memory(folder, arguments.memory)
        else:
            report_speed(folder, arguments.pictures, arguments.rounds)


def report_speed(folder: Path, pictures: int, rounds: int) -> None:
    small = make_pictures(folder / "small", pictures, 256)
    large = make_pictures(folder / "large", max(6 * BATCH, pictures // 10), 3000)
    write_shards(read_collection(small), folder / "shards", 4_000_000)
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, {WORKERS} workers, batches of {BATCH}")
    sizes = [
        sum(f.stat().st_size for f in each.rglob("*.jpg")) / len(list(each.rglob("*.jpg"))) for each in (small, large)
    ]
    print(f"a picture takes {sizes[0] / 1e3:.0f} KB at 256 px, {sizes[1] / 1e6:.1f} MB at 3,000 px")
    print(f"mean difference of the pixels to Pillow's: {difference(small):.3f} of 255\n")
    print("256 px JPEGs, resized to 286, cropped to 256")
    cached = {name: ours(small, 256, 286, name) for name in ("disk", "memory")}
    report(
        {
            "Pillow + torchvision": lambda: plain(small, 256, 286),
            "impasto": lambda: ours(small, 256, 286),
            "impasto, shards": lambda: ours(folder / "shards", 256, 286),
            "impasto, cache on disk": lambda: cached["disk"],
            "impasto, cache in memory": lambda: cached["memory"],
        },
        pictures,
        rounds,
    )
    print("\n3,000 px JPEGs, resized to 286, cropped to 256")
    ways = {"Pillow + torchvision": lambda: plain(large, 256, 286), "impasto": lambda: ours(large, 256, 286)}
    report(ways, 6 * BATCH, rounds)


def report(ways: Mapping[str, Callable[[], Iterator[Any]]], pictures: int, rounds: int) -> None:
    """Run the loaders alternately, one pass over the pictures each, after a pass that fills the caches.

    Each is restarted and timed from its first batch, so that none reads ahead while another is timed.
    """
    steps = pictures // BATCH - 1
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, begin in ways.items():
            batches = begin()
            next(batches)
            start = time.perf_counter()
            for _ in itertools.islice(batches, steps):
                pass
            if number:
                seconds[name].append(time.perf_counter() - start)
            if "cache" in name:
                time.sleep(0.2)  # reading ahead ends soon; a restart would empty the cache
            else:
                batches.close()  # type: ignore[attr-defined]
    base = seconds["Pillow + torchvision"]
    print(f"{'way':26} images/s  ratio  (rounds)")
    for name, mine in seconds.items():
        median = statistics.median(mine)
        by_round = statistics.median(a / b for a, b in zip(base, mine, strict=True))
        print(f"{name:26} {steps * BATCH / median:8.0f} {statistics.median(base) / median:6.2f} {by_round:9.2f}")


def difference(folder: Path) -> float:
    """Mean absolute difference of resized pixels between impasto and Pillow."""
    found = []
    for file in sorted(folder.rglob("*.jpg"))[:50]:
        pixels = read_pixels(file, 200, 286).permute(1, 2, 0).numpy().astype(int)
        with Image.open(file) as picture:
            expected = picture.convert("RGB").resize(pixels.shape[1::-1], Image.Resampling.BICUBIC)
        found.append(np.abs(pixels - np.asarray(expected).astype(int)).mean())
    return float(np.mean(found))


def report_memory(folder: Path, counts: list[int]) -> None:
    """Print peak memory of listing a collection, checking it and reading 512 of its pictures."""
    print("pictures   peak MB (a process of its own)")
    for count in counts:
        collection = make_pictures(folder / str(count), count, 32)
        command = [sys.executable, __file__, "--memory-of", str(collection)]
        print(f"{count:8,} {float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout):9.0f}")
        shutil.rmtree(collection)


def peak_megabytes(folder: Path) -> float:
    for _ in itertools.islice(ours(folder, 32, 36), 512 // BATCH):
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def make_pictures(folder: Path, count: int, side: int) -> Path:
    """Write smooth pictures with grain, in two class folders, as JPEGs of quality 90.

    The grain is like that of photographs: strong in small, reduced pictures and weak in large ones. Files of 256 pixels
    have about 25 KB, of 3,000 pixels about 1.5 MB.
    """
    random = np.random.default_rng(0)
    strength = 6 if side <= 256 else 3
    for number in range(count):
        coarse = Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8)).resize((side, side))
        grain = random.normal(0, strength, (min(side, 512), min(side, 512), 1))
        tiles = -(-side // len(grain))
        grained = np.asarray(coarse) + np.tile(grain, (tiles, tiles, 1))[:side, :side]
        file = folder / "ab"[number % 2] / f"{number:06d}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(grained.clip(0, 255).astype(np.uint8)).save(file, quality=90)
    return folder


if __name__ == "__main__":
    main()
