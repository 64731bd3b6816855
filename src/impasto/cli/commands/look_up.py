"""`impasto list` and `impasto about`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from impasto.cli import completion


def list_(
    kind: Annotated[
        Literal["recipes", "painters", "tables", "data"] | None,
        typer.Argument(metavar="recipes|painters|tables|data", help="What to list. Default: recipes and painters."),
    ] = None,
) -> None:
    """List what can be trained, painted with, reproduced or downloaded."""
    from impasto.cli.listing import list_command

    list_command(kind)


def about(
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT", help="A painting, painter, run, recipe or table.", autocompletion=completion.things
        ),
    ],
    kind: Annotated[
        Literal["painting", "painter", "recipe", "table"] | None,
        typer.Option(help="What WHAT is, if a recipe has the name of a painter. Default: a painter, if there is one."),
    ] = None,
) -> None:
    """Print how a painting was made, the card of a painter, or the YAML of a recipe or table."""
    from impasto.cli.about import about_command

    about_command(what, kind)
