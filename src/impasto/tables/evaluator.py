"""Evaluates the rows of a table: each painter with the same metrics, against the pictures it learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from PIL import Image

from impasto.data.collection import Item
from impasto.data.datasets import open_dataset
from impasto.errors import EvaluationError, RunError
from impasto.evaluation.evaluate import MetricOptions, Progress, evaluate, needs_features
from impasto.evaluation.extractors import Extractor, ExtractorOptions, FeaturesError, open_extractor
from impasto.evaluation.images import ImageSet, Pictures
from impasto.evaluation.label_consistency import label_consistency
from impasto.evaluation.metrics import METRICS
from impasto.evaluation.record import Record
from impasto.evaluation.subject import SubjectOptions, painted
from impasto.method import Learner
from impasto.methods import METHODS
from impasto.painting.painters import LoadedPainter, load_painter
from impasto.recipe import Recipe
from impasto.run_folder import RunFolder
from impasto.tables.options import EvaluatorOptions, RowOptions
from impasto.tables.result import Budget, Mixed, RowResult
from impasto.tables.training import PlannedRun

CLASSIFIED = frozenset({"is", "top1"})
"""Metrics that need a classifier of the painted classes. Distances use published features."""


class TableEvaluator:
    """Evaluates rows one by one. Rows share opened features and real pictures."""

    def __init__(self, options: EvaluatorOptions, runs: Sequence[PlannedRun], device: torch.device) -> None:
        self.options, self.device = options, device
        self.runs = {run.name: run for run in runs}
        self._extractors: dict[str, Extractor] = {}
        self._references: list[tuple[tuple[Item, ...], Pictures]] = []

    def check_features(self, rows: Sequence[RowOptions]) -> None:
        """Open features that are not runs of the table, so that missing weights are reported before training.

        Raises EvaluationError for unknown features and for missing weights.
        """
        for features, metrics in (pair for row in rows for pair in self._metrics_by_features(row).items()):
            if features not in self.runs and needs_features(metrics):
                self._extractor(features)

    def evaluate(self, row: RowOptions, progress: Progress | None = None) -> RowResult:
        """Return the metrics of a row. Its run must be finished.

        Raises EvaluationError for metrics that cannot be computed.
        """
        run = self.runs[row.run]
        folder = run.painter(row.after)
        painter = load_painter(folder, self.device)
        subject = painted(painter, row.name, SubjectOptions(images=self.options.images, seed=self.options.seed))
        records = tuple(
            self._record(subject, run.recipe, features, metrics, progress)
            for features, metrics in self._metrics_by_features(row).items()
        )
        return RowResult(row.name, folder, _budget(run.folder, painter, row), records, row.published)

    def of_mixtures(self, pictures: Sequence[Image.Image], names: Sequence[str]) -> Mixed | None:
        """Return the label consistency of a mixing matrix, by the table's classifier. None without a classifier."""
        if self.options.classifier is None:
            return None
        extractor = self._extractor(self.options.classifier)
        if not extractor.knows_names:
            return None
        return Mixed(label_consistency(pictures, names, extractor), extractor.about.name, len(extractor.classes))

    def _metrics_by_features(self, row: RowOptions) -> dict[str, list[str]]:
        """Return the metrics of a row by the feature extractor that computes them."""
        found: dict[str, list[str]] = {}
        classifier = row.classifier or self.options.classifier or self.options.features
        for metric in self.options.metrics:
            found.setdefault(classifier if metric in CLASSIFIED else self.options.features, []).append(metric)
        return found

    def _record(
        self, subject: ImageSet, recipe: Recipe, features: str, metrics: Sequence[str], progress: Progress | None
    ) -> Record:
        compares = any(METRICS[metric].compares for metric in metrics)
        reference = self._reference(recipe) if compares else None
        extractor = self._extractor(features) if needs_features(metrics) else None
        # Few images are allowed, because the record then has a warning.
        metric_options = MetricOptions(metrics, self.options.seed, allow_small=True)
        return evaluate(subject, reference, extractor, metric_options, progress=progress).record

    def _extractor(self, name: str) -> Extractor:
        if name not in self._extractors:
            place = str(self.runs[name].folder.path) if name in self.runs else name
            try:
                self._extractors[name] = open_extractor(place, ExtractorOptions(self.options.weights, self.device))
            except FeaturesError as error:
                raise EvaluationError(
                    f"{error} (see evaluator.features, evaluator.classifier and evaluator.weights)"
                ) from error
        return self._extractors[name]

    def _reference(self, recipe: Recipe) -> Pictures:
        """Return the real pictures of a run's data. Equal pictures give the same object, so they are read once."""
        method = METHODS[recipe.method.name]
        assert issubclass(method, Learner)
        given = open_dataset(recipe.data, method.batch_type).evaluation_pictures()
        if not given.real:
            raise EvaluationError(
                f"data.kind: {recipe.data.kind} has no real pictures to compare with; set evaluator.metrics=[is]"
            )
        for items, pictures in self._references:
            if items == given.real:
                return pictures
        pictures = Pictures("the training pictures", given.real, given.attribute)
        self._references.append((given.real, pictures))
        return pictures


def _budget(folder: RunFolder, painter: LoadedPainter, row: RowOptions) -> Budget:
    """Return the training budget of a painter, from the run's journal. Raises RunError for an empty journal."""
    entries = [entry for entry in folder.journal() if entry["images_seen"] <= painter.images_seen]
    if not entries:
        raise RunError(f"{folder.path} has no journal, which records the cost of training; train the run again")
    return Budget(
        painter.images_seen,
        row.published_images,
        max(float(entry.get("seconds", 0.0)) for entry in entries),
        tuple(dict.fromkeys(_device(entry) for entry in entries if entry["kind"] == "start")),
    )


def _device(start: Mapping[str, str]) -> str:
    count = start.get("devices", "1")
    return start["device"] if count == "1" else f"{count} x {start['device']}"
