"""Seeded chance: every random draw is a function of numbers that a resumed run knows again."""

from __future__ import annotations

import hashlib

import torch


def mixed_seed(*parts: int | str) -> int:
    """Return a 63-bit seed that depends on all parts and their order."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator(*parts: int | str) -> torch.Generator:
    """Return a CPU generator seeded by all parts."""
    return torch.Generator().manual_seed(mixed_seed(*parts))


def seed_draws(device: torch.device, *parts: int | str) -> None:
    """Seed, by all parts, what draws on the CPU and on this device without a generator of its own.

    torch.manual_seed would seed every kind of device there might be, and for those that are not there it writes down
    the whole call stack: milliseconds, which each step would pay.
    """
    seed = mixed_seed(*parts)
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
