"""`impasto train`."""

from __future__ import annotations

from impasto.cli.options import AcceptChangedData, RecipeName, RunFolder, Settings


def train(
    recipe: RecipeName,
    overrides: Settings = None,
    run: RunFolder = None,
    accept_changed_data: AcceptChangedData = False,
) -> None:
    """Train RECIPE, or go on with its run.

    RECIPE is a name that `impasto list recipes` shows, or a YAML file. Any setting can be changed by its dotted path:

      impasto train cyclegan-atelier data.style=mosaic --run runs/mosaic

      impasto train cyclegan-landscape data.photos=my/photos data.paintings=my/monets training.images=50000

    Ctrl-C finishes the step and saves. The same command then goes on exactly where it stopped.
    """
    from impasto.cli.training import train_command

    train_command(recipe, overrides or [], run, accept_changed_data=accept_changed_data)
