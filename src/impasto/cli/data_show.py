"""`impasto data show`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from impasto.cli.bars import histogram_lines
from impasto.cli.console import console, escape
from impasto.cli.outputs import check_new
from impasto.curation.show import Shown, contact_sheet, seen_of_collection, seen_of_dataset
from impasto.data.collection import Collection
from impasto.data.dataset import DataOptions
from impasto.data.datasets import open_dataset
from impasto.data.layouts import read_collection
from impasto.errors import DataError, did_you_mean
from impasto.files import replacing
from impasto.method import Learner
from impasto.methods import METHODS
from impasto.recipe import load_recipe
from impasto.recipe_files import shipped_recipes


@dataclass(frozen=True)
class ShowOptions:
    """Options of `impasto data show`."""

    image_size: int
    label: str | None
    layout: str | None
    count: int
    seed: int
    output: Path
    overwrite: bool


def show_command(what: str, overrides: Sequence[str], options: ShowOptions) -> None:
    """Write a contact sheet of a folder's pictures, or of a recipe's dataset, after transforms."""
    check_new(options.output, overwrite=options.overwrite)
    path = Path(what)
    is_recipe = path.suffix in (".yaml", ".yml") or (what in shipped_recipes() and not path.exists())
    shown = (
        _of_recipe(what, overrides, options)
        if is_recipe
        else _of_collection(read_collection(path, options.layout), path, options)
    )
    with replacing(options.output) as draft:
        contact_sheet(shown).save(draft, "PNG")
    console.print(f"{len(shown)} pictures as a model sees them: {escape(str(options.output))}")


def _of_collection(collection: Collection, path: Path, options: ShowOptions) -> list[Shown]:
    label = options.label
    console.print(escape(collection.summary()))
    if label is not None and label not in collection.attributes:
        raise DataError(f"--label: {path} has no {label!r}{did_you_mean(label, collection.attributes)}")
    attribute = label or next((known for known in ("class", "domain") if known in collection.attributes), None)
    for line in histogram_lines(collection.histogram(attribute)) if attribute else ():
        console.print(f"    {escape(line)}")
    for note in collection.notes:
        console.print(f"  [yellow]note:[/] {escape(note)}")
    crops = DataOptions(kind="shown", image_size=options.image_size)
    return seen_of_collection(collection, crops, options.count, options.seed, label)


def _of_recipe(name: str, overrides: Sequence[str], options: ShowOptions) -> list[Shown]:
    recipe = load_recipe(name, overrides)
    method = METHODS[recipe.method.name]
    assert issubclass(method, Learner)
    dataset = open_dataset(recipe.data, method.batch_type)
    console.print(escape(dataset.summary()))
    for line in histogram_lines(dataset.histogram()):
        console.print(f"    {escape(line)}")
    return seen_of_dataset(dataset, options.count, options.seed)
