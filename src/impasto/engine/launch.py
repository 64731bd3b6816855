"""Devices, precision and processes of a run."""

from __future__ import annotations

import logging
import warnings
from typing import Literal

import torch
from lightning_fabric import Fabric

from impasto.errors import RunError
from impasto.hardware import chosen_device, has_bf16, keep_large_blocks
from impasto.recipe import TrainingOptions


def launch(options: TrainingOptions) -> Fabric:
    """Return a Fabric with the chosen devices and precision. Its processes are started.

    Raises RunError when the machine does not have these devices.
    """
    keep_large_blocks()
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # the journal records what Fabric logs
    accelerator = _accelerator(options)
    if accelerator == "cuda":
        torch.backends.cudnn.benchmark = True  # images of one size: the fastest kernels are chosen once
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)  # Fabric's own use of torch
        fabric = Fabric(
            accelerator=accelerator,
            devices=options.devices,
            strategy="ddp" if options.devices > 1 else "auto",
            precision="bf16-mixed" if chosen_precision(options, accelerator) == "bf16" else "32-true",
        )
        fabric.launch()
    return fabric


def chosen_precision(options: TrainingOptions, device_type: str) -> Literal["fp32", "bf16"]:
    """Return the chosen precision. `auto` is bf16 on hardware with native bf16 arithmetic, else fp32."""
    if options.precision != "auto":
        return options.precision
    return "bf16" if has_bf16(device_type) else "fp32"


def _accelerator(options: TrainingOptions) -> Literal["cpu", "cuda"]:
    accelerator = chosen_device(options.accelerator, "training.accelerator")
    if accelerator == "cuda" and options.devices > torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise RunError(
            f"training.devices: {options.devices} CUDA devices are not available; set training.devices={count}"
        )
    return accelerator
