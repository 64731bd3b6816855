"""A collection of pictures in any layout: items with a split and labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from impasto.data.sources import Source

Split = Literal["train", "test"]


class Item(NamedTuple):
    """One picture, or one pair."""

    picture: Source
    name: str
    """Its path in the collection, with / between folders. It is the same on every machine."""
    split: Split = "train"
    labels: Mapping[str, str] = {}
    """Attribute to value, such as style to ukiyo_e. Unknown attributes are left out."""
    partner: Source | None = None
    """The other picture of a pair: B if `picture` is A."""


@dataclass(frozen=True)
class Collection:
    """The pictures of a folder or archive."""

    root: Path | str
    """A folder, an archive or a URL."""
    layout: str
    """A key of LAYOUTS."""
    items: Sequence[Item]
    notes: Sequence[str] = field(default=())
    """Notes for the user, one sentence each."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that at least one picture has, in order of appearance."""
        return tuple(dict.fromkeys(attribute for item in self.items for attribute in item.labels))

    def of(self, split: Split) -> tuple[Item, ...]:
        """Return the items of one split."""
        return tuple(item for item in self.items if item.split == split)

    def histogram(self, attribute: str) -> Counter[str]:
        """Count the items of each value of an attribute. Items without it are left out."""
        return Counter(item.labels[attribute] for item in self.items if attribute in item.labels)

    def summary(self) -> str:
        """Return one line with the number of pictures and the labels."""
        train, test = len(self.of("train")), len(self.of("test"))
        said = f"{train + test:,} pictures as {self.layout}: {train:,} to learn from, {test:,} held out"
        return f"{said}; labels: {', '.join(self.attributes)}" if self.attributes else said
