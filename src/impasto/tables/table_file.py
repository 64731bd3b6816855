"""What a table file is: the runs of a published table, what is measured of them, and what the paper says.

Published figures stand in the file as they are printed: top1 in percent, IS with its spread as [mean, spread].
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from impasto.errors import RecipeError, did_you_mean
from impasto.evaluation.measures import METRICS
from impasto.recipe import About, Options
from impasto.recipe_files import read_shipped_table, shipped_tables

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
"""A folder's name."""


def _share(value: Any) -> Fraction:
    try:
        share = Fraction(str(value))
    except (ValueError, ZeroDivisionError) as error:
        raise ValueError(f"must be a share such as 5/8, not {value!r}") from error
    if not 0 < share <= 1:
        raise ValueError(f"must be a share above 0 and at most 1, not {value!r}")
    return share


Share = Annotated[Fraction, BeforeValidator(_share)]
Published = float | tuple[float, float] | dict[str, float]
"""A value, a value with its spread, or the values of classes."""


class JudgeOptions(Options):
    """How all rows are measured."""

    metrics: tuple[str, ...] = Field(min_length=1)
    """As for `impasto evaluate`."""
    images: int = Field(10_000, ge=2, le=1_000_000)
    """Painted by each row, at most so many photos, or just so many from noise."""
    features: str = "inception-2015"
    """Of distances: features by name, or a run of this table that is a classifier."""
    classifier: str | None = None
    """Of is and top1: likewise; the features unless said."""
    weights: Path | None = None
    """The features' file of weights; found or fetched unless said."""
    seed: int = Field(0, ge=0)


class RunOptions(Options):
    """A run that rows are made from; its folder bears its name."""

    recipe: str | None = None
    """A shipped recipe or a YAML file; the one of the run's name unless said."""
    settings: tuple[str, ...] = ()
    """What is changed of the recipe, such as `data.label=style`."""


class Moment(Options):
    """A run, or its painter as it was part of the way."""

    run: str
    after: Share | None = None
    """The share of its training after which the painter is looked at, such as 5/8; at the end unless said."""

    @property
    def part_way(self) -> bool:
        """Whether the painter must be kept before training ends."""
        return self.after is not None and self.after < 1


class RowOptions(Moment):
    """A row of the table."""

    name: str
    classifier: str | None = None
    """Of is and top1, where this row has another than the judge's."""
    published: Mapping[str, Published] = {}
    """By metric."""
    published_images: int | None = Field(None, ge=1)
    """Images that the published model had seen."""


class FigureOptions(Moment):
    """A picture that belongs to the table."""

    name: Name
    caption: str
    kind: Literal["mixing", "sweep", "gallery", "classes"]
    label: str | None = None
    """The class of a gallery."""
    count: int | None = Field(None, ge=1, le=1000)
    """Pictures of a gallery or in each row of a sheet of classes; rows of a sweep."""
    seed: int = Field(0, ge=0)


class Table(Options):
    """A published table, a set of figures, or both."""

    about: About
    source: str
    """The paper, and its table or figures."""
    notes: tuple[str, ...] = ()
    """What a reader must know to compare."""
    runs: dict[Name, Annotated[RunOptions, BeforeValidator(lambda value: {} if value is None else value)]]
    """In the order in which they are trained."""
    judge: JudgeOptions | None = None
    rows: tuple[RowOptions, ...] = ()
    class_counts: Mapping[str, int] = {}
    """Real pictures of each class in the published table."""
    figures: tuple[FigureOptions, ...] = ()

    def moments(self, run: str) -> set[Fraction]:
        """Return the shares of a run's training after which its painter is shown, the end left out."""
        shown: list[Moment] = [*self.rows, *self.figures]
        return {moment.after for moment in shown if moment.run == run and moment.part_way and moment.after}


def load_table(source: str, overrides: Sequence[str] = ()) -> Table:
    """Return a table that comes with impasto by name, or one from a YAML file, with what the command line changes.

    An override is `PATH=VALUE` for every run, `RUN:PATH=VALUE` for one or, with `*`, for several, or
    `judge.PATH=VALUE`. What it says of a recipe is checked when the recipe is loaded.

    Raises RecipeError that tells every mistake.
    """
    tree = _tree(source)
    for override in overrides:
        _apply(tree, source, override)
    try:
        table = Table.model_validate(tree)
    except ValidationError as error:
        raise RecipeError(source, [_told(detail) for detail in error.errors()]) from error
    if problems := list(_contradictions(table)):
        raise RecipeError(source, problems)
    return table


