"""The order of images, a function of (seed, position) so that a run can go on anywhere; and decoding ahead of need."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

from impasto.chance import generator

K = TypeVar("K")
T = TypeVar("T")


class ShuffledOrder:
    """An endless sequence of indices: each epoch visits every picture once, in an order of its own."""

    def __init__(self, count: int, seed: int, name: str) -> None:
        """`name` keeps two collections of one run from sharing an order."""
        self.count, self.seed, self.name = count, seed, name
        self._epoch = -1
        self._order: list[int] = []

    def __getitem__(self, position: int) -> int:
        """Return the index of the picture at a position counted from the start of the run."""
        epoch, place = divmod(position, self.count)
        if epoch != self._epoch:
            chance = generator(self.seed, "order", self.name, epoch)
            self._order = torch.randperm(self.count, generator=chance).tolist()
            self._epoch = epoch
        return self._order[place]


def positions(start: int, batch_size: int, rank: int = 0, world_size: int = 1) -> Iterator[range]:
    """Yield the positions of this device's share of each batch of `batch_size`, from position `start` on.

    Together the devices see just what one device would: rank 0 the first part of each batch, and so on.
    """
    share = batch_size // world_size
    for first in itertools.count(start, batch_size):
        yield range(first + rank * share, first + (rank + 1) * share)


def decoded_ahead(
    decode: Callable[[K], T], batches: Iterable[Sequence[K]], workers: int, ahead: int = 3
) -> Iterator[tuple[Sequence[K], list[T]]]:
    """Yield each batch with its parts decoded, in order, while threads work on the next `ahead` batches.

    Threads, not processes: Pillow decodes and resizes without holding Python's lock, memory is shared, and signals
    reach one process only.
    """
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="impasto-decode")
    waiting: deque[tuple[Sequence[K], list[Future[T]]]] = deque()
    try:
        for batch in batches:
            waiting.append((batch, [pool.submit(decode, part) for part in batch]))
            if len(waiting) > ahead:
                yield _collected(*waiting.popleft())
        while waiting:
            yield _collected(*waiting.popleft())
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _collected(batch: Sequence[K], parts: list[Future[T]]) -> tuple[Sequence[K], list[T]]:
    return batch, [part.result() for part in parts]
