"""FID of each class, their mean, and the correlation with class size (docs/methods/evaluation.md)."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from statistics import correlation, fmean
from typing import NamedTuple

from impasto.errors import EvaluationError
from impasto.evaluation.frechet import Frechet, Moments, frechet_distance


class ClassDistance(NamedTuple):
    """The distance of one class."""

    distance: Frechet
    real: int
    """Number of real images."""
    generated: int
    """Number of generated images."""


@dataclass(frozen=True)
class ClassDistances:
    """The distances of all classes."""

    classes: Mapping[str, ClassDistance]
    mean: float
    """Mean over classes. Each class has the same weight."""
    correlation: float | None
    """Pearson correlation of the distance and the log of the number of real images. None if either is constant."""


def fid_by_class(real: Mapping[str, Moments], generated: Mapping[str, Moments]) -> ClassDistances:
    """Return the Fréchet distance of each class, between its real and its generated images.

    Raises EvaluationError if the class names differ or a class has fewer than 2 images.
    """
    check_same_classes(real, generated)
    for side, moments in (("real", real), ("generated", generated)):
        for name, of_class in moments.items():
            if of_class.count < 2:
                raise EvaluationError(
                    f"class {name} has {of_class.count} {side} images, but at least 2 are needed; "
                    "add images or remove the class"
                )
    classes = {
        name: ClassDistance(frechet_distance(real[name], generated[name]), real[name].count, generated[name].count)
        for name in real
    }
    distances = [of_class.distance.value for of_class in classes.values()]
    counts = [math.log(of_class.real) for of_class in classes.values()]
    varied = len(set(distances)) > 1 and len(set(counts)) > 1
    return ClassDistances(classes, fmean(distances), correlation(distances, counts) if varied else None)


def check_same_classes(real: Collection[str], generated: Collection[str]) -> None:
    """Raise EvaluationError if there are no classes, or if a class is missing on one side."""
    if not real and not generated:
        raise EvaluationError("there are no classes; use a collection with a folder for each class")
    parts = [
        f"only the {side} images have {', '.join(sorted(set(one) - set(other)))}"
        for side, one, other in (("real", real, generated), ("generated", generated, real))
        if set(one) - set(other)
    ]
    if parts:
        raise EvaluationError(f"the classes do not match: {'; '.join(parts)}; rename or remove these classes")
