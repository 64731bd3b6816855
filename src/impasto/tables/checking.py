"""Checks a table before its first run is trained, because hours may pass before a mistake would show."""

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
    """Open the data of the figures and of runs that start from another run; train nothing.

    Raises RecipeError that names every run of the wrong kind and every unknown class, and the errors of the data and of
    first stages.
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
    """Return the runs with a row or figure that are not painters, and the classifiers that are none."""
    wanted: list[tuple[str, str | None, type, str]] = [
        *((f"rows.{place}.run", row.run, Painter, "does not paint") for place, row in enumerate(table.rows)),
        *(
            (f"figures.{place}.run", figure.run, LatentPainter, "does not paint from classes and latents")
            for place, figure in enumerate(table.figures)
        ),
    ]
    tells = Classifier, "does not classify"
    if table.evaluator is not None:
        wanted += [
            ("evaluator.features", table.evaluator.features, *tells),
            ("evaluator.classifier", table.evaluator.classifier, *tells),
            *((f"rows.{place}.classifier", row.classifier, *tells) for place, row in enumerate(table.rows)),
        ]
    return [
        f"{place}: {run} is a run of {runs[run].recipe.method.name}, which {lacks}; name another"
        for place, run, kind, lacks in wanted
        if run is not None and run in runs and not issubclass(METHODS[runs[run].recipe.method.name], kind)
    ]


def _spec(run: PlannedRun) -> ImageSpec:
    """Return the image spec of a run. Its painter has it where there is one: the data may be gone by then."""
    if run.finished:
        return load_painter(run.painter(None)).spec
    method = METHODS[run.recipe.method.name]
    assert issubclass(method, Learner)
    return open_dataset(run.recipe.data, method.batch_type).spec


def _misfit(figure: FigureOptions, specs: Mapping[str, ImageSpec]) -> str | None:
    """Return why a figure's class is not possible, or None."""
    if figure.label is None:
        return None
    try:
        with naming(f"figures.{figure.name}.label"):
            find_class(specs[figure.run], figure.label)
    except PainterError as error:
        return str(error)
    return None
