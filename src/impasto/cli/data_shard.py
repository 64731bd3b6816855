"""`impasto data shard`."""

from __future__ import annotations

from pathlib import Path

from impasto.cli.bars import counted
from impasto.cli.console import console, escape
from impasto.curation.shards import write_shards
from impasto.data.layouts import read_collection


def shard_command(folder: Path, output: Path, megabytes: float, layout: str | None) -> None:
    """Write a collection as shards and print how to train on them."""
    collection = read_collection(folder, layout)
    console.print(escape(collection.summary()))
    with counted("written", "complete shards are kept") as progress:
        shards = write_shards(collection, output, round(megabytes * 1e6), progress)
    size = sum(shard.stat().st_size for shard in shards) / 1e6
    console.print(
        f"{len(shards)} shards, {size:,.0f} MB in {escape(str(output))}; train on them with data.path={output}"
    )
