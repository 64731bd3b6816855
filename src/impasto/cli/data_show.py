"""`impasto data show`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from impasto.cli.bars import histogram_lines
from impasto.cli.console import console, escape
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


def show_command(
    what: str,
    overrides: Sequence[str],
    image_size: int,
    label: str | None,
    layout: str | None,
    count: int,
    seed: int,
    output: Path,
) -> None:
    """Write a contact sheet of a folder's pictures, or of what a recipe's dataset gives, after transforms."""
    path = Path(what)
    is_recipe = path.suffix in (".yaml", ".yml") or (what in shipped_recipes() and not path.exists())
    shown = (
        _of_recipe(what, overrides, count, seed)
        if is_recipe
        else _of_collection(read_collection(path, layout), path, image_size, label, count, seed)
    )
    with replacing(output) as draft:
        contact_sheet(shown).save(draft, "PNG")
    console.print(f"{len(shown)} pictures as a model sees them: {escape(str(output))}")


def _of_collection(
    collection: Collection, path: Path, image_size: int, label: str | None, count: int, seed: int
) -> list[Shown]:
    console.print(escape(collection.summary()))
    if label is not None and label not in collection.attributes:
        raise DataError(f"--label: {path} has no {label!r}{did_you_mean(label, collection.attributes)}")
    attribute = label or next((known for known in ("class", "domain") if known in collection.attributes), None)
    for line in histogram_lines(collection.histogram(attribute)) if attribute else ():
        console.print(f"    {escape(line)}")
    for note in collection.notes:
        console.print(f"  [yellow]note:[/] {escape(note)}")
    return seen_of_collection(collection, DataOptions(kind="shown", image_size=image_size), count, seed, label)


def _of_recipe(name: str, overrides: Sequence[str], count: int, seed: int) -> list[Shown]:
    recipe = load_recipe(name, overrides)
    method = METHODS[recipe.method.name]
    assert issubclass(method, Learner)
    dataset = open_dataset(recipe.data, method.batch_type)
    console.print(escape(dataset.summary()))
    for line in histogram_lines(dataset.histogram()):
        console.print(f"    {escape(line)}")
    return seen_of_dataset(dataset, count, seed)
