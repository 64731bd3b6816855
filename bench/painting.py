"""Speed of painting photos: impasto against the paper's generator in plain eager PyTorch, in float32.

    python bench/painting.py                       # one picture at 512 and 1024 pixels, a folder of 100, the painters
    python bench/painting.py --size 512 --rounds 5
    python bench/painting.py --device cuda

Both have the same weights (ResNet-9, width 64) and paint JPEGs to JPEGs. The reference opens, paints and saves one file
after the other. impasto runs the function behind `impasto paint`. They alternate, picture by picture. bench/README.md
explains the columns.
"""

from __future__ import annotations

import argparse
import importlib.resources
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # as in the command impasto, for both sides

import numpy as np
import torch
from loading import make_pictures
from PIL import Image
from reference_cyclegan import generator
from torch import nn
from turns import make_equal

from impasto.data.batches import ImageSpec
from impasto.methods.cyclegan import CycleGAN, CycleGANOptions
from impasto.painting import paint as one_way
from impasto.painting.paint_files import paint_files
from impasto.painting.paint_picture import PhotoOptions
from impasto.painting.painters import DEFAULT_PAINTER, LoadedPainter, load_painter
from impasto.recipe import load_recipe

Paint = Callable[[Sequence[Path], Path], None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, nargs="*", default=[512, 1024], help="pixels along the pictures' sides")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=int, default=100, help="pictures of the folder")
    parser.add_argument("--folder-size", type=int, default=256)
    parser.add_argument("--megapixels", type=float, nargs="*", default=[100], help="memory for pictures of this size")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    arguments = parser.parse_args()
    print(make_equal(arguments.device))
    reference, painter = equal_painters(arguments.device)
    plain = plain_painting(reference, arguments.device)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for megapixels in arguments.megapixels:  # first, so that idle memory excludes leftovers of other measurements
            memory(folder, megapixels)
        for size in arguments.size:
            files = sorted(make_pictures(folder / f"one-{size}", 1, size).rglob("*.jpg"))
            compare(f"one of {size} px", plain, painter, files, folder, arguments.rounds)
        if arguments.folder:
            files = sorted(make_pictures(folder / "many", arguments.folder, arguments.folder_size).rglob("*.jpg"))
            compare(f"{len(files)} of {arguments.folder_size} px", plain, painter, files, folder, 1)
        shipped(folder, arguments.rounds)


def equal_painters(device: str) -> tuple[nn.Module, LoadedPainter]:
    """Return the reference, and impasto's painter with its weights."""
    torch.manual_seed(0)
    reference = generator().eval()
    method = CycleGAN(CycleGANOptions(), ImageSpec(channels=3, size=256))
    with torch.no_grad():
        for mine, theirs in zip(method.to_painting.parameters(), reference.parameters(), strict=True):
            mine.copy_(theirs)
    method.to_painting.eval().to(memory_format=torch.channels_last).requires_grad_(requires_grad=False)
    method.to(device)
    recipe = load_recipe("cyclegan-landscape", ["data.photos=p", "data.paintings=q"])
    return reference.to(device), LoadedPainter("bench", method, recipe, ImageSpec(3, 256), recipe.paint)


def plain_painting(network: nn.Module, device: str) -> Paint:
    """Return a plain loop: open, paint, save."""

    @torch.inference_mode()
    def paint(files: Sequence[Path], output: Path) -> None:
        output.mkdir(parents=True, exist_ok=True)
        for file in files:
            pixels = torch.from_numpy(np.array(Image.open(file).convert("RGB")))
            image = pixels.permute(2, 0, 1)[None].to(device).float() / 127.5 - 1
            painted = network(image)[0].add(1).mul(127.5).round().clamp(0, 255).byte()
            Image.fromarray(painted.permute(1, 2, 0).cpu().numpy()).save(output / file.name, quality=92, subsampling=0)

    return paint


def impasto_painting(painter: LoadedPainter, *, bf16: bool) -> Paint:
    """Return the function behind `impasto paint`, with or without bfloat16."""

    def paint(files: Sequence[Path], output: Path) -> None:
        with precision(bf16=bf16):
            paint_files(files, painter, output, PhotoOptions(overwrite=True))

    return paint


@contextmanager
def precision(*, bf16: bool) -> Iterator[None]:
    had, one_way.has_bf16 = one_way.has_bf16, lambda _: bf16
    try:
        yield
    finally:
        one_way.has_bf16 = had


