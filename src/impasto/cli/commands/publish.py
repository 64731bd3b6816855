"""`impasto publish`: painters and their paintings for others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from impasto.cli import completion
from impasto.cli.help_text import LongHelp
from impasto.cli.options import DeviceName, Megapixels, OverwriteSwitch, PainterName, SeedNumber, output_file

publish = typer.Typer(
    name="publish",
    help="Publish a painter on the Hugging Face hub, or submit its paintings to Kaggle.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@publish.command(cls=LongHelp, no_args_is_help=True)
def hub(
    painter: PainterName,
    name: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="The model's name on the hub.")],
    private: Annotated[bool, typer.Option("--private", help="A new model is visible to its owner only.")] = False,
) -> None:
    """Publish a painter on the Hugging Face hub, with its card. Run `hf auth login` once before.

    Weights, recipe and card are uploaded. Of each path in the recipe, only the last part is published.

      impasto publish hub runs/monet ada/monet
    """
    from impasto.cli.publish_hub import hub_command

    hub_command(painter, name, private=private)


@publish.command(cls=LongHelp, no_args_is_help=True)
def kaggle(
    painter: Annotated[
        str | None,
        typer.Argument(
            metavar="PAINTER", help="A painter's name, or a run folder.", autocompletion=completion.painters
        ),
    ] = None,
    photos: Annotated[Path | None, typer.Option(metavar="DIR", help="Photos to paint, a folder or zip.")] = None,
    output: Annotated[Path | None, output_file("The submission, such as images.zip.")] = None,
    check: Annotated[Path | None, typer.Option(metavar="FILE", help="Only check this file.")] = None,
    overwrite: OverwriteSwitch = False,
    seed: SeedNumber = 0,
    device: DeviceName = "auto",
    max_megapixels: Megapixels = 200.0,
) -> None:
    """Write and check the file for Kaggle's contest "I'm Something of a Painter Myself".

    The contest takes 7,000 to 10,000 different paintings of 256 x 256 pixels, in a file named images.zip. The middle of
    each photo is painted. Exit code 1: the contest would refuse the file.

      impasto publish kaggle runs/monet --photos gan-getting-started/photo_jpg --output images.zip

      impasto publish kaggle --check images.zip
    """
    from impasto.cli.publish_kaggle import kaggle_command
    from impasto.evaluation.submission import SubmissionOptions

    settings = SubmissionOptions(seed, max_megapixels, overwrite=overwrite)
    kaggle_command(painter, photos, output, check, settings, device)
