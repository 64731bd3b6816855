"""Checks a table before training, because a mistake could otherwise appear hours later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from impasto.data.batches import ImageSpec
from impasto.data.datasets import open_dataset
from impasto.engine.start import rehearse
from impasto.errors import PainterError, RecipeError, naming
from impasto.method import Learner
from impasto.methods import METHODS
from impasto.painter import Classifier, LatentPainter, Painter
from impasto.painting.class_requests import find_class
from impasto.painting.painters import load_painter
from impasto.tables.options import FigureOptions, Table
from impasto.tables.training import PlannedRun


def check_plan(name: str, table: Table, runs: Sequence[PlannedRun]) -> None:
    """Check the runs of a table and open the data of its figures. Trains nothing.

    A run that starts from another run is checked against that run.

    Raises RecipeError with every run of the wrong kind and every unknown class. Errors of data and first stages are
    raised too.
    """
    by_name = {run.name: run for run in runs}
    if problems := [*_wrong_kinds(table, by_name)]:
        raise RecipeError(name, problems)
    for run in runs:
        first = by_name.get(str(run.recipe.training.start_from))
        if first is not None and run.folder.latest() is None:
            rehearse(run.recipe, first.recipe, first.name)
    specs = {figure.run: _spec(by_name[figure.run]) for figure in table.figures}
    if problems := [error for figure in table.figures if (error := _misfit(figure, specs))]:
        raise RecipeError(name, problems)


def _wrong_kinds(table: Table, runs: Mapping[str, PlannedRun]) -> list[str]:
    """Return a problem for each row or figure whose run cannot paint it, and for each classifier that is not one."""
    required: list[tuple[str, str | None, type, str]] = [
        *((f"rows.{place}.run", row.run, Painter, "does not paint") for place, row in enumerate(table.rows)),
        *(
            (f"figures.{place}.run", figure.run, LatentPainter, "does not paint from classes and latents")
            for place, figure in enumerate(table.figures)
        ),
    ]
    classifier = Classifier, "does not classify"
    if table.evaluator is not None:
        required += [
            ("evaluator.features", table.evaluator.features, *classifier),
            ("evaluator.classifier", table.evaluator.classifier, *classifier),
            *((f"rows.{place}.classifier", row.classifier, *classifier) for place, row in enumerate(table.rows)),
        ]
    return [
        f"{place}: {run} is a run of {runs[run].recipe.method.name}, which {lacks}; use another run"
        for place, run, kind, lacks in required
        if run is not None and run in runs and not issubclass(METHODS[runs[run].recipe.method.name], kind)
    ]


def _spec(run: PlannedRun) -> ImageSpec:
    """Return the image spec of a run. A finished run has it in its painter, because its data may be gone."""
    if run.finished:
        return load_painter(run.painter(None)).spec
    method = METHODS[run.recipe.method.name]
    assert issubclass(method, Learner)
    return open_dataset(run.recipe.data, method.batch_type).spec


def _misfit(figure: FigureOptions, specs: Mapping[str, ImageSpec]) -> str | None:
    """Return why a figure's class is impossible, or None."""
    if figure.label is None:
        return None
    try:
        with naming(f"figures.{figure.name}.label"):
            find_class(specs[figure.run], figure.label)
    except PainterError as error:
        return str(error)
    return None
