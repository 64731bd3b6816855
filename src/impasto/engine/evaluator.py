"""Evaluates the painter of a run at intervals during training."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from impasto.data.dataset import Dataset
from impasto.errors import RecipeError
from impasto.evaluation.evaluate import MetricOptions, check_metrics, evaluate, needs_features
from impasto.evaluation.extractors import ExtractorOptions, open_extractor
from impasto.evaluation.images import Pictures, painted_set, some
from impasto.evaluation.record import Record
from impasto.painter import Painter
from impasto.recipe import Recipe

FEWEST = {"is": 10, "prdc": 6}
"""Fewest images for which a metric is defined: ten splits, and five neighbours."""


class TrainingEvaluator:
    """Computes the metrics of a run. It is made before the first step, so that missing weights stop a run at once."""

    def __init__(self, recipe: Recipe, dataset: Dataset, device: torch.device) -> None:
        """Open the features and the real pictures.

        Raises RecipeError where the data has nothing to compare with, EvaluationError for metrics or features that are
        not known, or weights that are missing.
        """
        assert recipe.evaluation is not None
        options = recipe.evaluation
        self.options, self.paint_options, self.spec = options, recipe.paint, dataset.spec
        exhibits = dataset.exhibits()
        if not exhibits.real:
            raise RecipeError(
                "recipe", ["evaluation: this data has no real pictures to compare paintings with; leave it out"]
            )
        self.real = Pictures("the real paintings", exhibits.real, exhibits.attribute)
        self.learned = Pictures("the paintings learned from", exhibits.learned)
        self.photos = some(Pictures("the photos", exhibits.photos), options.images, seed=0)
        self.short_side = recipe.data.short_side
        check_metrics(options.metrics, self.real)
        settings = ExtractorOptions(options.weights, device)
        self.extractor = open_extractor(options.features, settings) if needs_features(options.metrics) else None
        if problems := list(self._problems()):
            raise RecipeError("recipe", problems)

    def _problems(self) -> Iterator[str]:
        """Yield which metrics cannot be computed on this data with these features, before training starts."""
        classes = self.extractor.classes if self.extractor is not None else ()
        count = len(self.photos) or self.options.images
        for metric in self.options.metrics:
            if metric in ("is", "top1") and not classes:
                yield f"evaluation.features: {self.options.features} recognises no classes, which {metric} needs"
            if metric in ("fid-by-class", "top1") and not self.spec.classes:
                yield f"evaluation.metrics: {metric} needs a method that paints classes, and this one does not"
            elif metric == "top1" and (unknown := sorted(set(self.spec.classes_of_first()) - set(classes))):
                yield f"evaluation.features: {self.options.features} does not know the class {unknown[0]}"
            if count < FEWEST.get(metric, 2):
                yield f"evaluation.images: {metric} needs {FEWEST[metric]} images, and there are {count}"

    def evaluate(self, painter: Painter[Any]) -> Record:
        """Return the metrics of the painter's present weights; the same at every call for the same weights."""
        subject = painted_set(
            painter,
            self.paint_options,
            "this run",
            "learning",
            self.spec,
            photos=self.photos,
            short_side=self.short_side,
            count=self.options.images,
        )
        subject.lasting = False
        metric_options = MetricOptions(self.options.metrics, allow_small=True)
        return evaluate(subject, self.real, self.extractor, metric_options, memorised=self.learned).record
