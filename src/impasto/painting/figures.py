"""The figures of papers about conditional painters: grids in which the class or the latent changes in a known way.

Gilles and Perrin, "ArtGAN: Generating Art", figures 3 to 15 (docs/methods/conditional-gans.md), and the truncation of
Brock et al. 2019 (arXiv:1809.11096). A figure is described before it is painted: weights and latents of each cell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from PIL import Image
from torch import Tensor

from impasto.data.batches import ImageSpec
from impasto.data.prompts import ClassPrompt
from impasto.errors import PainterError
from impasto.files import replacing
from impasto.painting.class_pictures import Progress, all_class_pictures, caption_of, latent_painter
from impasto.painting.class_requests import Attribute, Request, completed, find_attribute, requested_one, short_names
from impasto.painting.counts import GALLERY_COLUMNS, IN_A_ROW
from impasto.painting.latents import drawn_latents
from impasto.painting.layout import Captions, check_legible, draw_sheet
from impasto.painting.paint_files import KIND_OF
from impasto.painting.painters import LoadedPainter
from impasto.painting.signature import made_by, save_signed

Mixture = Literal["sum", "mean"]
TRUNCATIONS = (None, 1.5, 1.0, 0.7, 0.5, 0.3)


class Noise(NamedTuple):
    """The source of a figure's latents."""

    size: int
    seed: int
    truncation: float | None = None

    def __call__(self, indices: range) -> Tensor:
        """Return latents [N, size] by their indices."""
        return drawn_latents(self.size, self.seed, indices, self.truncation)


@dataclass(frozen=True)
class Figure:
    """A grid of R x C cells to paint."""

    title: str
    noise: Noise
    weights: Tensor
    """[R, C, K]"""
    latents: Tensor
    """[R, C, Z]"""
    rows: tuple[str, ...] = ()
    """Captions, one for each row or none."""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Axis:
    """The classes that vary in a figure: those of one attribute. Other attributes stay fixed."""

    names: tuple[str, ...]
    weights: Tensor
    """[C, K]: of each class, with the fixed classes of other attributes"""
    fixed: Request
    """The fixed classes of other attributes."""
    of: str = ""
    """Such as ` of style`, if there are other attributes; else empty."""


def axis_of(spec: ImageSpec, attribute: str | None = None, labels: Sequence[str] = ()) -> Axis:
    """Return the classes of an attribute, by default the first; `labels` fix the classes of other attributes.

    An attribute that no label names has its first class. Raises PainterError for an unknown class, for a label of the
    same attribute, and for a painter without classes.
    """
    chosen: Attribute = find_attribute(spec, attribute)
    if not chosen.places:
        raise PainterError("this figure needs classes, and the painter has none; use impasto figure gallery")
    request = requested_one(spec, labels)
    names, places = short_names(spec), list(chosen.places)
    if request.weights[places].any():
        raise PainterError(f"{request.name}: the figure shows all classes of {chosen.name}; leave that class out")
    weights = completed(spec, request).weights
    weights[places] = 0
    fixed = Request(" + ".join(names[place] for place in weights.nonzero().flatten().tolist()), weights)
    own = torch.eye(len(names))[places]
    of = f" of {chosen.name}" if spec.groups else ""
    return Axis(tuple(names[place] for place in places), own + weights, fixed, of)


def mixing(axis: Axis, noise: Noise, mixture: Mixture = "sum") -> Figure:
    """Return every pair of classes with one latent: the class of the row and of the column.

    `sum` gives both classes full weight, as Gilles and Perrin published it; `mean` gives half of each.
    """
    own = axis.weights - axis.fixed.weights
    pairs = own[:, None] + own[None, :]
    if mixture == "mean":
        pairs = pairs / 2
    weights = pairs.clamp(max=1) + axis.fixed.weights  # e_i + e_i on the diagonal is the class itself
    count = len(axis.names)
    latents = noise(range(1)).expand(count, count, -1)
    title = _titled(f"Two classes{axis.of} at once ({mixture})", axis, noise)
    return Figure(title, noise, weights, latents, axis.names, axis.names)


def sweep(axis: Axis, noise: Noise, rows: int) -> Figure:
    """Return a row for each latent, with every class in turn."""
    count = len(axis.names)
    latents = noise(range(rows))[:, None].expand(-1, count, -1)
    weights = axis.weights.expand(rows, -1, -1)
    return Figure(
        _titled(f"Same noise, every class{axis.of}", axis, noise), noise, weights, latents, columns=axis.names
    )


