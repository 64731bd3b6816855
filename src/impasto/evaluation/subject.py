"""Opens the images to evaluate: of a folder, an archive, a run or a painter."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from impasto.data.datasets import open_dataset
from impasto.data.prompts import PhotoPrompt
from impasto.errors import DataError, EvaluationError, PainterError
from impasto.evaluation.extractors import Extractor
from impasto.evaluation.images import ImageSet, Pictures, open_pictures, painted_set, some
from impasto.evaluation.statistics import Statistics, load_statistics
from impasto.method import Learner
from impasto.methods import METHODS
from impasto.painting.painters import LoadedPainter, find_painter, load_painter
from impasto.recipe import PainterRecipe, Recipe
from impasto.run_folder import WEIGHTS, RunFolder

IMAGES_DRAWN = 10_000
"""Default number of images of a painter that paints from noise (docs/methods/evaluation.md)."""


@dataclass(frozen=True)
class SubjectOptions:
    """Which images to evaluate."""

    label: str | None = None
    """The label that is the class."""
    photos: str | None = None
    """The photos that a painter of photos paints."""
    images: int | None = None
    """At most this many pictures, chosen at random. A painter that paints from noise makes exactly this many."""
    size: int | None = None
    """Short side of the photos, in pixels. Default: the scale at which the painter learned."""
    seed: int = 0


def open_subject(what: str, options: SubjectOptions, device: torch.device) -> ImageSet:
    """Return the images of a folder, an archive, a run or a painter.

    Raises DataError, PainterError or EvaluationError if there are no such images, or if photos are missing.
    """
    if is_painter(what):
        return painted(load_painter(what, device), what, options)
    pictures = open_pictures(what, options.label)
    return some(pictures, options.images, options.seed) if options.images else pictures


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


def painted(painter: LoadedPainter, what: str, options: SubjectOptions) -> ImageSet:
    """Return the images that a painter makes from photos or from noise."""
    photos = None
    if painter.painter.prompt_type is PhotoPrompt:
        photos = open_pictures(options.photos, options.label) if options.photos else _own_photos(painter.recipe)
        photos = some(photos, options.images, options.seed) if photos and options.images else photos
    return painted_set(
        painter.painter,
        painter.options,
        what,
        f"{painter.name} {painter.fingerprint}",
        painter.spec,
        photos=photos,
        short_side=options.size or painter.short_side,
        count=options.images or IMAGES_DRAWN,
        seed=options.seed,
    )


def open_reference(place: str, options: SubjectOptions, extractor: Extractor | None) -> ImageSet | Statistics:
    """Return the images of a folder or archive, or the statistics of a safetensors file."""
    if place.endswith(".safetensors"):
        if extractor is None:
            raise EvaluationError(
                f"{place} holds statistics of features, and these metrics use none; use --against DIR"
            )
        return load_statistics(Path(place), extractor.about)
    return open_pictures(place, options.label)


def _own_photos(recipe: PainterRecipe) -> Pictures | None:
    """Return the held-out photos of a run's own data. None if they are not at the path of its recipe."""
    method = METHODS[recipe.method.name]
    if not isinstance(recipe, Recipe) or recipe.data.kind == "atelier" or not issubclass(method, Learner):
        return None  # impasto itself has only seven photos, too few to evaluate with
    try:
        given = open_dataset(recipe.data, method.batch_type).evaluation_pictures()
    except DataError:
        return None
    return Pictures("its photos", given.photos)
