"""`impasto figure`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from PIL import Image

from impasto.cli.console import console, escape
from impasto.errors import OutputError, PainterError
from impasto.evaluation.extractors import Classified
from impasto.evaluation.label_consistency import label_consistency
from impasto.evaluation.top1 import check_classes
from impasto.files import replacing, write_text
from impasto.hardware import chosen_device, keep_large_blocks
from impasto.painting import figures
from impasto.painting.drawing import latent_painter, made_by
from impasto.painting.figures import Axis, Figure, Noise
from impasto.painting.films import FRAMES_PER_SECOND, check_film, write_film
from impasto.painting.latents import drawn_latents
from impasto.painting.paint_files import KIND_OF
from impasto.painting.painters import LoadedClassifier, LoadedPainter, load_classifier, load_painter
from impasto.painting.prompts import Request, requested_one
from impasto.painting.signature import save_signed
from impasto.painting.walk import Idea, walk_frames

Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class FigureWishes:
    """What a user may say of every figure."""

    painter: str | None
    output: Path
    seed: int = 0
    truncation: float | None = None
    device: Device = "auto"


class Easel:
    """A painter, the noise that was asked for, and where the figure goes."""

    def __init__(self, wishes: FigureWishes) -> None:
        """Load the painter; raise OutputError first where the output's name is no picture's."""
        if wishes.output.suffix.lower() not in KIND_OF:
            raise OutputError(f"{wishes.output} is no picture's name; let it end in .png, .jpg or .webp")
        self.wishes, self.loaded = wishes, _load(wishes)
        self.spec = self.loaded.spec
        self.noise = Noise(latent_painter(self.loaded).latent_size, wishes.seed, wishes.truncation)

    def paint(self, figure: Figure, **about: Any) -> list[Image.Image]:
        """Paint the figure, write it and say where; return its cells' pictures. `about` goes into its signature."""
        wishes = self.wishes
        pictures = figures.paint_cells(figure, self.loaded)
        sheet = figures.lay_out(figure, pictures, self.loaded)
        signature = {**made_by(self.loaded), "figure": figure.title, **about, "seed": wishes.seed}
        with replacing(wishes.output) as temporary:
            save_signed(
                sheet, temporary, KIND_OF[wishes.output.suffix.lower()], {**signature, "truncation": wishes.truncation}
            )
        rows, columns = figure.weights.shape[:2]
        console.print(f"{escape(figure.title)}: {rows} x {columns} paintings, {escape(str(wishes.output))}")
        return pictures


def mixing_command(
    wishes: FigureWishes, mixture: figures.Mixture, attribute: str | None, labels: Sequence[str], judge: str | None
) -> None:
    """Paint every pair of classes; with a judge, measure how much of both classes it sees."""
    easel = Easel(wishes)
    axis = figures.axis_of(easel.spec, attribute, labels)
    classifier = None
    if judge is not None:
        classifier = load_classifier(judge, chosen_device(wishes.device, "--device"))
        check_classes(axis.names, classifier.classes)  # before any work
    pictures = easel.paint(figures.mixing(axis, easel.noise, mixture), mixture=mixture)
    if classifier is not None:
        _judge(pictures, axis, classifier, easel, mixture)


def sweep_command(wishes: FigureWishes, attribute: str | None, labels: Sequence[str], rows: int) -> None:
    """Paint every class from the same latents."""
    easel = Easel(wishes)
    easel.paint(figures.sweep(figures.axis_of(easel.spec, attribute, labels), easel.noise, rows))


def classes_command(wishes: FigureWishes, attribute: str | None, labels: Sequence[str], columns: int) -> None:
    """Paint a row for each class."""
    easel = Easel(wishes)
    easel.paint(figures.classes(figures.axis_of(easel.spec, attribute, labels), easel.noise, columns))


