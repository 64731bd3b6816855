"""FID of each class, and its correlation with the number of pictures: Datta and Cai, "GANtor Arts Center", table 2."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from statistics import correlation, fmean
from typing import NamedTuple

from impasto.errors import EvaluationError
from impasto.evaluation.frechet import Frechet, Moments, frechet_distance


class ClassDistance(NamedTuple):
    """One class."""

    distance: Frechet
    real: int
    """How many real images there were."""
    generated: int


@dataclass(frozen=True)
class ClassDistances:
    """The distances of all classes."""

    classes: Mapping[str, ClassDistance]
    mean: float
    """Mean over classes, with equal weights."""
    correlation: float | None
    """Pearson's, of distance with the logarithm of the real images' number; None where either is the same in all."""


def fid_by_class(real: Mapping[str, Moments], generated: Mapping[str, Moments]) -> ClassDistances:
    """Return the Fréchet distance of each class between all its real images and those generated with its label.

    Raises EvaluationError where the classes' names differ or a class has fewer than 2 images.
    """
    check_same_classes(real, generated)
    for side, moments in (("real", real), ("generated", generated)):
        for name, of_class in moments.items():
            if of_class.count < 2:
                raise EvaluationError(
                    f"class {name} has {of_class.count} {side} images, and at least 2 are needed; "
                    "add some or leave the class out"
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
    """Raise EvaluationError, naming those at fault, unless both sides have the same class names, and any."""
    if not real and not generated:
        raise EvaluationError("there are no classes; give a collection with a folder for each class")
    parts = [
        f"{side} images alone have {', '.join(sorted(set(one) - set(other)))}"
        for side, one, other in (("real", real, generated), ("generated", generated, real))
        if set(one) - set(other)
    ]
    if parts:
        raise EvaluationError(f"the classes do not match: {'; '.join(parts)}; rename or leave out those")
