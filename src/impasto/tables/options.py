"""The contents of a table file: runs, metrics, and the published values.

Published values are written as printed in the paper: top1 in percent, IS with its spread as [mean, spread].
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from impasto.recipe import About, Options
from impasto.validation import MustBe

Name = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100),
    MustBe("at most 100 letters, digits, '.', '_' and '-', the first a letter or digit"),
]
"""A folder's name."""


def _share(value: Any) -> Fraction:
    try:
        share = Fraction(str(value))
    except (ValueError, ZeroDivisionError) as error:
        raise ValueError(f"must be a share such as 5/8, not {value!r}") from error
    if not 0 < share <= 1:
        raise ValueError(f"must be a share above 0 and at most 1, not {value!r}")
    return share


def _as_printed(value: Any) -> Any:
    numbers = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
    right = all(isinstance(number, int | float) and math.isfinite(number) for number in numbers)
    if not right or not numbers or (isinstance(value, list | tuple) and len(value) != 2):
        raise ValueError(f"must be a number, [number, spread], or a number for each class, not {value!r}")
    return value


Share = Annotated[Fraction, BeforeValidator(_share)]
Published = Annotated[float | tuple[float, float] | dict[str, float], BeforeValidator(_as_printed)]
"""A value, a value with its spread, or the values of classes."""


class EvaluatorOptions(Options):
    """How all rows are evaluated."""

    metrics: tuple[str, ...] = Field(min_length=1)
    """Metrics, as for `impasto evaluate`."""
    images: int = Field(10_000, ge=2, le=1_000_000)
    """Images that each row paints: at most this many photos, or exactly this many from noise."""
    features: str = "inception-2015"
    """Features for distances: a name, or a classifier's run of this table."""
    classifier: str | None = None
    """Classifier for is and top1: a name, or a classifier's run of this table. Default: `features`."""
    weights: Path | None = None
    """File with the weights of the features. Default: found or downloaded."""
    seed: int = Field(0, ge=0)


class RunOptions(Options):
    """A run of the table. Its folder has its name."""

    recipe: str | None = None
    """A shipped recipe or a YAML file. Default: the shipped recipe with the run's name."""
    settings: tuple[str, ...] = ()
    """Changes to the recipe, such as `data.label=style`."""


class Moment(Options):
    """A run, or its painter after part of the training."""

    run: str
    after: Share | None = None
    """Share of the training after which the painter is shown, such as 5/8. Default: the end."""

    @property
    def part_way(self) -> bool:
        """Whether the painter must be kept before training ends."""
        return self.after is not None and self.after < 1


class RowOptions(Moment):
    """A row of the table."""

    name: str
    classifier: str | None = None
    """Classifier for is and top1 of this row. Default: the evaluator's."""
    published: Mapping[str, Published] = {}
    """Published values by metric."""
    published_images: int | None = Field(None, ge=1)
    """Training images that the published model has seen."""


class FigureOptions(Moment):
    """A figure of the table."""

    name: Name
    caption: str
    kind: Literal["mixing", "sweep", "gallery", "classes"]
    label: str | None = None
    """The class of a gallery. Other kinds show all classes."""
    count: int | None = Field(None, ge=1, le=1000)
    """Pictures of a gallery, pictures in each row of a sheet of classes, or rows of a sweep."""
    seed: int = Field(0, ge=0)


class Table(Options):
    """A published table, a set of figures, or both."""

    about: About
    source: str
    """The paper and its table or figures."""
    notes: tuple[str, ...] = ()
    """Facts that a reader needs for the comparison."""
    runs: dict[Name, Annotated[RunOptions, BeforeValidator(lambda value: {} if value is None else value)]]
    """Runs by name, in training order."""
    evaluator: EvaluatorOptions | None = None
    rows: tuple[RowOptions, ...] = ()
    class_counts: Mapping[str, int] = {}
    """Real pictures of each class in the published table."""
    figures: tuple[FigureOptions, ...] = ()

    def moments(self, run: str) -> set[Fraction]:
        """Return the shares of a run's training after which its painter is shown. The end is not included."""
        shown: list[Moment] = [*self.rows, *self.figures]
        return {moment.after for moment in shown if moment.run == run and moment.part_way and moment.after}
