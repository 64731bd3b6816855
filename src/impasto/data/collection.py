"""What a collection of pictures is, whatever its layout: items with a split and labels."""

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
    """Its place in the collection, with / between folders; the same on every machine."""
    split: Split = "train"
    labels: Mapping[str, str] = {}
    """Attribute to value, such as style to ukiyo_e; an attribute that is not known of this picture is left out."""
    partner: Source | None = None
    """The other picture of a pair: B, where `picture` is A."""


@dataclass(frozen=True)
class Collection:
    """What was found in a folder or archive."""

    root: Path | str
    """A folder, an archive or an address."""
    layout: str
    """A key of LAYOUTS."""
    items: Sequence[Item]
    notes: Sequence[str] = field(default=())
    """What its owner should know, one sentence each."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that at least one picture has, in the order found."""
        return tuple(dict.fromkeys(attribute for item in self.items for attribute in item.labels))

    def of(self, split: Split) -> tuple[Item, ...]:
        """Return the items of one split."""
        return tuple(item for item in self.items if item.split == split)

    def histogram(self, attribute: str) -> Counter[str]:
        """Count the items of each value of an attribute; those without it are left out."""
        return Counter(item.labels[attribute] for item in self.items if attribute in item.labels)

    def summary(self) -> str:
        """Say in one line what was found."""
        train, test = len(self.of("train")), len(self.of("test"))
        said = f"{train + test:,} pictures as {self.layout}: {train:,} to learn from, {test:,} held out"
        return f"{said}; labels: {', '.join(self.attributes)}" if self.attributes else said
