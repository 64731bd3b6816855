"""Seeded random numbers. Every draw depends only on numbers that a resumed run has too."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor


def mixed_seed(*parts: int | str) -> int:
    """Return a 63-bit seed that depends on all parts and their order."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator(*parts: int | str) -> torch.Generator:
    """Return a CPU generator seeded by all parts."""
    return torch.Generator().manual_seed(mixed_seed(*parts))


def seed_draws(device: torch.device, *parts: int | str) -> None:
    """Seed the global generators of the CPU and of this device by all parts.

    torch.manual_seed seeds every kind of device. For each kind that is absent it records the whole call stack, which
    costs milliseconds at each step.
    """
    seed = mixed_seed(*parts)
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)


class Draws:
    """The random numbers of a batch of paintings. Each painting has a generator of its own.

    A painting therefore does not depend on what is painted beside it: the same seed gives the same picture at any batch
    size.
    """

    def __init__(self, generators: Sequence[torch.Generator]) -> None:
        self.generators = tuple(generators)

    @classmethod
    def for_photos(cls, seed: int, count: int = 1) -> Draws:
        """Return the random numbers of `count` paintings of photos. They are the same for each photo."""
        return cls([generator(seed, "paint") for _ in range(count)])

    @classmethod
    def numbered(cls, seed: int, numbers: Iterable[int]) -> Draws:
        """Return the random numbers of paintings from noise, by their numbers: 0 is the first of a seed."""
        return cls([generator(seed, "latent", number) for number in numbers])

    @property
    def count(self) -> int:
        """How many paintings there are."""
        return len(self.generators)

    def normal(self, *shape: int) -> Tensor:
        """Draw from N(0, 1) for each painting; return [N, *shape], float32 on the CPU."""
        return torch.stack([torch.randn(shape, generator=each) for each in self.generators])
