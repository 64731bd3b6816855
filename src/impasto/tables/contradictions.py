"""Finds contradictions between the parts of a table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from impasto.errors import did_you_mean
from impasto.evaluation.extractors import OPENERS
from impasto.evaluation.metrics import METRICS
from impasto.painting.painters import RUNS
from impasto.tables.options import EvaluatorOptions, FigureOptions, RowOptions, Table


def contradictions(table: Table) -> Iterator[str]:
    """Yield a problem for each contradiction: unknown runs, metrics and features, repeated names, unused options."""
    shown: list[tuple[str, RowOptions | FigureOptions]] = [
        *((f"rows.{place}", row) for place, row in enumerate(table.rows)),
        *((f"figures.{place}", figure) for place, figure in enumerate(table.figures)),
    ]
    if not shown:
        yield "rows: there are no rows and no figures; add some"
    for place, moment in shown:
        if moment.run not in table.runs:
            yield f"{place}.run: there is no run {moment.run}{did_you_mean(moment.run, table.runs)}"
    for names, what in ((table.rows, "rows"), (table.figures, "figures")):
        if len({each.name for each in names}) < len(names):
            yield f"{what}: two of them have the same name; rename one"
    yield from _evaluated(table)
    yield from _ignored(table)


def _ignored(table: Table) -> Iterator[str]:
    """Yield a problem for each option of a figure that has no effect."""
    for place, figure in enumerate(table.figures):
        if figure.label is not None and figure.kind != "gallery":
            yield f"figures.{place}.label: a figure of kind {figure.kind} shows all classes; remove it"
        if figure.count is not None and figure.kind == "mixing":
            yield f"figures.{place}.count: a mixing matrix has one row for each class; remove it"


def _evaluated(table: Table) -> Iterator[str]:
    """Yield a problem for each unknown metric, and for rows without an evaluator."""
    if table.evaluator is None:
        if table.rows:
            yield "evaluator: missing; add evaluator: {metrics: [...]}, or remove the rows"
        return
    named = {"evaluator.metrics": table.evaluator.metrics}
    named |= {f"rows.{place}.published": tuple(row.published) for place, row in enumerate(table.rows)}
    for place, metrics in named.items():
        for metric in metrics:
            if metric not in METRICS:
                yield f"{place}: there is no metric {metric}{did_you_mean(metric, METRICS)}"
    yield from _features_named(table, table.evaluator)


def _features_named(table: Table, evaluator: EvaluatorOptions) -> Iterator[str]:
    """Yield a problem for each unknown name of features or a classifier. Runs and published features are known."""
    named = {"evaluator.features": evaluator.features, "evaluator.classifier": evaluator.classifier}
    named |= {f"rows.{place}.classifier": row.classifier for place, row in enumerate(table.rows)}
    for place, name in named.items():
        if name is not None and name not in table.runs and name not in OPENERS and not _is_there(name):
            yield f"{place}: there are no features {name}{did_you_mean(name, [*table.runs, *OPENERS])}"


def _is_there(run: str) -> bool:
    return Path(run).exists() or (RUNS / run).exists()
