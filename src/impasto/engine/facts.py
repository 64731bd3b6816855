"""Facts about a run for its journal: versions, hardware, settings, data and peak memory."""

from __future__ import annotations

import platform
import sys

import torch
from lightning_fabric import Fabric

from impasto import __version__
from impasto.data.dataset import Dataset
from impasto.engine.launch import chosen_precision
from impasto.recipe import TrainingOptions

try:
    import resource
except ImportError:  # not available on Windows
    resource = None  # type: ignore[assignment]


def start_facts(options: TrainingOptions, dataset: Dataset, fabric: Fabric) -> dict[str, str]:
    """Return the facts that a reader of the journal needs to compare speed and to repeat the run."""
    device = fabric.device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    return {
        "impasto": __version__,
        "torch": str(torch.__version__),
        "python": platform.python_version(),
        "device": name,
        "devices": str(fabric.world_size),
        "precision": chosen_precision(options, device.type),
        "seed": str(options.seed),
        "data": dataset.summary(),
    }


def peak_megabytes(device: torch.device) -> float | None:
    """Return this process's peak memory in MB: GPU memory on CUDA, else main memory; None if it is not known."""
    if device.type == "cuda":
        return round(torch.cuda.max_memory_allocated(device) / 1e6, 1)
    if resource is None:
        return None
    unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, KiB elsewhere
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)