def _tree(source: str) -> dict[str, Any]:
    """Return a table's file as YAML spells it; raise RecipeError where it cannot be read."""
    path = Path(source)
    is_file = path.suffix in (".yaml", ".yml") or (source not in shipped_tables() and path.is_file())
    try:
        text = path.read_text(encoding="utf-8") if is_file else read_shipped_table(source)
        tree = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(source, [f"cannot be read as a table ({error}); check the path"]) from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: 2024-13-45 looks like a date
        raise RecipeError(source, [f"is not YAML ({' '.join(str(error).split())}); mend that line"]) from error
    if not isinstance(tree, dict):
        raise RecipeError(source, ["is not a table; it needs the blocks about, source and runs"])
    return tree


def _apply(tree: dict[str, Any], source: str, override: str) -> None:
    """Set a field of the judge, or add the override to the settings of the runs it is meant for."""
    path, equals, text = override.partition("=")
    if not equals or not path:
        raise RecipeError(source, [f"{override!r} is not an override; write it as a.dotted.path=value"])
    if path.startswith("judge.") and isinstance(judge := tree.get("judge"), dict):
        judge[path.removeprefix("judge.")] = _value(text)
        return
    wanted, _, setting = path.rpartition(":")
    runs = tree.get("runs")
    names = [name for name in runs if isinstance(name, str)] if isinstance(runs, dict) else []
    chosen = [name for name in names if fnmatchcase(name, wanted or "*")]
    if names and not chosen:
        raise RecipeError(source, [f"{override}: there is no run {wanted}{did_you_mean(wanted, names)}"])
    for name in chosen:
        run = tree["runs"][name] or {}
        if isinstance(run, dict):
            tree["runs"][name] = {**run, "settings": [*(run.get("settings") or ()), f"{setting}={text}"]}


def _value(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return text  # a path such as [x] is text after all


def _told(detail: ErrorDetails) -> str:
    """Return one validation error as a sentence that starts with its dotted path."""
    path = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        known = Table.model_fields if len(detail["loc"]) == 1 else ()
        return f"{path}: not an option of a table{did_you_mean(path, known)}"
    if detail["type"] == "missing":
        return f"{path}: missing; add it"
    if detail["type"] == "value_error":
        return f"{path}: {detail['ctx']['error']}"
    reason = detail["msg"].removeprefix("Input ").replace("should", "must", 1)
    return f"{path}: {reason}, not {detail['input']!r}"


def _contradictions(table: Table) -> Iterator[str]:
    """Yield what parts of a table do not agree on."""
    shown: list[tuple[str, RowOptions | FigureOptions]] = [
        *((f"rows.{place}", row) for place, row in enumerate(table.rows)),
        *((f"figures.{place}", figure) for place, figure in enumerate(table.figures)),
    ]
    if not shown:
        yield "rows: there are neither rows nor figures; add some"
    for place, moment in shown:
        if moment.run not in table.runs:
            yield f"{place}.run: there is no run {moment.run}{did_you_mean(moment.run, table.runs)}"
    for names, what in ((table.rows, "rows"), (table.figures, "figures")):
        if len({each.name for each in names}) < len(names):
            yield f"{what}: two have the same name; rename one"
    yield from _judged(table)


def _judged(table: Table) -> Iterator[str]:
    """Yield which metrics there are not, or that nobody was asked to measure the rows."""
    if table.judge is None:
        if table.rows:
            yield "judge: missing; say judge: {metrics: [...]}, or leave the rows out"
        return
    named = {"judge.metrics": table.judge.metrics}
    named |= {f"rows.{place}.published": tuple(row.published) for place, row in enumerate(table.rows)}
    for place, metrics in named.items():
        for metric in metrics:
            if metric not in METRICS:
                yield f"{place}: there is no metric {metric}{did_you_mean(metric, METRICS)}"
