"""Where the commands print: results to the one, complaints to the other."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

__all__ = ["complaints", "console", "escape"]

console = Console(highlight=False, soft_wrap=True)
complaints = Console(stderr=True, highlight=False, soft_wrap=True)
