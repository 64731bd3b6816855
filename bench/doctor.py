"""Speed and memory of the dataset doctor, compared with a plain reference.

    python bench/doctor.py --pictures 4000 --rounds 3
    python bench/doctor.py --memory 1000 10000 50000

The reference works like a short script. It uses a process for each core, decodes each file in full with Pillow,
computes its SHA-256 and a 256-bit difference hash, and compares every pair of hashes in numpy. Both examine the same
synthetic JPEGs. Every tenth is a copy of another, halved and compressed again. They alternate, and nothing is cached
between rounds. bench/README.md explains the columns.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from impasto.curation.doctor.diagnosis import diagnose
from impasto.curation.doctor.duplicates import find_groups
from impasto.curation.doctor.survey import survey
from impasto.data.layouts import read_collection

SIDE = 256
TINY_SIDE = 32
COPIED = 10
"""One picture in this many is a copy."""
NEAR_BITS = 26
"""For the reference, two hashes are near if at most a tenth of their bits differ."""


class Turn(NamedTuple):
    """The result of one side in one round."""

    examined: float  # seconds
    compared: float
    found: int  # pictures in groups of duplicates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", type=int, nargs="*", default=[1000, 10_000, 50_000], help="sizes of collections")
    parser.add_argument("--memory-of", type=Path, help=argparse.SUPPRESS)  # a folder, in a process of its own
    arguments = parser.parse_args()
    if arguments.memory_of:
        print(*peak_megabytes(arguments.memory_of))
        return
    with tempfile.TemporaryDirectory(prefix="impasto-bench-") as scratch:
        if arguments.rounds:
            report_speed(Path(scratch), arguments.pictures, arguments.rounds)
        for count in arguments.memory:
            report_memory(Path(scratch), count)


def report_speed(scratch: Path, count: int, rounds: int) -> None:
    """Run both sides alternately and print their medians."""
    folder = make_pictures(scratch / "speed", count, SIDE)
    turns: dict[str, list[Turn]] = {"reference": [], "impasto": []}
    for number in range(rounds):
        os.environ["IMPASTO_CACHE"] = str(scratch / f"cache{number}")
        turns["reference"].append(reference(folder))
        turns["impasto"].append(impasto(folder))
    copies = 2 * (count // COPIED)
    print(
        f"{count:,} JPEGs of {SIDE} pixels, {len(os.sched_getaffinity(0))} cores, {rounds} rounds, {copies:,} in pairs"
    )
    print("           examined/s  compared in  pictures/s in all  ratio  duplicates found")
    base = statistics.median(turn.examined + turn.compared for turn in turns["reference"])
    for name, done in turns.items():
        examined, compared = (statistics.median(part) for part in list(zip(*done, strict=True))[:2])
        whole = statistics.median(turn.examined + turn.compared for turn in done)
        print(
            f"{name:10} {count / examined:11,.0f} {compared:10.2f} s {count / whole:18,.0f} {base / whole:6.2f}"
            f" {done[-1].found:17,}"
        )


def impasto(folder: Path) -> Turn:
    start = time.perf_counter()
    surveyed = survey(read_collection(folder), max_megapixels=200)
    middle = time.perf_counter()
    groups = find_groups(surveyed.records)
    return Turn(middle - start, time.perf_counter() - middle, sum(len(group.members) for group in groups))


def reference(folder: Path) -> Turn:
    start = time.perf_counter()
    paths = sorted(folder.rglob("*.jpg"))
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        looked = list(pool.map(look, paths, chunksize=64))
    middle = time.perf_counter()
    found = near_or_equal(looked)
    return Turn(middle - start, time.perf_counter() - middle, found)


def look(path: Path) -> tuple[str, bytes]:
    """Return a file's SHA-256 and its difference hash, as computed by the package imagehash."""
    content = path.read_bytes()
    with Image.open(io.BytesIO(content)) as picture:
        pixels = np.asarray(picture.convert("L").resize((17, 16), Image.Resampling.LANCZOS))
    return hashlib.sha256(content).hexdigest(), np.packbits(pixels[:, 1:] > pixels[:, :-1]).tobytes()


def near_or_equal(looked: Sequence[tuple[str, bytes]]) -> int:
    """Return the number of pictures with an equal or near one."""
    digests = np.array([digest for digest, _ in looked])
    bits = np.unpackbits(np.frombuffer(b"".join(code for _, code in looked), np.uint8).reshape(len(looked), -1), axis=1)
    found = 0
    for digest, code in zip(digests, bits, strict=True):
        alike = (digests == digest) | ((bits != code).sum(axis=1) <= NEAR_BITS)
        found += int(alike.sum() > 1)
    return found


def report_memory(scratch: Path, count: int) -> None:
    """Print the peak memory of a complete check of tiny pictures, in a separate process."""
    folder = make_pictures(scratch / f"memory{count}", count, TINY_SIDE)
    environment = {**os.environ, "IMPASTO_CACHE": str(scratch / "memory-cache")}
    command = [sys.executable, __file__, "--memory-of", str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    before, after = (float(number) for number in done.stdout.split())
    print(f"{count:7,} pictures of {TINY_SIDE} pixels: {after:6.0f} MB at most, {before:.0f} MB before the first")


def peak_megabytes(folder: Path) -> tuple[float, float]:
    """Return the peak memory before and after a check, in MB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    diagnose(folder)
    return before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def make_pictures(folder: Path, count: int, side: int) -> Path:
    """Write JPEGs in folders of 1,000. Every tenth is a copy of the previous one, halved and compressed again."""
    chance = np.random.default_rng(0)
    picture = make_picture(chance, side)
    for number in range(count):
        place = folder / f"{number // 1000:03d}" / f"{number:06d}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        if number % COPIED == COPIED - 1:
            picture.resize((side // 2, side // 2), Image.Resampling.LANCZOS).save(place, quality=75)
        else:
            picture = make_picture(chance, side)
            picture.save(place, quality=90)
    return folder


def make_picture(chance: np.random.Generator, side: int) -> Image.Image:
    """Smooth shapes with grain. Their files are as large as those of photos."""
    shapes = Image.fromarray(chance.integers(0, 256, (12, 12, 3), dtype=np.uint8)).resize((side, side), 3)
    grain = chance.integers(-12, 13, (side, side, 1))
    return Image.fromarray(np.clip(np.asarray(shapes) + grain, 0, 255).astype(np.uint8))


if __name__ == "__main__":
    main()
