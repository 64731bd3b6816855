"""How help is shown: commands in the order in which they are needed, paragraphs that fill the terminal's width."""

from __future__ import annotations

import inspect
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

ORDER = (
    "demo", "list", "about", "data", "train", "paint", "figure", "evaluate", "compare", "quiz", "table",
    "export", "publish",
)  # fmt: skip
"""Order of the commands; typer alone would list groups first."""


class OrderedGroup(TyperGroup):
    """The top group, with its commands in order."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Return the names in order; the hidden ones come last."""
        return sorted(super().list_commands(ctx), key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


class LongHelp(TyperCommand):
    """A command with paragraphs of help, which typer would break where the source code breaks its lines."""

    def __init__(self, *arguments: Any, help: str | None = None, **others: Any) -> None:  # noqa: A002
        super().__init__(*arguments, help=None if help is None else flowing(help), **others)


def flowing(text: str) -> str:
    """Return text with each paragraph on one line. Examples are paragraphs of one indented line; they stay so."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(part if part.startswith(" ") else " ".join(part.split()) for part in paragraphs)
