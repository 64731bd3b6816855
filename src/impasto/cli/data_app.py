"""`impasto data`: looking at, fetching and preparing collections. Bodies import what they need, as in app.py."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from impasto.cli.data_make_app import make

data = typer.Typer(
    name="data",
    help="Look at, fetch and prepare collections of pictures.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

data.add_typer(make)

Collection = Annotated[Path, typer.Argument(metavar="DIR", help="A folder or zip of pictures, in any known layout.")]
LayoutName = Annotated[str | None, typer.Option("--layout", help="How the pictures lie; recognised unless said.")]


@data.command(no_args_is_help=True)
def check(
    folder: Collection,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write all findings there.")] = None,
    page: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The page of pictures in question; NAME-check.html unless said.")
    ] = None,
    quarantine: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Move broken files and exact duplicates there; else nothing is changed."),
    ] = None,
    tiny: Annotated[int, typer.Option(min=1, help="Shorter sides below this are called tiny, in pixels.")] = 64,
    max_megapixels: Annotated[float, typer.Option(min=0.01, help="Larger pictures are told, not decoded.")] = 200.0,
) -> None:
    """Examine a collection: broken files, duplicates, odd pictures, labels. Leaves with 1 where something is grave."""
    from impasto.cli.data_check import check_command
    from impasto.curation.doctor.diagnosis import Options

    options = Options(tiny=tiny, max_megapixels=max_megapixels)
    check_command(folder, json_file=json_file, page=page, quarantine_folder=quarantine, options=options)


@data.command("list")
def list_() -> None:
    """List what can be fetched by name, with layout, size and licence."""
    from impasto.cli.data_get import list_command

    list_command()


@data.command(no_args_is_help=True)
def get(
    name: Annotated[str, typer.Argument(metavar="NAME", help="From `impasto data list`, or OWNER/NAME on the hub.")],
    into: Annotated[Path | None, typer.Option(metavar="DIR", help="Where it goes; datasets/NAME unless said.")] = None,
    split: Annotated[str | None, typer.Option(help="Hub: this split only.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Hub: at most so many pictures of each split.")] = None,
    short_side: Annotated[
        int | None, typer.Option(min=16, help="Hub: shrink pictures to this short side, in pixels, while saving.")
    ] = None,
    keep_archive: Annotated[bool, typer.Option("--keep-archive", help="Keep what was downloaded.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Fetch a collection: terms and size first, then with progress; after a cut the same command goes on."""
    from impasto.cli.data_get import get_command

    get_command(name, into, split=split, limit=limit, short_side=short_side, keep_archive=keep_archive, yes=yes)


@data.command(no_args_is_help=True)
def show(
    what: Annotated[str, typer.Argument(metavar="DIR_OR_RECIPE", help="A collection, or a recipe with its settings.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH=VALUE]...", help="A recipe's settings to change.")
    ] = None,
    image_size: Annotated[int, typer.Option(min=16, help="Height and width of a crop, in pixels.")] = 128,
    label: Annotated[str | None, typer.Option(help="The label to write below; the class unless said.")] = None,
    count: Annotated[int, typer.Option(min=1, max=2000, help="Pictures on the sheet.")] = 48,
    layout: LayoutName = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    output: Annotated[Path, typer.Option(metavar="FILE", help="The sheet, a PNG.")] = Path("contact-sheet.png"),
) -> None:
    """Write a contact sheet of what a model will see: after resizing, cropping and mirroring, with labels."""
    from impasto.cli.data_show import show_command

    show_command(what, overrides or [], image_size, label, layout, count, seed, output)


@data.command(no_args_is_help=True)
def shard(
    folder: Collection,
    output: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder for the shards.")],
    megabytes: Annotated[float, typer.Option(min=0.001, help="Size of a shard.")] = 256,
    layout: LayoutName = None,
) -> None:
    """Write a collection as few large files, for network drives, web servers and collections larger than a disk."""
    from impasto.cli.data_shard import shard_command

    shard_command(folder, output, megabytes, layout)
