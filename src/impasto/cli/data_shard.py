"""`impasto data shard`."""

from __future__ import annotations

from pathlib import Path

import typer

from impasto.cli.bars import counting_bar
from impasto.cli.console import complaints, console, escape
from impasto.curation.shards import write_shards
from impasto.data.layouts import read_collection


def shard_command(folder: Path, output: Path, megabytes: float) -> None:
    """Write a collection as shards and say how to learn from them."""
    collection = read_collection(folder)
    console.print(escape(collection.summary()))
    with counting_bar(console) as bar:
        task = bar.add_task("written", total=len(collection.items))
        try:
            shards = write_shards(
                collection,
                output,
                round(megabytes * 1e6),
                lambda done, total: bar.update(task, completed=done, total=total),
            )
        except KeyboardInterrupt:
            complaints.print("Stopped; the shards that are whole are kept, and the same command goes on with the rest.")
            raise typer.Exit(130) from None
    size = sum(shard.stat().st_size for shard in shards) / 1e6
    console.print(
        f"{len(shards)} shards, {size:,.0f} MB in {escape(str(output))}; learn from them with data.path={output}"
    )
