"""The figures of a table: grids of pictures that its painters make from classes and noise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from impasto.errors import PainterError, RecipeError
from impasto.painting import counts
from impasto.painting.class_pictures import Progress, latent_painter
from impasto.painting.class_requests import completed, requested_one
from impasto.painting.figures import (
    Figure,
    Noise,
    axis_of,
    classes,
    gallery,
    mixing,
    paint_cells,
    sweep,
    write_figure,
)
from impasto.painting.painters import LoadedPainter, load_painter
from impasto.tables.evaluator import TableEvaluator
from impasto.tables.options import FigureOptions
from impasto.tables.result import Drawn
from impasto.tables.training import PlannedRun


def draw_figure(
    options: FigureOptions,
    run: PlannedRun,
    target: Path,
    device: torch.device,
    evaluator: TableEvaluator | None = None,
    progress: Progress | None = None,
) -> Drawn:
    """Draw a figure of a finished run into a PNG file. The table's classifier evaluates mixing matrices.

    Raises RecipeError if the painter cannot paint the figure.
    """
    painter = replace(load_painter(run.painter(options.after), device), name=run.name)
    try:
        figure = _described(options, painter)
        pictures = paint_cells(figure, painter, progress)
    except PainterError as error:
        raise RecipeError(f"figure {options.name}", [str(error)]) from error
    write_figure(figure, pictures, painter, target)
    names = painter.spec.classes_of_first()
    mixed = None
    if options.kind == "mixing" and evaluator is not None and len(names) > 1:
        mixed = evaluator.of_mixtures(pictures, names)
    return Drawn(target, mixed)


def _described(options: FigureOptions, painter: LoadedPainter) -> Figure:
    noise = Noise(latent_painter(painter).latent_size, options.seed)
    if options.kind == "gallery":
        requested = requested_one(painter.spec, [options.label] if options.label else [])
        return gallery(completed(painter.spec, requested), noise, options.count or counts.GALLERY)
    axis = axis_of(painter.spec)
    if options.kind == "sweep":
        return sweep(axis, noise, options.count or counts.SWEEP_ROWS)
    return mixing(axis, noise) if options.kind == "mixing" else classes(axis, noise, options.count or counts.IN_A_ROW)
