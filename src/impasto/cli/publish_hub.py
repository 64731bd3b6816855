"""`impasto publish hub`."""

from __future__ import annotations

from impasto.cli.console import console, escape
from impasto.painting.painters import find_painter, load_painter
from impasto.painting.publish import push_painter


def hub_command(painter: str, name: str, *, private: bool) -> None:
    """Publish a painter and print its address."""
    address = push_painter(load_painter(painter), find_painter(painter), name, private=private)
    console.print(f"published: {escape(address)}")