def classes(axis: Axis, noise: Noise, columns: int) -> Figure:
    """Return a row for each class, with a different latent in each cell."""
    count = len(axis.names)
    latents = noise(range(count * columns)).reshape(count, columns, -1)
    weights = axis.weights[:, None].expand(-1, columns, -1)
    return Figure(_titled(f"Every class{axis.of}", axis, noise), noise, weights, latents, rows=axis.names)


def gallery(request: Request, noise: Noise, count: int, columns: int | None = None) -> Figure:
    """Return at least `count` paintings of one class, in full rows.

    Default columns: the square root of the count, but at least GALLERY_COLUMNS.
    """
    columns = columns or min(count, max(GALLERY_COLUMNS, math.ceil(math.sqrt(count))))
    rows = -(-count // columns)
    latents = noise(range(rows * columns)).reshape(rows, columns, -1)
    title = f"{request.name or 'Paintings'}, {_described(noise)}"
    return Figure(title, noise, request.weights.expand(rows, columns, -1), latents)


def truncation(axis: Axis, noise: Noise, columns: int | None = None) -> Figure:
    """Return the same latents without truncation, then with ever lower thresholds. Classes alternate in the columns.

    Default columns: IN_A_ROW, or one for each class if there are more classes.
    """
    columns = columns or max(IN_A_ROW, len(axis.names))
    latents = torch.stack([Noise(noise.size, noise.seed, threshold)(range(columns)) for threshold in TRUNCATIONS])
    turns = [column % len(axis.names) for column in range(columns)]
    rows = tuple("as drawn" if threshold is None else f"{threshold:g}" for threshold in TRUNCATIONS)
    few = f", {columns} of {len(axis.names)} classes{axis.of}" if columns < len(axis.names) else ""
    title = _titled(f"Latents within a threshold{few}", axis, noise)
    names = tuple(axis.names[turn] for turn in turns)
    return Figure(title, noise, axis.weights[turns].expand(len(rows), -1, -1), latents, rows, names)


def interpolation(start: Request, end: Request, noise: Noise, rows: int, steps: int) -> Figure:
    """Return rows from one class to another, one for each latent, with weights alpha e_i + (1 - alpha) e_j.

    Raises PainterError if both ends are the same.
    """
    if torch.equal(start.weights, end.weights):
        raise PainterError(f"both ends are {start.name}, so nothing would change; use two different classes")
    shares = torch.linspace(0, 1, steps)
    weights = torch.lerp(start.weights, end.weights, shares[:, None]).expand(rows, -1, -1)
    latents = noise(range(rows))[:, None].expand(-1, steps, -1)
    columns = tuple(f"{share:.2f}" for share in shares.tolist())
    return Figure(f"From {start.name} to {end.name}, {_described(noise)}", noise, weights, latents, columns=columns)


def paint_cells(figure: Figure, loaded: LoadedPainter, progress: Progress | None = None) -> list[Image.Image]:
    """Return the cells' pictures, row by row. Equal cells are painted once.

    Raises PainterError if the painter has no latents, or if there are too many cells to be visible.
    """
    latent_painter(loaded)
    check_legible(loaded.spec.size, *figure.weights.shape[:2])
    weights, latents = figure.weights.flatten(0, 1), figure.latents.flatten(0, 1)
    distinct, cells = torch.unique(torch.cat([weights, latents], dim=1), dim=0, return_inverse=True)
    kinds = weights.shape[1]
    pictures = all_class_pictures(loaded, ClassPrompt(distinct[:, :kinds], distinct[:, kinds:]), progress)
    return [pictures[cell] for cell in cells.tolist()]


def write_figure(
    figure: Figure, pictures: Sequence[Image.Image], loaded: LoadedPainter, target: Path, **about: Any
) -> None:
    """Write the figure with captions, in the format of the file name's suffix. The signature includes `about`."""
    captions = Captions(figure.title, caption_of(loaded), figure.rows, figure.columns)
    sheet = draw_sheet(pictures, figure.weights.shape[1], captions)
    noise = {"seed": figure.noise.seed, "truncation": figure.noise.truncation}
    with replacing(target) as temporary:
        signature = {**made_by(loaded), "figure": figure.title, **about, **noise}
        save_signed(sheet, temporary, KIND_OF[target.suffix.lower()], signature)


def _titled(what: str, axis: Axis, noise: Noise) -> str:
    fixed = f", {axis.fixed.name}" if axis.fixed.name else ""
    return f"{what}{fixed}, {_described(noise)}"


def _described(noise: Noise) -> str:
    return f"seed {noise.seed}" + ("" if noise.truncation is None else f", truncation {noise.truncation:g}")
