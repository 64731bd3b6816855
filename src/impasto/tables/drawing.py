"""Drawing the figures of a table: grids of what its painters make of labels and noise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from PIL import Image

from impasto.errors import PainterError, RecipeError
from impasto.files import replacing
from impasto.painting.drawing import latent_painter
from impasto.painting.figures import Figure, Noise, axis_of, classes, gallery, lay_out, mixing, paint_cells, sweep
from impasto.painting.painters import LoadedPainter, load_painter
from impasto.painting.prompts import each_class, requested_one
from impasto.tables.table_file import FigureOptions
from impasto.tables.training import PlannedRun

GALLERY_COLUMNS = 8
COUNTS = {"gallery": 64, "classes": 10, "sweep": 5}
"""Pictures of a gallery or in each row of classes, and rows of a sweep, unless said."""


def draw_figure(options: FigureOptions, run: PlannedRun, target: Path, device: torch.device) -> Path:
    """Draw a figure of a run that has finished into a PNG file; return `target`.

    Raises RecipeError, naming the figure, for what its painter cannot be asked.
    """
    painter = replace(load_painter(run.painter(options.after), device), name=run.name)
    try:
        figure = _described(options, painter)
    except PainterError as error:
        raise RecipeError(f"figure {options.name}", [str(error)]) from error
    sheet: Image.Image = lay_out(figure, paint_cells(figure, painter), painter)
    with replacing(target) as temporary:
        sheet.save(temporary, "PNG")
    return target


def _described(options: FigureOptions, painter: LoadedPainter) -> Figure:
    noise = Noise(latent_painter(painter).latent_size, options.seed)
    if options.kind == "gallery":
        count = options.count or COUNTS["gallery"]
        asked = requested_one(painter.spec, [options.label]) if options.label else each_class(painter.spec)[0]
        return gallery(asked, noise, count, min(count, GALLERY_COLUMNS))
    axis = axis_of(painter.spec)
    if options.kind == "mixing":
        return mixing(axis, noise)
    return {"sweep": sweep, "classes": classes}[options.kind](axis, noise, options.count or COUNTS[options.kind])
