"""Speed and memory of the evaluator's distances between features, compared with common libraries.

    python bench/distances.py --rounds 3
    python bench/distances.py --rounds 0 --memory 50000

Both sides get the same synthetic features of 2,048 dimensions, non-negative and correlated like Inception's, and
alternate in one process. Each side computes the Fréchet distance from its stored statistics: pytorch-fid from mean and
covariance, impasto from its `Moments`, which are the rows if there are few images. bench/README.md explains
the columns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # as in the command impasto, for both sides

import numpy as np
import torch
from pytorch_fid.fid_score import calculate_frechet_distance
from torch import Tensor
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric

from impasto.evaluation.frechet import Moments, frechet_distance
from impasto.evaluation.kernel_distance import kernel_distance, kernel_distance_of_all
from impasto.evaluation.neighbours import prdc

DIMENSIONS = 2048
FULL = 5000
"""Images whose covariance has full rank."""
SUBSETS, SIZE = 5, 1000
MEMORY_DIMENSIONS = 64
"""A small number of dimensions, so that the pairs take most of the time and memory."""


class Contest(NamedTuple):
    """One computation that both sides do."""

    name: str
    reference: Callable[[], float]
    impasto: Callable[[], float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--memory", type=int, nargs="*", default=[1000, 20_000], help="images on either side")
    parser.add_argument("--memory-of", type=int, help=argparse.SUPPRESS)  # in a process of its own
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # SciPy warns about singular matrices and deprecated arguments
    if arguments.memory_of:
        print(*peak_megabytes(arguments.memory_of))
        return
    if arguments.rounds:
        print(f"{len(os.sched_getaffinity(0))} cores, torch {torch.__version__}, {arguments.rounds} rounds")
        print(f"{'':34} {'reference':>11} {'impasto':>11} {'ratio':>7} {'values differ by':>17}")
        for contest in contests():
            report_speed(contest, arguments.rounds)
    for count in arguments.memory:
        report_memory(count)


def contests() -> Iterator[Contest]:
    """Yield the contests. Features are made only when needed."""
    many, others = features(FULL, 0), features(FULL, 1)
    yield frechet(f"Fréchet, {FULL:,} and {FULL:,}", many, others)
    yield frechet(f"Fréchet, 1,000 and {FULL:,}", many[:1000], others)
    yield frechet("Fréchet, 1,000 and 1,000", many[:1000], others[:1000])
    yield frechet("Fréchet, 300 and 300", many[:300], others[:300])
    yield Contest(
        f"KID, {SUBSETS} x {SIZE:,}",
        lambda: kid_features_to_metric(
            many[:SIZE], others[:SIZE], kid_subsets=SUBSETS, kid_subset_size=SIZE, verbose=False
        )["kernel_inception_distance_mean"],
        lambda: kernel_distance(many[:SIZE], others[:SIZE], SUBSETS, SIZE).mean,
    )
    yield Contest(
        f"precision, {FULL:,} and {FULL:,}",
        lambda: prc_features_to_metric(many, others, verbose=False)["precision"],
        lambda: prdc(others, many).precision,
    )


def frechet(name: str, first: Tensor, second: Tensor) -> Contest:
    sides = [(rows.double().mean(0).numpy(), np.cov(rows.double().numpy(), rowvar=False)) for rows in (first, second)]
    moments = [Moments.of(rows) for rows in (first, second)]
    return Contest(
        name,
        lambda: float(calculate_frechet_distance(*sides[0], *sides[1])),
        lambda: frechet_distance(*moments).value,
    )


def report_speed(contest: Contest, rounds: int) -> None:
    """Run both sides alternately and print the medians."""
    contest.impasto()  # the first call of each library allocates its threads and buffers
    ours, theirs = [], []
    for _ in range(rounds):
        seconds, expected = timed(contest.reference)
        theirs.append(seconds)
        seconds, value = timed(contest.impasto)
        ours.append(seconds)
    reference, impasto = statistics.median(theirs), statistics.median(ours)
    print(
        f"{contest.name:34} {reference:9.3f} s {impasto:9.3f} s {reference / impasto:7.1f}"
        f" {abs(value - expected) / abs(expected):17.0e}",
        flush=True,
    )


def timed(compute: Callable[[], float]) -> tuple[float, float]:
    start = time.perf_counter()
    value = compute()
    return time.perf_counter() - start, value


def features(count: int, seed: int, dimensions: int = DIMENSIONS) -> Tensor:
    """Return features [count, d]: mixtures of d/4 hidden factors, with independent noise."""
    chance = torch.Generator().manual_seed(seed)
    mixing = torch.randn(dimensions // 4, dimensions, generator=torch.Generator().manual_seed(99)) / dimensions**0.5
    hidden = torch.randn(count, dimensions // 4, generator=chance) + 0.1 * seed
    return (hidden @ mixing + 0.3 * torch.randn(count, dimensions, generator=chance) + 0.4).relu()


def report_memory(count: int) -> None:
    """Print time and memory of comparing all pairs, measured in a separate process."""
    command = [sys.executable, __file__, "--memory-of", str(count)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    before, after, seconds = (float(number) for number in done.stdout.split())
    whole = count**2 * 8 / 1e6
    print(
        f"all pairs of {count:,} and {count:,}, KID and PRDC: {seconds:.0f} s, {after - before:,.0f} MB above the "
        f"{before:,.0f} MB before; one matrix of all distances has {whole:,.0f} MB"
    )


def peak_megabytes(count: int) -> tuple[float, float, float]:
    """Return peak memory before and after comparing all pairs, in MB, and the duration in seconds."""
    first, second = (features(count, seed, MEMORY_DIMENSIONS) for seed in (0, 1))
    before = most_megabytes()
    start = time.perf_counter()
    kernel_distance_of_all(first, second)
    prdc(first, second)
    return before, most_megabytes(), time.perf_counter() - start


def most_megabytes() -> float:
    """Return this process's largest resident set so far. `getrusage` would include its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
