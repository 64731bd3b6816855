"""Shards on a web server: downloaded whole when one of their pictures is needed, kept while there is room.

All processes of a machine share the downloaded shards.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from impasto.download import fetch
from impasto.files import default_cache, locked, make_folder

KEPT_SHARDS = 8
"""This many are kept whatever their size: those in use and those downloaded in advance."""
KEPT_BYTES = 20_000_000_000
"""Above this, downloaded shards are removed, the least recently used first."""


@dataclass(frozen=True, slots=True)
class RemoteShard:
    """A tar file on a web server."""

    url: str
    size: int
    """Bytes."""
    digest: str
    """`sha256:HEX`"""

    def __str__(self) -> str:
        return self.url

    @property
    def place(self) -> Path:
        """The file of the downloaded shard."""
        name = hashlib.blake2b(self.digest.encode(), digest_size=8).hexdigest()
        return default_cache() / "shards" / f"{name}-{Path(urlsplit(self.url).path).name}"

    def open(self, mode: str) -> IO[bytes]:
        """Open it for reading. Download it first if necessary.

        Raises OSError, or DataError if no server provides it.
        """
        assert mode == "rb"
        while True:
            self.fetch()
            with suppress(FileNotFoundError):  # another process removed it in between
                file = self.place.open("rb")
                os.utime(self.place)
                return file

    def fetch(self) -> None:
        """Download it if it is missing, and make room."""
        if self.place.is_file():
            return
        make_folder(self.place.parent)
        with locked(self.place.with_suffix(".lock")):
            if not self.place.is_file():
                fetch([self.url], self.place, size=self.size, digest=self.digest)
        make_room(self.place.parent, keep=self.place)


def make_room(folder: Path, keep: Path, kept_bytes: int = KEPT_BYTES) -> None:
    """Remove the least recently used shards until the rest fits. Shards in use are never removed."""
    shards = sorted(folder.glob("*.tar"), key=lambda shard: shard.stat().st_mtime_ns, reverse=True)
    total = 0
    for number, shard in enumerate(shards):
        total += shard.stat().st_size
        if total > kept_bytes and number >= KEPT_SHARDS and shard != keep:
            shard.unlink(missing_ok=True)
