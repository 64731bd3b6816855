"""The judge at a run's side: evaluates what the painter paints now and then while it learns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from impasto.data.batches import Labels
from impasto.data.dataset import DataOptions, Dataset
from impasto.errors import RecipeError
from impasto.evaluation.evaluate import Question, check_metrics, evaluate, needs_features
from impasto.evaluation.extractors import Settings, open_extractor
from impasto.evaluation.images import Drawn, ImageSet, Painted, Pictures, some
from impasto.evaluation.record import Record
from impasto.method import Painter
from impasto.recipe import EvaluationOptions

FEWEST = {"is": 10, "prdc": 6}
"""Images without which a metric is not defined: ten splits, and five neighbours."""


class Judge:
    """Opened before the first step, so that weights that are missing stop a run at once and not after hours."""

    def __init__(self, options: EvaluationOptions, data: DataOptions, dataset: Dataset, device: torch.device) -> None:
        """Open the features and the real pictures.

        Raises RecipeError where the data has nothing to compare with, EvaluationError for metrics or features that are
        not known, or weights that are missing.
        """
        self.options, self.spec = options, dataset.spec
        exhibits = dataset.exhibits()
        if not exhibits.real:
            raise RecipeError("recipe", ["evaluation: this data holds nothing to compare paintings with; leave it out"])
        self.real = Pictures("the real paintings", exhibits.real, exhibits.attribute)
        self.learned = Pictures("the paintings learned from", exhibits.learned)
        self.photos = some(Pictures("the photos", exhibits.photos), options.images, seed=0)
        self.short_side = data.short_side
        check_metrics(options.metrics, self.real)
        settings = Settings(options.weights, device)
        self.extractor = open_extractor(options.features, settings) if needs_features(options.metrics) else None
        if problems := list(self._problems()):
            raise RecipeError("recipe", problems)

    def _problems(self) -> Iterator[str]:
        """Yield what cannot be measured of this data with these features: told now, not at the first measurement."""
        classes = self.extractor.classes if self.extractor is not None else ()
        count = len(self.photos) or self.options.images
        for metric in self.options.metrics:
            if metric in ("is", "top1") and not classes:
                yield f"evaluation.features: {self.options.features} tells no classes, which {metric} needs"
            if metric in ("fid-by-class", "top1") and not self.spec.classes:
                yield f"evaluation.metrics: {metric} needs paintings of classes, which this method does not paint"
            elif metric == "top1" and (unknown := sorted(set(self.spec.classes_of_first()) - set(classes))):
                yield f"evaluation.features: {self.options.features} does not know the class {unknown[0]}"
            if count < FEWEST.get(metric, 2):
                yield f"evaluation.images: {metric} needs {FEWEST[metric]} images, and there are {count}"

    def judge(self, painter: Painter[Any]) -> Record:
        """Return what is found of the painter's present weights; the same at every call for the same weights."""
        subject = self._painted(painter)
        subject.lasting = False
        question = Question(self.options.metrics, allow_small=True)
        return evaluate(subject, self.real, self.extractor, question, memorised=self.learned).record

    def _painted(self, painter: Painter[Any]) -> ImageSet:
        if painter.prompt_type is Labels:
            return Drawn(painter, "this run", "learning", self.spec, self.options.images, seed=0)
        return Painted(painter, "this run", "learning", self.photos, self.short_side)
