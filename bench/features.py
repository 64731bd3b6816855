"""Speed of features from picture files: impasto against torch-fidelity, pytorch-fid, clean-fid and torchmetrics.

    python bench/features.py
    python bench/features.py --device cuda --batch 64

All run the same randomly initialised Inception of 2015 on the same 256 px JPEGs, including decoding, with each
library's public function. They alternate, round by round. bench/README.md explains the columns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # as the command impasto does, for all sides

import libraries
import numpy as np
import torch
from loading import make_pictures

from impasto.evaluation.extraction import FeatureColumn, extract
from impasto.evaluation.extractors import Inception2015, Precision, random_inception
from impasto.evaluation.frechet import Moments, frechet_distance
from impasto.evaluation.images import open_pictures
from impasto.evaluation.record import Features
from impasto.hardware import keep_large_blocks

Way = Callable[[], np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    keep_large_blocks()  # for all sides
    weights = random_inception()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = sorted(make_pictures(folder / "pictures", arguments.pictures, 256).rglob("*.jpg"))
        print(f"torch {torch.__version__}, {os.cpu_count()} cores, {arguments.pictures} pictures of 256 px")
        report(
            ways(weights, files, folder, arguments.batch, torch.device(arguments.device)), len(files), arguments.rounds
        )


def ways(
    weights: libraries.Weights, files: Sequence[Path], folder: Path, batch: int, device: torch.device
) -> dict[str, Way]:
    fidelity = libraries.torch_fidelity(weights, folder)
    found: dict[str, Way] = {}
    if device.type == "cpu":
        found["torch-fidelity"] = lambda: libraries.torch_fidelity_features(fidelity, files, batch)
        pytorch = libraries.pytorch_fid(weights)
        found["pytorch-fid"] = lambda: libraries.pytorch_fid_features(pytorch, files, batch)
        clean = libraries.clean_fid(weights)
        found["clean-fid"] = lambda: libraries.clean_fid_features(clean, files, batch)
        metrics = libraries.torchmetrics(weights, folder)
        found["torchmetrics"] = lambda: libraries.torchmetrics_features(metrics, files, batch)
    else:
        found["torch-fidelity"] = lambda: on_cuda(fidelity.to(device), files, batch)
    precisions: tuple[Precision, ...] = ("fp32", "bf16")
    for precision in precisions:
        about = Features("random-inception", "", "bilinear-tensorflow-299", precision)
        extractor = Inception2015(weights, about, device)
        found[f"impasto {precision}"] = lambda extractor=extractor: ours(extractor, folder)  # type: ignore[misc]
    return found


def ours(extractor: Inception2015, folder: Path) -> np.ndarray:
    pictures = open_pictures(str(folder / "pictures"))
    with tempfile.TemporaryDirectory() as cache:
        feature_column = FeatureColumn(extractor)
        found = extract(pictures, [feature_column], cache=Path(cache)).columns[feature_column.identity]
        return found[:, :2048].clone().numpy()


def on_cuda(model: torch.nn.Module, files: Sequence[Path], batch: int) -> np.ndarray:
    from torch_fidelity.datasets import ImagesPathDataset
    from torch_fidelity.utils import get_featuresdict_from_dataset

    with libraries.quiet():
        dataset = ImagesPathDataset([str(file) for file in files])
        found = get_featuresdict_from_dataset(dataset, model, batch, True, False, False)  # noqa: FBT003
    return found["2048"].cpu().numpy()


def report(ways: Mapping[str, Way], pictures: int, rounds: int) -> None:
    """Run the libraries alternately after a warm-up round. Compare features with those of torch-fidelity."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    features: dict[str, np.ndarray] = {}
    for number in range(rounds + 1):
        for name, way in ways.items():
            start = time.perf_counter()
            features[name] = way()
            if number:
                seconds[name].append(time.perf_counter() - start)
    base, truth = seconds["torch-fidelity"], features["torch-fidelity"]
    print(f"{'way':16} images/s  ratio  (rounds)  features differ by")
    for name, mine in seconds.items():
        median = statistics.median(mine)
        by_round = statistics.median(a / b for a, b in zip(base, mine, strict=True))
        off = np.abs(features[name] - truth).max() / np.abs(truth).max()
        print(f"{name:16} {pictures / median:8.1f} {statistics.median(base) / median:6.2f} {by_round:9.2f}  {off:.0e}")
    half = pictures // 2
    fids = {
        name: frechet_distance(*(Moments.of(torch.from_numpy(part)) for part in (rows[:half], rows[half:]))).value
        for name, rows in features.items()
        if name in ("torch-fidelity", "impasto fp32", "impasto bf16")
    }
    truth_fid = fids["torch-fidelity"]
    print("FID of one half against the other: " + ", ".join(f"{n} {v / truth_fid - 1:+.3%}" for n, v in fids.items()))


if __name__ == "__main__":
    main()
