"""`impasto data`: examine, fetch and prepare collections of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from impasto.cli import completion
from impasto.cli.commands.data_make import make
from impasto.cli.options import (
    LabelName,
    LayoutName,
    Megapixels,
    OverwriteSwitch,
    SeedNumber,
    Settings,
    output_file,
    output_folder,
)

data = typer.Typer(
    name="data",
    help="Examine, fetch and prepare collections of pictures.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

data.add_typer(make)

Collection = Annotated[Path, typer.Argument(metavar="DIR", help="A folder or zip of pictures, in any known layout.")]


@data.command(no_args_is_help=True)
def check(
    folder: Collection,
    output: Annotated[
        Path | None,
        output_file("The page of pictures in question. Default: NAME-check.html, replaced at each check."),
    ] = None,
    output_json: Annotated[Path | None, typer.Option(metavar="FILE", help="All findings, as JSON.")] = None,
    quarantine: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Move broken files and exact duplicates to this folder. Default: nothing is changed."
        ),
    ] = None,
    tiny: Annotated[int, typer.Option(min=1, help="Pictures with a shorter side below this are tiny, in pixels.")] = 64,
    max_megapixels: Megapixels = 200.0,
    overwrite: OverwriteSwitch = False,
) -> None:
    """Examine a collection: broken files, duplicates, odd pictures, labels. Exit code 1: a finding is grave."""
    from impasto.cli.data_check import CheckOptions, check_command
    from impasto.curation.doctor.diagnosis import Options

    options = CheckOptions(output, output_json, quarantine, overwrite)
    check_command(folder, options, Options(tiny=tiny, max_megapixels=max_megapixels))


@data.command(no_args_is_help=True)
def get(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A name that `impasto list data` shows, or OWNER/NAME on the Hugging Face hub.",
            autocompletion=completion.collections,
        ),
    ],
    output: Annotated[Path | None, output_folder("Folder of the collection. Default: datasets/NAME.")] = None,
    split: Annotated[str | None, typer.Option(help="Hub: only this split.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Hub: at most this many pictures of each split.")] = None,
    size: Annotated[
        int | None,
        typer.Option(metavar="PIXELS", min=16, help="Hub: short side to which pictures are shrunk."),
    ] = None,
    keep_archive: Annotated[bool, typer.Option("--keep-archive", help="Keep the downloaded archive.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Fetch a collection. Shows terms and size first. After an interruption, the same command goes on."""
    from impasto.cli.data_get import get_command

    get_command(name, output, split=split, limit=limit, size=size, keep_archive=keep_archive, yes=yes)


@data.command(no_args_is_help=True)
def show(
    recipe: Annotated[
        str,
        typer.Argument(metavar="DIR_OR_RECIPE", help="A collection, or a recipe.", autocompletion=completion.recipes),
    ],
    overrides: Settings = None,
    image_size: Annotated[int, typer.Option(min=16, help="Height and width of a crop, in pixels.")] = 128,
    label: LabelName = None,
    count: Annotated[int, typer.Option(min=1, max=2000, help="Pictures on the sheet.")] = 48,
    layout: LayoutName = None,
    seed: SeedNumber = 0,
    output: Annotated[Path, output_file("The sheet, a PNG.")] = Path("contact-sheet.png"),
    overwrite: OverwriteSwitch = False,
) -> None:
    """Draw a contact sheet of what a model will see: pictures resized, cropped and mirrored, with their labels."""
    from impasto.cli.data_show import ShowOptions, show_command

    show_command(recipe, overrides or [], ShowOptions(image_size, label, layout, count, seed, output, overwrite))


@data.command(no_args_is_help=True)
def shard(
    folder: Collection,
    positional: Annotated[Path | None, typer.Argument(hidden=True, metavar="OUTPUT")] = None,
    output: Annotated[Path | None, output_folder("New folder for the shards.")] = None,
    megabytes: Annotated[float, typer.Option(min=0.001, help="Size of a shard.")] = 256,
    layout: LayoutName = None,
) -> None:
    """Write a collection as few large files: for network drives, web servers and collections larger than a disk."""
    from impasto.cli.data_shard import shard_command
    from impasto.cli.outputs import chosen_output

    shard_command(folder, chosen_output(output, positional), megabytes, layout)
