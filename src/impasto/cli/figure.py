"""`impasto figure`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from impasto.cli.bars import counted
from impasto.cli.console import console, escape
from impasto.cli.options import Device
from impasto.data.batches import ImageSpec
from impasto.errors import OutputError, PainterError, naming
from impasto.evaluation.extractors import Classified
from impasto.evaluation.label_consistency import check_mixable, label_consistency
from impasto.files import write_text
from impasto.hardware import chosen_device, keep_large_blocks
from impasto.painting import figures
from impasto.painting.class_pictures import latent_painter
from impasto.painting.class_requests import Request, completed, find_attribute, requested_one
from impasto.painting.figures import Axis, Figure, Noise
from impasto.painting.films import FRAMES_PER_SECOND, check_film, write_film
from impasto.painting.paint_files import KIND_OF
from impasto.painting.painters import LoadedClassifier, LoadedPainter, load_classifier, load_painter
from impasto.painting.signature import made_by
from impasto.painting.walk import Idea, walk_frames

NOTHING_KEPT = "nothing was written"


@dataclass(frozen=True)
class FigureWishes:
    """What a user may say of every figure."""

    painter: str | None
    output: Path
    seed: int
    truncation: float | None
    device: Device
    overwrite: bool


class Easel:
    """A painter, the noise that was asked for, and where the figure goes."""

    def __init__(self, wishes: FigureWishes) -> None:
        """Load the painter; raise OutputError first where the output is no picture's name or is there already."""
        if wishes.output.suffix.lower() not in KIND_OF:
            raise OutputError(f"{wishes.output} is no picture's name; let it end in .png, .jpg or .webp")
        _check_free(wishes.output, wishes)
        self.wishes, self.loaded = wishes, _load(wishes)
        self.spec = self.loaded.spec
        self.noise = _noise(self.loaded, wishes)

    def axis(self, attribute: str | None, labels: Sequence[str]) -> Axis:
        """Return the classes that the figure goes through."""
        with naming("--attribute"):
            find_attribute(self.spec, attribute)
        with naming("--label"):
            return figures.axis_of(self.spec, attribute, labels)

    def paint(self, figure: Figure, **about: Any) -> list[Image.Image]:
        """Paint the figure, write it and say where; return its cells' pictures. `about` goes into its signature."""
        with counted("painted", NOTHING_KEPT, "the same command begins anew") as progress:
            pictures = figures.paint_cells(figure, self.loaded, progress)
        figures.write_figure(figure, pictures, self.loaded, self.wishes.output, **about)
        rows, columns = figure.weights.shape[:2]
        console.print(f"{escape(figure.title)}: {rows} x {columns} paintings, {escape(str(self.wishes.output))}")
        return pictures


def mixing_command(
    wishes: FigureWishes, mixture: figures.Mixture, attribute: str | None, labels: Sequence[str], judge: str | None
) -> None:
    """Paint every pair of classes; with a judge, measure how much of both classes it sees."""
    easel = Easel(wishes)
    axis = easel.axis(attribute, labels)
    classifier = None
    if judge is not None:
        _check_free(_judged_file(wishes.output), wishes)
        with naming("--judge"):
            classifier = load_classifier(judge, chosen_device(wishes.device, "--device"))
        check_mixable(axis.names, classifier.classes)
    pictures = easel.paint(figures.mixing(axis, easel.noise, mixture), mixture=mixture)
    if classifier is not None:
        _judge(pictures, axis, classifier, easel, mixture)


def sweep_command(wishes: FigureWishes, attribute: str | None, labels: Sequence[str], rows: int) -> None:
    """Paint every class from the same latents."""
    easel = Easel(wishes)
    easel.paint(figures.sweep(easel.axis(attribute, labels), easel.noise, rows))


def classes_command(wishes: FigureWishes, attribute: str | None, labels: Sequence[str], columns: int) -> None:
    """Paint a row for each class."""
    easel = Easel(wishes)
    easel.paint(figures.classes(easel.axis(attribute, labels), easel.noise, columns))


def gallery_command(wishes: FigureWishes, labels: Sequence[str], count: int, columns: int | None) -> None:
    """Paint one class many times."""
    easel = Easel(wishes)
    easel.paint(figures.gallery(_asked(easel.spec, "--label", labels), easel.noise, count, columns))


def truncation_command(wishes: FigureWishes, attribute: str | None, labels: Sequence[str], columns: int | None) -> None:
    """Paint the same latents cut off ever nearer to 0."""
    easel = Easel(wishes)
    easel.paint(figures.truncation(easel.axis(attribute, labels), easel.noise, columns))


