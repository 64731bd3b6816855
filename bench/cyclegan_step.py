"""Speed and memory of CycleGAN's training step: impasto against the paper's networks in plain PyTorch.

    python bench/cyclegan_step.py --size 128 256 --rounds 5

All variants start from equal weights and see the same pictures. They alternate in one process, one step each per
round, so that a busy machine slows all of them equally. bench/README.md explains the columns.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # as in the command impasto, for both sides

import torch
from reference_cyclegan import ReferenceCycleGAN
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode
from turns import Device, Measurement, Trainee, first_steps, make_equal, now, pictures, take_turns

from impasto.clock import Clock
from impasto.data.batches import ImageSpec, UnpairedImages
from impasto.engine.launch import launch
from impasto.methods.cyclegan import CycleGAN, CycleGANOptions
from impasto.recipe import TrainingOptions


class ImpastoCycleGAN:
    """impasto's method, trained as its engine does, with the reference's weights."""

    def __init__(self, device: Device, precision: Literal["fp32", "bf16"], size: int) -> None:
        reference = ReferenceCycleGAN(device, torch.float32)
        self.fabric = launch(TrainingOptions(images=1, precision=precision, accelerator=device))
        self.method = CycleGAN(CycleGANOptions(), ImageSpec(channels=3, size=size))
        self.method.prepare(self.fabric)
        networks = (
            self.method.to_painting,
            self.method.to_photo,
            self.method.photo_adversary.network,
            self.method.painting_adversary.network,
        )
        originals = (reference.g_ab, reference.g_ba, reference.d_a, reference.d_b)
        with torch.no_grad():
            for network, original in zip(networks, originals, strict=True):
                network.to(memory_format=torch.channels_last)
                for weight, value in zip(network.parameters(), original.parameters(), strict=True):
                    weight.copy_(value)

    def step(self, photos: Tensor, paintings: Tensor) -> tuple[Tensor, Tensor]:
        """Make one step."""
        batch = UnpairedImages(
            *(images.contiguous(memory_format=torch.channels_last) for images in (photos, paintings))
        )
        with self.fabric.autocast():
            scalars = self.method.training_step(batch, Clock(images=1))
        return scalars["generator/total"], (
            scalars["discriminator_paintings/loss"] + scalars["discriminator_photos/loss"]
        ) / 2


VARIANTS: Mapping[str, Callable[[Device, int], Trainee]] = {
    "reference fp32": lambda device, _: ReferenceCycleGAN(device, torch.float32),
    "reference bf16": lambda device, _: ReferenceCycleGAN(device, torch.bfloat16),
    "impasto fp32": lambda device, size: ImpastoCycleGAN(device, "fp32", size),
    "impasto bf16": lambda device, size: ImpastoCycleGAN(device, "bf16", size),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, nargs="+", default=[128, 256], help="pixels along the pictures' sides")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--memory-of", choices=list(VARIANTS), help=argparse.SUPPRESS)  # a variant in its own process
    arguments = parser.parse_args()
    best: Device = "cuda" if torch.cuda.is_available() else "cpu"
    device: Device = best if arguments.device == "auto" else arguments.device
    machine = make_equal(device)
    if arguments.memory_of:
        print(peak_gigabytes(arguments.memory_of, device, arguments.size[0], arguments.batch))
        return
    rates = {"fp32": matrix_rate(device, torch.float32), "bf16": matrix_rate(device, torch.bfloat16)}
    print(f"{machine}, matrix products at", end=" ")
    print(", ".join(f"{rate / 1e9:,.0f} GFLOP/s in {precision}" for precision, rate in rates.items()))
    for size in arguments.size:
        report(device, size, arguments.batch, arguments.rounds, rates)


def report(device: Device, size: int, batch: int, rounds: int, rates: Mapping[str, float]) -> None:
    """Measure all variants on pictures of one size and print their table."""
    memory = {name: memory_in_own_process(name, device, size, batch) for name in VARIANTS}
    measured = measure(device, size, batch, rounds)
    work = useful_flops(size, batch)
    print(f"\n{size} px, batch {batch}, {rounds} rounds, {work / 1e9:,.0f} useful GFLOP a step")
    print(
        "variant           s/step  ratio  (rounds)  images/s  of matrix  peak GB   losses G, D          differ by G, D"
    )
    base = measured["reference fp32"]
    for name, one in measured.items():
        median = statistics.median(one.seconds)
        ratio = statistics.median(base.seconds) / median
        by_round, differ = statistics.median(one.gains(base)), one.differs(base)
        print(
            f"{name:16} {median:7.3f} {ratio:6.2f} {by_round:9.2f} {batch / median:9.2f}"
            f" {work / median / rates[name[-4:]]:10.0%} {memory[name]:8.2f}"
            f"   {one.losses[0]:9.5f} {one.losses[1]:9.5f}   {differ[0]:.0e} {differ[1]:.0e}"
        )


def measure(device: Device, size: int, batch: int, rounds: int) -> dict[str, Measurement]:
    """Run a first step of each variant, for the losses, then alternate."""
    photos, paintings = pictures(device, size, batch), pictures(device, size, batch, seed=1)
    makers = {name: partial(make, device, size) for name, make in VARIANTS.items()}
    variants, measured = first_steps(makers, photos, paintings)
    take_turns(variants, measured, photos, paintings, device, rounds)
    return measured


def useful_flops(size: int, batch: int) -> int:
    """Count the convolutions' additions and multiplications in a reference step, without computing it."""
    nowhere = torch.empty(batch, 3, size, size, device="meta")
    reference = ReferenceCycleGAN("meta", torch.float32)
    with FlopCounterMode(display=False) as counter:
        reference.step(nowhere, nowhere)
    return int(counter.get_total_flops())


def matrix_rate(device: Device, dtype: torch.dtype) -> float:
    """Floating point operations per second in the product of large square matrices: the best of ten."""
    side = 8192 if device == "cuda" else 2048
    matrix = torch.randn(side, side, device=device, dtype=dtype)
    seconds = []
    for _ in range(10):
        start = now(device)
        matrix @ matrix
        seconds.append(now(device) - start)
    return 2 * side**3 / min(seconds)


def memory_in_own_process(name: str, device: Device, size: int, batch: int) -> float:
    options = ["--memory-of", name, "--device", device, "--size", str(size), "--batch", str(batch)]
    command = [sys.executable, __file__, *options]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def peak_gigabytes(name: str, device: Device, size: int, batch: int) -> float:
    """Peak memory of two steps: the process's on the CPU, PyTorch's tensors on CUDA."""
    variant = VARIANTS[name](device, size)
    for seed in range(2):
        variant.step(pictures(device, size, batch, seed), pictures(device, size, batch, seed + 2))
    if device == "cuda":
        return torch.cuda.max_memory_allocated() / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


if __name__ == "__main__":
    main()
