"""`impasto distances`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch

from impasto.cli.bars import counted
from impasto.cli.console import console, escape
from impasto.cli.features import open_features
from impasto.cli.options import Device
from impasto.evaluation.extractors import Precision, Settings
from impasto.evaluation.images import open_pictures
from impasto.evaluation.matrix import distance_matrix
from impasto.files import replacing
from impasto.gallery.distance_map import draw_matrix
from impasto.hardware import chosen_device, keep_large_blocks


def distances_command(
    place: str,
    label: str | None,
    metric: Literal["kid", "fid"],
    features: str,
    weights: Path | None,
    precision: Precision,
    device: Device,
    output: Path,
) -> None:
    """Draw how far the classes of a collection are from one another, and name the nearest and farthest pair."""
    keep_large_blocks()
    chosen = torch.device(chosen_device(device, "--device"))
    extractor = open_features(features, Settings(weights, chosen, precision))
    pictures = open_pictures(place, label)
    with counted("looked at", "what was looked at is remembered") as progress:
        matrix = distance_matrix(pictures, extractor, metric, progress=progress)
    with replacing(output) as draft:
        draw_matrix(matrix, Path(place).name or place).save(draft, "PNG")
    pairs = [(float(matrix.values[a, b]), a, b) for a in range(len(matrix.classes)) for b in range(a)]
    for said, (value, one, two) in (("nearest", min(pairs)), ("farthest", max(pairs))):
        names = f"{matrix.classes[two]} and {matrix.classes[one]}"
        console.print(f"{said:8} {escape(names)}: {metric} {value:.4g}")
    for warning in matrix.warnings:
        console.print(f"  [yellow]note:[/] {escape(warning)}")
    console.print(f"{len(matrix.classes)} classes, {len(pictures):,} pictures: {escape(str(output))}")