def interpolation_command(
    wishes: FigureWishes, labels: Sequence[str], to_labels: Sequence[str], rows: int, steps: int
) -> None:
    """Paint strips from one class to another."""
    easel = Easel(wishes)
    start, end = _asked(easel.spec, "--label", labels), _asked(easel.spec, "--to-label", to_labels)
    with naming("--to-label"):
        figure = figures.interpolation(start, end, easel.noise, rows, steps)
    easel.paint(figure)


def walk_command(
    wishes: FigureWishes, to_seed: int | None, labels: Sequence[str], to_labels: Sequence[str], frames: int
) -> None:
    """Write the film of a walk between two latents, two classes, or both."""
    check_film(wishes.output)
    _check_free(wishes.output, wishes)
    loaded = _load(wishes)
    start, end = _ends(loaded, wishes, to_seed, labels, to_labels)
    if not labels:
        console.print(f"  [yellow]note:[/] no --label was said; walking from {escape(start.request.name)}")
    with counted("painted", NOTHING_KEPT, "the same command begins anew") as progress:
        pictures = walk_frames(loaded, start, end, frames, progress)
        write_film(pictures, wishes.output, {**made_by(loaded), **_of_walk(start, end, wishes)})
    seconds = frames / FRAMES_PER_SECOND
    console.print(
        f"From {escape(start.request.name)}, seed {start.seed}, to {escape(end.request.name)}, seed {end.seed} and "
        f"back: {frames} frames, {seconds:g} s, {escape(str(wishes.output))}"
    )


def _ends(
    loaded: LoadedPainter, wishes: FigureWishes, to_seed: int | None, labels: Sequence[str], to_labels: Sequence[str]
) -> tuple[Idea, Idea]:
    """Return where a walk begins and where it turns; raise PainterError where that is the same."""
    noise = _noise(loaded, wishes)
    start = _asked(loaded.spec, "--label", labels)
    end = _asked(loaded.spec, "--to-label", to_labels) if to_labels else start
    seeds = wishes.seed, wishes.seed if to_seed is None else to_seed
    if seeds[0] == seeds[1] and start.name == end.name:
        raise PainterError("nothing would move from the first to the last frame; say another --to-seed or --to-label")
    first, last = (
        Idea(request, seed, noise._replace(seed=seed)(range(1))[0])
        for request, seed in zip((start, end), seeds, strict=True)
    )
    return first, last


def _load(wishes: FigureWishes) -> LoadedPainter:
    keep_large_blocks()
    with naming("--painter"):
        loaded = load_painter(wishes.painter, chosen_device(wishes.device, "--device"))
        latent_painter(loaded)
    return loaded


def _noise(loaded: LoadedPainter, wishes: FigureWishes) -> Noise:
    """Return the noise; raise PainterError at once for a truncation that is none."""
    noise = Noise(latent_painter(loaded).latent_size, wishes.seed, wishes.truncation)
    with naming("--truncation"):
        noise(range(1))
    return noise


def _asked(spec: ImageSpec, option: str, labels: Sequence[str]) -> Request:
    """Return what the labels of an option ask for; of an attribute that they leave open, the first class."""
    with naming(option):
        return completed(spec, requested_one(spec, labels))


def _check_free(target: Path, wishes: FigureWishes) -> None:
    if target.exists() and not wishes.overwrite:
        raise OutputError(f"{target} exists; say --overwrite to replace it, or choose another --output")


def _judged_file(figure: Path) -> Path:
    return figure.with_name(f"{figure.stem}-judged.json")


def _of_walk(start: Idea, end: Idea, wishes: FigureWishes) -> Mapping[str, Any]:
    return {
        "figure": "walk",
        "labels": [start.request.name, end.request.name],
        "seeds": [start.seed, end.seed],
        "truncation": wishes.truncation,
    }


def _judge(
    pictures: Sequence[Image.Image], axis: Axis, classifier: LoadedClassifier, easel: Easel, mixture: str
) -> None:
    """Say how much of the two classes a classifier sees in each cell, and write it beside the figure."""
    device = torch.device(chosen_device(easel.wishes.device, "--device"))
    found = label_consistency(pictures, axis.names, Classified(classifier, device))
    target = _judged_file(easel.wishes.output)
    record = {
        **made_by(easel.loaded),
        "mixture": mixture,
        "seed": easel.wishes.seed,
        "truncation": easel.wishes.truncation,
        "judge": classifier.name,
        "judge_weights": classifier.fingerprint,
        "judge_accuracy": classifier.validation_accuracy,
        "classes": list(axis.names),
        **found.to_json(),
    }
    write_text(target, json.dumps(record, indent=1) + "\n")
    console.print(f"{escape(found.said(classifier.name, len(classifier.classes)))}: {escape(str(target))}")
