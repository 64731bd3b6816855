"""The order of images, a function of (seed, position) so that a run can go on anywhere; and decoding ahead of need."""

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
"""How often a class is shown: as the root of its number of pictures, or all classes alike."""
K = TypeVar("K")
T = TypeVar("T")
R = TypeVar("R")


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
            self._order = self._permutation(epoch)
            self._epoch = epoch
        return self._order[place]

    def _permutation(self, epoch: int) -> list[int]:
        chance = generator(self.seed, "order", self.name, epoch)
        return torch.randperm(self.count, generator=chance).tolist()


class BalancedOrder:
    """An endless sequence of (class, index within the class), with each class as often as the balance says.

    Every epoch has as many places as there are pictures. A class's places are shuffled among the others'; its own
    pictures come in a shuffled order that goes on from epoch to epoch, so that all are shown before one is shown again.
    """

    def __init__(self, counts: Sequence[int], seed: int, balance: Balance) -> None:
        self.seed, self.quotas = seed, quotas(counts, balance)
        self.places = sum(self.quotas)
        self._orders = [ShuffledOrder(count, seed, f"class {label}") for label, count in enumerate(counts)]
        self._epoch = -1
        self._drawn: list[tuple[int, int]] = []

    def __getitem__(self, position: int) -> tuple[int, int]:
        """Return what is drawn at a position counted from the start of the run."""
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
    """Return how often each class comes in an epoch of as many places as pictures: at least once, and in proportion.

    The fractions that rounding leaves go to the classes that lost most (largest remainders).
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

    Together the devices see just what one device would: rank 0 the first part of each batch, and so on.
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
    """Yield each batch decoded part by part and assembled, in order, while threads work on the next `ahead` batches.

    Threads, not processes: Pillow and torch decode and resize without holding Python's lock, memory is shared, and
    signals reach one process only. Each computes alone: torch's own threads would only wait for one another. A batch
    is divided into as many spans as there are threads: handing over picture by picture cost a tenth of the rate.
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
    """A batch in the making: the thread that decodes the last missing span assembles it."""

    def __init__(
        self, batch: Sequence[K], decode: Callable[[K], T], assemble: Callable[[Sequence[K], list[T]], R]
    ) -> None:
        self._batch, self._decode, self._assemble = batch, decode, assemble
        self._parts: dict[int, T] = {}
        self._lock = threading.Lock()

    def decode(self, span: range) -> R | None:
        """Decode some parts; return the batch if they were the last, else nothing."""
        decoded = {place: self._decode(self._batch[place]) for place in span}
        with self._lock:
            self._parts |= decoded
            is_last = len(self._parts) == len(self._batch)
        return self._assemble(self._batch, [self._parts[p] for p in range(len(self._batch))]) if is_last else None


def _collected(spans: list[Future[R | None]]) -> R:
    """Return what the last span assembled; raise what any of them raised."""
    (batch,) = [found for span in spans if (found := span.result()) is not None]
    return batch
