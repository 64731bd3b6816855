"""The order of images, as a function of (seed, position) so a run can resume anywhere, and decoding in advance."""

from __future__ import annotations

import itertools
import math
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, Literal, TypeVar

import torch

from impasto.chance import generator

Balance = Literal["sqrt", "uniform"]
"""How often a class is shown: by the square root of its number of pictures, or all classes equally."""
K = TypeVar("K")
T = TypeVar("T")
R = TypeVar("R")


class ShuffledOrder:
    """An endless sequence of indices. Each epoch visits every picture once, in a new order."""

    def __init__(self, count: int, seed: int, name: str) -> None:
        """`name` gives two collections of one run different orders."""
        self.count, self.seed, self.name = count, seed, name
        self._epoch = -1
        self._order: list[int] = []

    def __getitem__(self, position: int) -> int:
        """Return the index of the picture at a position counted from the start of the run."""
        epoch, place = divmod(position, self.count)
        if epoch != self._epoch:
            self._order = self._permutation(epoch)
            self._epoch = epoch
        return self._order[place]

    def _permutation(self, epoch: int) -> list[int]:
        chance = generator(self.seed, "order", self.name, epoch)
        return torch.randperm(self.count, generator=chance).tolist()


class BalancedOrder:
    """An endless sequence of (class, index within the class). The balance decides how often a class comes.

    An epoch has as many places as there are pictures. The places of all classes are shuffled. The pictures of a class
    come in a shuffled order that continues in the next epoch, so all are shown before one is shown again.
    """

    def __init__(self, counts: Sequence[int], seed: int, balance: Balance) -> None:
        self.seed, self.quotas = seed, quotas(counts, balance)
        self.places = sum(self.quotas)
        self._orders = [ShuffledOrder(count, seed, f"class {label}") for label, count in enumerate(counts)]
        self._epoch = -1
        self._drawn: list[tuple[int, int]] = []

    def __getitem__(self, position: int) -> tuple[int, int]:
        """Return class and index at a position counted from the start of the run."""
        epoch, place = divmod(position, self.places)
        if epoch != self._epoch:
            self._drawn = self._draw(epoch)
            self._epoch = epoch
        return self._drawn[place]

    def _draw(self, epoch: int) -> list[tuple[int, int]]:
        classes = torch.repeat_interleave(torch.tensor(self.quotas))
        shuffled = classes[torch.randperm(self.places, generator=generator(self.seed, "order", "classes", epoch))]
        counters = [itertools.count(epoch * quota) for quota in self.quotas]
        return [(label, self._orders[label][next(counters[label])]) for label in shuffled.tolist()]


def quotas(counts: Sequence[int], balance: Balance) -> list[int]:
    """Return how often each class comes in an epoch with as many places as pictures: in proportion, at least once.

    Places that rounding leaves over go to the classes with the largest remainders.
    """
    shares = [math.sqrt(count) if balance == "sqrt" else 1.0 for count in counts]
    exact = [share * sum(counts) / sum(shares) for share in shares]
    whole = [max(1, math.floor(places)) for places in exact]
    by_remainder = sorted(range(len(counts)), key=lambda label: whole[label] - exact[label])
    for label in by_remainder[: max(0, sum(counts) - sum(whole))]:
        whole[label] += 1
    return whole


def positions(start: int, batch_size: int, rank: int = 0, world_size: int = 1) -> Iterator[range]:
    """Yield the positions of this device's share of each batch of `batch_size`, from position `start` on.

    Together the devices see what one device would see. Rank 0 has the first part of each batch.
    """
    share = batch_size // world_size
    for first in itertools.count(start, batch_size):
        yield range(first + rank * share, first + (rank + 1) * share)


def decoded_ahead(
    decode: Callable[[K], T],
    assemble: Callable[[Sequence[K], list[T]], R],
    batches: Iterable[Sequence[K]],
    workers: int,
    ahead: int = 3,
) -> Iterator[R]:
    """Yield each batch in order, decoded and assembled, while threads work on the next `ahead` batches.

    Threads are used instead of processes: Pillow and torch release Python's lock while they decode and resize, memory
    is shared, and signals reach one process only. Each thread computes on one core, because torch's own threads would
    compete. A batch is divided into one span per thread: one task per picture was 10 % slower.
    """
    pool = ThreadPoolExecutor(workers, "impasto-decode", initializer=torch.set_num_threads, initargs=(1,))
    waiting: deque[list[Future[R | None]]] = deque()
    try:
        for batch in batches:
            gathered = _Gathering(batch, decode, assemble)
            waiting.append([pool.submit(gathered.decode, span) for span in _spans(len(batch), workers)])
            if len(waiting) > ahead:
                yield _collected(waiting.popleft())
        while waiting:
            yield _collected(waiting.popleft())
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _spans(count: int, workers: int) -> list[range]:
    """Divide `count` places into at most `workers` spans of nearly equal length."""
    length = -(-count // workers)
    return [range(first, min(first + length, count)) for first in range(0, count, length)]


class _Gathering(Generic[K, T, R]):
    """A batch that is being decoded. The thread that decodes the last missing span assembles it."""

    def __init__(
        self, batch: Sequence[K], decode: Callable[[K], T], assemble: Callable[[Sequence[K], list[T]], R]
    ) -> None:
        self._batch, self._decode, self._assemble = batch, decode, assemble
        self._parts: dict[int, T] = {}
        self._lock = threading.Lock()

    def decode(self, span: range) -> R | None:
        """Decode some parts. Return the batch if they were the last, else None."""
        decoded = {place: self._decode(self._batch[place]) for place in span}
        with self._lock:
            self._parts |= decoded
            is_last = len(self._parts) == len(self._batch)
        return self._assemble(self._batch, [self._parts[p] for p in range(len(self._batch))]) if is_last else None


def _collected(spans: list[Future[R | None]]) -> R:
    """Return the assembled batch. Raises the exception of any span."""
    (batch,) = [found for span in spans if (found := span.result()) is not None]
    return batch
