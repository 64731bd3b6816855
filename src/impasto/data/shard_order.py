"""An order of pictures for shards. It draws from a few shards at a time, so a collection can be larger than the disk.

The order is still a function of seed and position.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

import torch

from impasto.chance import generator
from impasto.data.collection import Item
from impasto.data.remote import KEPT_SHARDS, RemoteShard
from impasto.data.sources import Packed
from impasto.data.stream import ShuffledOrder
from impasto.errors import DataError, ImpastoError

SHARDS_AT_ONCE = KEPT_SHARDS // 2
"""Number of shards whose pictures are shuffled together. As many are downloaded in advance."""


def is_remote(items: Sequence[Item]) -> bool:
    """Return whether the pictures are in shards on a server."""
    return bool(items) and _shard(items[0]) is not None


def _shard(item: Item) -> RemoteShard | None:
    picture = item.picture
    return picture.file if isinstance(picture, Packed) and isinstance(picture.file, RemoteShard) else None


class ShardOrder(ShuffledOrder):
    """Each epoch visits the shards in a new order and draws at random from a few at a time."""

    def __init__(self, items: Sequence[Item], seed: int, name: str) -> None:
        super().__init__(len(items), seed, name)
        groups = itertools.groupby(range(len(items)), key=lambda index: _shard(items[index]))
        self._shards = [list(indices) for _, indices in groups]

    def _permutation(self, epoch: int) -> list[int]:
        chance = generator(self.seed, "order", self.name, epoch)
        shards = torch.randperm(len(self._shards), generator=chance).tolist()
        order: list[int] = []
        for first in range(0, len(shards), SHARDS_AT_ONCE):
            together = [index for shard in shards[first : first + SHARDS_AT_ONCE] for index in self._shards[shard]]
            order += [together[place] for place in torch.randperm(len(together), generator=chance).tolist()]
        return order

    @property
    def usual_group(self) -> int:
        """Number of pictures in SHARDS_AT_ONCE shards."""
        return SHARDS_AT_ONCE * -(-self.count // len(self._shards))


class FetchedAhead:
    """The same order. A thread downloads the next few shards while pictures are drawn from the current ones."""

    def __init__(self, items: Sequence[Item], seed: int, name: str) -> None:
        self._items = items
        self._order, self._ahead = ShardOrder(items, seed, name), ShardOrder(items, seed, name)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="impasto-shards")
        self._asked: dict[RemoteShard, Future[None]] = {}

    def __getitem__(self, position: int) -> int:
        """Return the index of the picture at a position counted from the start of the run."""
        shard = _shard(self._items[self._ahead[position + self._ahead.usual_group]])
        assert shard is not None
        asked = self._asked.get(shard)
        if asked is None or (asked.done() and not shard.place.is_file()):
            self._asked[shard] = self._pool.submit(_try_to_fetch, shard)
        return self._order[position]


def _try_to_fetch(shard: RemoteShard) -> None:
    with suppress(ImpastoError):  # the reader of the shard will try again and report the error
        shard.fetch()


def order_of(items: Sequence[Item], seed: int, name: str) -> ShuffledOrder | FetchedAhead:
    """Return a shuffled order of pictures, by shards if they are on a server."""
    return FetchedAhead(items, seed, name) if is_remote(items) else ShuffledOrder(len(items), seed, name)


def refuse_balance(items: Sequence[Item], path: object) -> None:
    """Raise DataError if pictures come shard by shard: their classes cannot be balanced."""
    if is_remote(items):
        raise DataError(
            f"data.balance: the pictures of {path} come shard by shard, so classes cannot be balanced; use none, or "
            "copy the shards to this machine"
        )
