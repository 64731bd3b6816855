"""Three digests of a collection, so a resumed run notices that it changed and can say how."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from impasto.data.collection import Item
from impasto.data.pictures import DAMAGE, open_picture
from impasto.data.sources import excerpt, is_here
from impasto.errors import PictureError

THREADS = 8


class Fingerprint(NamedTuple):
    """Three digests of one collection, each a hexadecimal string."""

    pictures: int
    names: str
    labels: str
    """Digest of the splits and labels."""
    contents: str
    """Digest of the size in bytes and the first and last 4 KB of every picture."""

    def difference(self, now: Fingerprint) -> str | None:
        """Return how the collection `now` differs from this one, in words. None if it does not."""
        if now == self:
            return None
        if now.names != self.names:
            return f"pictures were added, removed or renamed ({self.pictures:,} then, {now.pictures:,} now)"
        if now.contents != self.contents:
            return "pictures of the same names have different contents"
        return "splits or labels changed"


def inspect(items: Sequence[Item], max_megapixels: float) -> Fingerprint:
    """Open the header of every picture and return the fingerprint of the collection.

    Raises PictureError for the first file that is not a picture or is too large.
    """

    def look(item: Item) -> bytes:
        parts = [item.picture] if item.partner is None else [item.picture, item.partner]
        for part in parts:
            if is_here(part):
                open_picture(part, max_megapixels).close()
        try:
            return hashlib.blake2b(b"".join(excerpt(part) for part in parts), digest_size=16).digest()
        except DAMAGE as error:
            raise PictureError(f"{item.picture} cannot be read ({error}); remove it or replace it") from error

    contents, names, labels = (hashlib.blake2b(digest_size=16) for _ in range(3))
    with ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="impasto-headers") as pool:
        for item, content in zip(items, pool.map(look, items), strict=True):
            contents.update(content)
            names.update(item.name.encode("utf-8", "surrogateescape") + b"\0")
            labels.update(repr((item.split, sorted(item.labels.items()))).encode("utf-8", "surrogateescape"))
    return Fingerprint(len(items), names.hexdigest(), labels.hexdigest(), contents.hexdigest())


def combined(*fingerprints: Fingerprint) -> Fingerprint:
    """Return the fingerprint of several collections together."""
    count = sum(fingerprint.pictures for fingerprint in fingerprints)
    digests = [
        hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()
        for parts in list(zip(*fingerprints, strict=True))[1:]
    ]
    return Fingerprint(count, *digests)