def gallery_command(wishes: FigureWishes, labels: Sequence[str], count: int, columns: int) -> None:
    """Paint one class many times."""
    easel = Easel(wishes)
    easel.paint(figures.gallery(requested_one(easel.spec, labels), easel.noise, count, columns))


def truncation_command(wishes: FigureWishes, attribute: str | None, labels: Sequence[str], columns: int) -> None:
    """Paint the same latents cut off ever nearer to 0."""
    easel = Easel(wishes)
    easel.paint(figures.truncation(figures.axis_of(easel.spec, attribute, labels), easel.noise, columns))


def interpolation_command(
    wishes: FigureWishes, labels: Sequence[str], to_labels: Sequence[str], rows: int, steps: int
) -> None:
    """Paint strips from one class to another."""
    easel = Easel(wishes)
    start, end = requested_one(easel.spec, labels), requested_one(easel.spec, to_labels)
    easel.paint(figures.interpolation(start, end, easel.noise, rows, steps))


def walk_command(
    wishes: FigureWishes, to_seed: int | None, labels: Sequence[str], to_labels: Sequence[str], frames: int
) -> None:
    """Write the film of a walk between two latents, two classes, or both."""
    check_film(wishes.output)
    loaded = _load(wishes)
    painter = latent_painter(loaded)
    requests = requested_one(loaded.spec, labels), requested_one(loaded.spec, to_labels or labels)
    seeds = wishes.seed, wishes.seed if to_seed is None else to_seed
    if seeds[0] == seeds[1] and requests[0].name == requests[1].name:
        raise PainterError("nothing would move from the first to the last frame; say another --to-seed or --to-label")
    start, end = (
        Idea(request, drawn_latents(painter.latent_size, seed, [0], wishes.truncation)[0])
        for request, seed in zip(requests, seeds, strict=True)
    )
    pictures = walk_frames(painter, start, end, frames)
    write_film(pictures, wishes.output, {**made_by(loaded), **_of_walk(requests, seeds, wishes)})
    seconds = frames / FRAMES_PER_SECOND
    console.print(
        f"From {escape(requests[0].name)}, seed {seeds[0]}, to {escape(requests[1].name)}, seed {seeds[1]} and back: "
        f"{frames} frames, {seconds:g} s, {escape(str(wishes.output))}"
    )


def _load(wishes: FigureWishes) -> LoadedPainter:
    keep_large_blocks()
    return load_painter(wishes.painter, chosen_device(wishes.device, "--device"))


def _of_walk(requests: Sequence[Request], seeds: Sequence[int], wishes: FigureWishes) -> Mapping[str, Any]:
    return {
        "figure": "walk",
        "labels": [request.name for request in requests],
        "seeds": list(seeds),
        "truncation": wishes.truncation,
    }


def _judge(
    pictures: Sequence[Image.Image], axis: Axis, classifier: LoadedClassifier, easel: Easel, mixture: str
) -> None:
    """Say how much of the two classes a classifier sees in each cell, and write it beside the figure."""
    device = torch.device(chosen_device(easel.wishes.device, "--device"))
    found = label_consistency(pictures, axis.names, Classified(classifier, device))
    target = easel.wishes.output.with_suffix(".json")
    record = {
        **made_by(easel.loaded),
        "mixture": mixture,
        "seed": easel.wishes.seed,
        "truncation": easel.wishes.truncation,
        "judge": classifier.name,
        "judge_weights": classifier.fingerprint,
        "judge_accuracy": classifier.validation_accuracy,
        "classes": list(axis.names),
        "mixed": found.mixed,
        "pure": found.pure,
        "shares": [[round(share, 4) for share in row] for row in found.shares.tolist()],
    }
    write_text(target, json.dumps(record, indent=1) + "\n")
    guess = 1 / len(classifier.classes)
    console.print(
        f"{escape(classifier.name)} gives the two classes {found.mixed:.1%} of its probability (guessing "
        f"{2 * guess:.1%}), a class alone {found.pure:.1%} (guessing {guess:.1%}): {escape(str(target))}"
    )
