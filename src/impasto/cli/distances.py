"""`impasto figure distances`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from impasto.cli.bars import counted
from impasto.cli.console import console, escape
from impasto.cli.features import open_features
from impasto.cli.options import Device
from impasto.cli.outputs import check_new
from impasto.evaluation.extractors import ExtractorOptions, Precision
from impasto.evaluation.images import open_pictures
from impasto.evaluation.matrix import distance_matrix
from impasto.files import replacing
from impasto.gallery.distance_map import draw_matrix
from impasto.hardware import chosen_device, keep_large_blocks


@dataclass(frozen=True)
class DistancesOptions:
    """Options of `impasto figure distances`."""

    collection: str
    output: Path
    label: str | None
    metric: Literal["kid", "fid"]
    features: str
    features_weights: Path | None
    precision: Precision
    seed: int
    device: Device
    overwrite: bool


def distances_command(options: DistancesOptions) -> None:
    """Draw how far the classes of a collection are from one another, and name the nearest and farthest pair."""
    check_new(options.output, overwrite=options.overwrite)
    keep_large_blocks()
    device = torch.device(chosen_device(options.device, "--device"))
    extractor = open_features(options.features, ExtractorOptions(options.features_weights, device, options.precision))
    pictures = open_pictures(options.collection, options.label)
    with counted("measured", "what was measured is kept") as progress:
        matrix = distance_matrix(pictures, extractor, options.metric, options.seed, progress)
    with replacing(options.output) as draft:
        draw_matrix(matrix, Path(options.collection).name or options.collection).save(draft, "PNG")
    pairs = [(float(matrix.values[a, b]), a, b) for a in range(len(matrix.classes)) for b in range(a)]
    for rank, (value, one, two) in (("nearest", min(pairs)), ("farthest", max(pairs))):
        names = f"{matrix.classes[two]} and {matrix.classes[one]}"
        console.print(f"{rank:8} {escape(names)}: {options.metric} {value:.4g}")
    for warning in matrix.warnings:
        console.print(f"  [yellow]note:[/] {escape(warning)}")
    console.print(f"{len(matrix.classes)} classes, {len(pictures):,} pictures: {escape(str(options.output))}")