def compare(what: str, plain: Paint, painter: LoadedPainter, files: Sequence[Path], folder: Path, rounds: int) -> None:
    """Print seconds per picture, the ratio by round, and the pictures' difference from the reference's."""
    ways = {
        "reference fp32": plain,
        "impasto fp32": impasto_painting(painter, bf16=False),
        "impasto bf16": impasto_painting(painter, bf16=True),
    }
    warm = files[:1]
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for name, paint in ways.items():
        paint(warm, folder / name)
    for _ in range(rounds):
        for name, paint in ways.items():
            begun = time.perf_counter()
            paint(files, folder / name)
            seconds[name].append((time.perf_counter() - begun) / len(files))
    print(
        f"\n| {what} | s/picture | ratio | (from - to) | of 255 from the reference's |\n| --- | --- | --- | --- | --- |"
    )
    for name in ways:
        gains = [base / mine for base, mine in zip(seconds["reference fp32"], seconds[name], strict=True)]
        apart = statistics.mean(difference(folder / "reference fp32" / f.name, folder / name / f.name) for f in files)
        print(
            f"| {name} | {statistics.median(seconds[name]):.3f} | {statistics.median(gains):.2f} | "
            f"{min(gains):.2f} - {max(gains):.2f} | {apart:.2f} |",
            flush=True,
        )


def difference(one: Path, other: Path) -> float:
    """Mean absolute difference of two pictures' values."""
    pictures = [np.asarray(Image.open(file)).astype(np.int16) for file in (one, other)]
    return float(np.abs(pictures[0] - pictures[1]).mean())


def shipped(folder: Path, rounds: int) -> None:
    """Print the default painter's rate, and how long the parts of a cold `impasto paint one.jpg` take."""
    painter = load_painter(DEFAULT_PAINTER)
    (file,) = sorted(make_pictures(folder / "mega", 1, 1000).rglob("*.jpg"))
    photo = Path(str(importlib.resources.files("sklearn.datasets") / "images" / "china.jpg"))
    for bf16 in (False, True):
        with precision(bf16=bf16):
            paint_files([photo], painter, folder / str(bf16), PhotoOptions(kind="PNG"))
    apart = difference(*(folder / str(bf16) / "china.png" for bf16 in (False, True)))
    seconds = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        paint_files([file], painter, folder / "shipped", PhotoOptions(overwrite=True))
        seconds.append(time.perf_counter() - begun)
    print(f"\n{painter.name}: {statistics.median(seconds[1:]):.2f} s a megapixel")
    print(f"  a photo in bf16 is {apart:.2f} of 255 from that in fp32")
    runs = [cold(file, folder / "cold") for _ in range(rounds)]
    for part, values in zip(
        ("import", "load", "paint and save", "whole command"), zip(*runs, strict=True), strict=True
    ):
        print(f"  cold, {part}: {statistics.median(values):.2f} s")


COLD = """
import sys, time
from pathlib import Path
begun = time.perf_counter()
from impasto.cli.painting import paint_command
from impasto.painting.paint_files import paint_files
from impasto.painting.paint_picture import PhotoOptions
from impasto.painting.painters import DEFAULT_PAINTER, load_painter
imported = time.perf_counter()
painter = load_painter(DEFAULT_PAINTER)
loaded = time.perf_counter()
paint_files([Path(sys.argv[1])], painter, Path(sys.argv[2]), PhotoOptions(overwrite=True))
print(imported - begun, loaded - imported, time.perf_counter() - loaded)
"""


def cold(file: Path, output: Path) -> tuple[float, float, float, float]:
    """Seconds of a new process: to import, to load the painter, to paint and save; and of the whole command."""
    split = subprocess.run([sys.executable, "-c", COLD, file, output], capture_output=True, text=True, check=True)
    command = [sys.executable, "-m", "impasto", "paint", file, "--painter", DEFAULT_PAINTER, "--overwrite"]
    begun = time.perf_counter()
    subprocess.run([*command, "--output", output], capture_output=True, check=True)
    whole = time.perf_counter() - begun
    imports, load, paint = map(float, split.stdout.split())
    return imports, load, paint, whole


def memory(folder: Path, megapixels: float) -> None:
    """Print the memory for painting a large picture, above that of the idle process with the painter loaded."""
    width = round((megapixels * 1.5e6) ** 0.5)
    size = width, round(megapixels * 1e6 / width)
    file = folder / "large.jpg"
    Image.effect_mandelbrot(size, (-2, -1.5, 1, 1.5), 50).convert("RGB").save(file)
    painter = load_painter(DEFAULT_PAINTER)
    idle, peak, done = resident(), 0.0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.02):
            peak = max(peak, resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    begun = time.perf_counter()
    paint_files([file], painter, folder / "large", PhotoOptions(size="own", overwrite=True))
    seconds = time.perf_counter() - begun
    done.set()
    watcher.join()
    print(f"\n{size[0]} x {size[1]} pixels: {seconds:.0f} s, {peak - idle:.2f} GB above the {idle:.2f} of idling")


def resident() -> float:
    """Memory of this process, in GB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e9


if __name__ == "__main__":
    main()
