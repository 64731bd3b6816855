"""From what a user names to the images that are judged: a folder, an archive, a run or a painter."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from impasto.data.batches import Images, Labels
from impasto.data.datasets import open_dataset
from impasto.errors import DataError, EvaluationError, PainterError
from impasto.evaluation.extractors import Extractor
from impasto.evaluation.images import Drawn, ImageSet, Painted, Pictures, open_pictures, some
from impasto.evaluation.statistics import Statistics, load_statistics
from impasto.method import Learner
from impasto.methods import METHODS
from impasto.painting.painters import LoadedPainter, find_painter, load_painter
from impasto.recipe import Recipe
from impasto.run_folder import WEIGHTS, RunFolder

IMAGES_DRAWN = 10_000
"""Of a painter that paints from noise, unless said. Spec 07, sample sizes."""


@dataclass(frozen=True)
class Wishes:
    """What a user may say of the images to be judged."""

    label: str | None = None
    """The attribute that is the class."""
    photos: str | None = None
    """What a painter of photos paints."""
    images: int | None = None
    """At most so many pictures, chosen at random; of a painter that paints from noise, just so many."""
    size: int | None = None
    """Short side of the photos, pixels; the scale at which the painter learned unless said."""
    seed: int = 0


def open_subject(what: str, wishes: Wishes, device: torch.device) -> ImageSet:
    """Return the images of a folder, an archive, a run or a painter.

    Raises DataError, PainterError or EvaluationError where there is no such thing, or photos are needed.
    """
    if is_painter(what):
        return painted(load_painter(what, device), what, wishes)
    pictures = open_pictures(what, wishes.label)
    return some(pictures, wishes.images, wishes.seed) if wishes.images else pictures


def is_painter(what: str) -> bool:
    """Whether this is a run, a checkpoint or the name of a painter, and not a collection."""
    path = Path(what)
    if path.exists():  # a folder of pictures may have a painter's name
        return RunFolder(path).exists() or (path / WEIGHTS).is_file()
    try:
        find_painter(what)
    except PainterError:
        return False
    return True


def painted(painter: LoadedPainter, what: str, wishes: Wishes) -> ImageSet:
    """Return what a painter makes: of photos, or from noise."""
    identity = f"{painter.name} {painter.fingerprint}"
    if painter.painter.prompt_type is Labels:
        count = wishes.images or IMAGES_DRAWN
        return Drawn(painter.painter, what, identity, painter.spec, count, wishes.seed)
    if painter.painter.prompt_type is not Images:
        raise EvaluationError(
            f"{what} paints neither from photos nor from noise alone, so that it cannot be judged yet"
        )
    pictures = open_pictures(wishes.photos, wishes.label) if wishes.photos else _own_photos(painter.recipe)
    if not pictures:
        raise EvaluationError(f"{what} paints from photos; say which with --photos DIR")
    chosen = some(pictures, wishes.images, wishes.seed) if wishes.images else pictures
    return Painted(painter.painter, what, identity, chosen, wishes.size or painter.recipe.data.short_side)


def open_reference(place: str, wishes: Wishes, extractor: Extractor | None) -> ImageSet | Statistics:
    """Return the images of a folder or archive, or the statistics of a safetensors file."""
    if place.endswith(".safetensors"):
        if extractor is None:
            raise EvaluationError(
                f"{place} holds statistics of features, and these metrics need none; say --against DIR"
            )
        return load_statistics(Path(place), extractor.about)
    return open_pictures(place, wishes.label)


def _own_photos(recipe: Recipe) -> Pictures | None:
    """Return the held-out photos of a run's own data, where they still are where its recipe says."""
    method = METHODS[recipe.method.name]
    if recipe.data.kind == "atelier" or not issubclass(method, Learner):
        return None  # what comes with impasto is seven photos, too few to judge by
    try:
        exhibits = open_dataset(recipe.data, method.batch_type).exhibits()
    except DataError:
        return None
    return Pictures("its photos", exhibits.photos)
