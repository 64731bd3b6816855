"""`impasto figure`: grids that a painter of classes paints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from impasto.cli.bars import counted
from impasto.cli.console import console, escape
from impasto.cli.options import Device
from impasto.cli.outputs import check_new
from impasto.data.batches import ImageSpec
from impasto.errors import OutputError, naming
from impasto.evaluation.extractors import Classified
from impasto.evaluation.label_consistency import check_mixable, label_consistency
from impasto.files import write_text
from impasto.hardware import chosen_device, keep_large_blocks
from impasto.painting import figures
from impasto.painting.class_pictures import latent_painter
from impasto.painting.class_requests import Request, completed, find_attribute, requested_one
from impasto.painting.figures import Axis, Figure, Noise
from impasto.painting.option_list import with_options
from impasto.painting.paint_files import KIND_OF
from impasto.painting.painters import LoadedClassifier, LoadedPainter, load_classifier, load_painter
from impasto.painting.signature import made_by

NOTHING_KEPT, THEN = "nothing was written", "the same command starts again"


@dataclass(frozen=True)
class FigureOptions:
    """Options of every figure."""

    painter: str | None
    output: Path
    seed: int
    settings: Sequence[str]
    """Paint options of the method, as NAME=VALUE."""
    device: Device
    overwrite: bool


class FigurePainter:
    """A loaded painter with its noise and options, which paints figures."""

    def __init__(self, options: FigureOptions) -> None:
        """Load the painter. Before that, raise OutputError if the output is no picture's name or exists already."""
        if options.output.suffix.lower() not in KIND_OF:
            raise OutputError(f"{options.output} is no picture's name; use a name that ends in .png, .jpg or .webp")
        check_new(options.output, overwrite=options.overwrite)
        self.options, self.loaded = options, load(options)
        self.spec = self.loaded.spec
        self.noise = noise_of(self.loaded, options)

    def axis(self, label: str | None, classes: Sequence[str]) -> Axis:
        """Return the classes of a label column, with the given classes of the other columns."""
        with naming("--label"):
            find_attribute(self.spec, label)
        with naming("--class"):
            return figures.axis_of(self.spec, label, classes)

    def paint(self, figure: Figure, **about: Any) -> list[Image.Image]:
        """Paint the figure and write it, with `about` in its signature; return the pictures of its cells."""
        with counted("painted", NOTHING_KEPT, THEN) as progress:
            pictures = figures.paint_cells(figure, self.loaded, progress)
        figures.write_figure(figure, pictures, self.loaded, self.options.output, **about)
        rows, columns = figure.weights.shape[:2]
        console.print(f"{escape(figure.title)}: {rows} x {columns} paintings, {escape(str(self.options.output))}")
        return pictures


def mixing_command(
    options: FigureOptions,
    mixture: figures.Mixture,
    label: str | None,
    classes: Sequence[str],
    classifier_run: str | None,
) -> None:
    """Paint every pair of classes; with a classifier, measure how much of both classes it sees."""
    figure_painter = FigurePainter(options)
    axis = figure_painter.axis(label, classes)
    classifier = None
    if classifier_run is not None:
        check_new(_classified_file(options.output), overwrite=options.overwrite)
        with naming("--classifier"):
            classifier = load_classifier(classifier_run, chosen_device(options.device, "--device"))
        check_mixable(axis.names, classifier.classes)
    pictures = figure_painter.paint(figures.mixing(axis, figure_painter.noise, mixture), mixture=mixture)
    if classifier is not None:
        _classify(pictures, axis, classifier, figure_painter, mixture)


def sweep_command(options: FigureOptions, label: str | None, classes: Sequence[str], rows: int) -> None:
    """Paint every class from the same latents."""
    figure_painter = FigurePainter(options)
    figure_painter.paint(figures.sweep(figure_painter.axis(label, classes), figure_painter.noise, rows))


def classes_command(options: FigureOptions, label: str | None, classes: Sequence[str], columns: int) -> None:
    """Paint a row for each class."""
    figure_painter = FigurePainter(options)
    figure_painter.paint(figures.classes(figure_painter.axis(label, classes), figure_painter.noise, columns))


def gallery_command(options: FigureOptions, classes: Sequence[str], count: int, columns: int | None) -> None:
    """Paint one class many times."""
    figure_painter = FigurePainter(options)
    figure_painter.paint(
        figures.gallery(one_request(figure_painter.spec, "--class", classes), figure_painter.noise, count, columns)
    )


def truncation_command(options: FigureOptions, label: str | None, classes: Sequence[str], columns: int | None) -> None:
    """Paint the same latents, truncated more and more."""
    figure_painter = FigurePainter(options)
    noise = figure_painter.noise._replace(truncation=None)  # the figure truncates by itself
    figure_painter.paint(figures.truncation(figure_painter.axis(label, classes), noise, columns))


def interpolation_command(
    options: FigureOptions, classes: Sequence[str], to_classes: Sequence[str], rows: int, columns: int
) -> None:
    """Paint strips from one class to another."""
    figure_painter = FigurePainter(options)
    start = one_request(figure_painter.spec, "--class", classes)
    end = one_request(figure_painter.spec, "--to-class", to_classes)
    with naming("--to-class"):
        figure = figures.interpolation(start, end, figure_painter.noise, rows, columns)
    figure_painter.paint(figure)


def load(options: FigureOptions) -> LoadedPainter:
    """Return the painter; raise PainterError if there is no such painter, or it does not paint classes from noise."""
    keep_large_blocks()
    with naming("--painter"):
        loaded = load_painter(options.painter, chosen_device(options.device, "--device"))
        latent_painter(loaded)
    with naming("--set"):
        return with_options(loaded, options.settings)


def noise_of(loaded: LoadedPainter, options: FigureOptions) -> Noise:
    """Return the noise, truncated as the paint options of the painter ask."""
    return Noise(latent_painter(loaded).latent_size, options.seed, getattr(loaded.options, "truncation", None))


def one_request(spec: ImageSpec, option: str, classes: Sequence[str]) -> Request:
    """Return the prompt that an option's classes make. Label columns without one get their first class."""
    with naming(option):
        return completed(spec, requested_one(spec, classes))


def _classified_file(figure: Path) -> Path:
    return figure.with_name(f"{figure.stem}-classified.json")


def _classify(
    pictures: Sequence[Image.Image],
    axis: Axis,
    classifier: LoadedClassifier,
    figure_painter: FigurePainter,
    mixture: str,
) -> None:
    """Measure how much of the two classes a classifier sees in each cell; write it beside the figure and print it."""
    device = torch.device(chosen_device(figure_painter.options.device, "--device"))
    found = label_consistency(pictures, axis.names, Classified(classifier, device))
    target = _classified_file(figure_painter.options.output)
    record = {
        **made_by(figure_painter.loaded),
        "mixture": mixture,
        "seed": figure_painter.options.seed,
        "truncation": figure_painter.noise.truncation,
        "classifier": classifier.name,
        "classifier_weights": classifier.fingerprint,
        "classifier_accuracy": classifier.validation_accuracy,
        "classes": list(axis.names),
        **found.to_json(),
    }
    write_text(target, json.dumps(record, indent=1) + "\n")
    console.print(f"{escape(found.sentence(classifier.name, len(classifier.classes)))}: {escape(str(target))}")
