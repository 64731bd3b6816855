"""The table of metrics: each turns a `Case` (images with their columns) into values (docs/methods/evaluation.md)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from torch import Tensor

from impasto.errors import EvaluationError
from impasto.evaluation.by_class import fid_by_class
from impasto.evaluation.colour import percent_error
from impasto.evaluation.extraction import Extracted
from impasto.evaluation.extractors import Extractor
from impasto.evaluation.frechet import Frechet, Moments, frechet_distance
from impasto.evaluation.inception_score import inception_score
from impasto.evaluation.kernel_distance import kernel_distance
from impasto.evaluation.mifid import memorisation_distances, mifid
from impasto.evaluation.neighbours import prdc
from impasto.evaluation.record import Interval, Measure
from impasto.evaluation.similarity import UNTOUCHED, left_untouched
from impasto.evaluation.statistics import Statistics, statistics_of
from impasto.evaluation.top1 import top1, wilson

FEWEST_IMAGES = 100
"""With fewer images, a Fréchet distance depends more on their number than on the images."""
FULL_RANK = 2048
"""Number of images from which a covariance of Inception features can have full rank."""
SPLITS = 10
"""Splits of the Inception Score."""
WIDTH_OF_95 = 1.96
"""Half the width of an interval that holds 95 % of a normal distribution, in standard deviations."""

Column = Literal["features", "colours", "ssim"]


@dataclass
class Case:
    """The images to evaluate and what they are compared with."""

    what: Extracted
    reference: Extracted | None
    saved: Statistics | None
    """Statistics from a file, if there are no reference images."""
    memorised: Extracted | None
    """Images that may have been memorised, if they are not the reference."""
    extractor: Extractor | None
    identity: str
    """Identity of the extractor's column."""
    ssim: str
    """Identity of the column of structural similarities (SSIM)."""
    seed: int
    allow_small: bool
    mifid_threshold: float
    warnings: list[str] = field(default_factory=list)

    def features(self, extracted: Extracted) -> Tensor:
        """Return the features [N, d] of one side."""
        assert self.extractor is not None
        return extracted.columns[self.identity][:, : self.extractor.dimensions]

    def probabilities(self, metric: str) -> Tensor:
        """Return the class probabilities [N, K] of the evaluated images.

        Raises EvaluationError for an extractor without classes.
        """
        assert self.extractor is not None
        if not self.extractor.classes:
            raise EvaluationError(
                f"{metric} needs class probabilities, which {self.extractor.about.name} does not have; "
                "use the features inception-2015 or inception-imagenet, or a classifier's run"
            )
        return self.what.columns[self.identity][:, self.extractor.dimensions :]

    def statistics(self, extracted: Extracted) -> Moments:
        """Return the moments of one side's features."""
        assert self.extractor is not None
        return statistics_of(extracted, self.identity, self.extractor.about, self.extractor.dimensions).moments

    @cached_property
    def frechet(self) -> Frechet:
        """The Fréchet distance. Adds a warning if there are few images.

        Raises EvaluationError for fewer than FEWEST_IMAGES images on one side, unless small sets are allowed.
        """
        theirs = self.saved.moments if self.saved is not None else self.statistics(self.required_reference("fid"))
        mine = self.statistics(self.what)
        fewest = min(mine.count, theirs.count)
        if fewest < FEWEST_IMAGES and not self.allow_small:
            raise EvaluationError(
                f"fid of {fewest} images means little; use at least {FEWEST_IMAGES} images on each side, or pass "
                "--allow-small"
            )
        if fewest < FULL_RANK:
            self.warnings.append(
                f"fid: fewer than {FULL_RANK:,} images ({mine.count:,} against {theirs.count:,}); it is biased upwards "
                "and comparable only with values from the same number of images"
            )
        found = frechet_distance(mine, theirs)
        if found.rank_deficient:
            self.warnings.append("fid: fewer images than features, so a covariance is singular; but FID is defined")
        return found

    def required_reference(self, metric: str) -> Extracted:
        """Return the reference. Raises EvaluationError if there is none, or if only its statistics are known."""
        if self.reference is None:
            raise EvaluationError(f"{metric} needs the reference's images; pass --against DIR, not saved statistics")
        return self.reference


def _fid(case: Case) -> list[Measure]:
    found = case.frechet
    details = {
        "mean_term": found.mean_term,
        "covariance_term": found.covariance_term,
        "discarded": found.discarded,
        "rank_deficient": found.rank_deficient,
    }
    return [Measure("fid", found.value, better="lower", details=details)]


def _fid_by_class(case: Case) -> list[Measure]:
    real, generated = (
        {label: Moments.of(rows) for label, rows in _by_class(case, side).items()}
        for side in (case.required_reference("fid-by-class"), case.what)
    )
    found = fid_by_class(real, generated)
    details = {
        "by_class": {name: each.distance.value for name, each in found.classes.items()},
        "counts": {name: [each.real, each.generated] for name, each in found.classes.items()},
        "rank_deficient": [name for name, each in found.classes.items() if each.distance.rank_deficient],
        "correlation_with_log_count": found.correlation,
    }
    fewest = min(min(each.real, each.generated) for each in found.classes.values())
    if fewest < FULL_RANK:
        case.warnings.append(
            f"fid-by-class: a class has only {fewest:,} images; compare only classes of similar counts, or use kid"
        )
    return [Measure("fid-by-class", found.mean, better="lower", details=details)]


def _by_class(case: Case, side: Extracted) -> dict[str, Tensor]:
    labels, features = side.labels, case.features(side)
    if None in labels:
        raise EvaluationError(
            f"fid-by-class needs a class for every image, but {labels.count(None):,} of {side.images.name} have none; "
            "sort them into class folders, or set --label"
        )
    names = sorted({label for label in labels if label is not None})
    return {name: features[[place for place, label in enumerate(labels) if label == name]] for name in names}


def _kid(case: Case) -> list[Measure]:
    found = kernel_distance(case.features(case.what), case.features(case.required_reference("kid")), seed=case.seed)
    details = {"subsets": found.subsets, "size": found.size}
    whole = found.size == min(len(case.what), len(case.required_reference("kid")))
    if whole:
        case.warnings.append(f"kid: each subset holds all {found.size} images of one side, so its spread means little")
    return [Measure("kid", found.mean, None if whole else found.std, None, "lower", details)]


def _mifid(case: Case) -> list[Measure]:
    memorised = case.memorised if case.memorised is not None else case.required_reference("mifid")
    distances = memorisation_distances(case.features(case.what), case.features(memorised))
    found = mifid(case.frechet.value, distances, case.mifid_threshold)
    details = {
        "fid": found.fid,
        "distance": found.distance,
        "thresholded": found.thresholded,
        "threshold": case.mifid_threshold,
        "memorised_from": memorised.images.name,
        "means": "the penalty measures copying, not diversity",
    }
    return [Measure("mifid", found.value, better="lower", details=details)]


def _inception_score(case: Case) -> list[Measure]:
    probabilities = case.probabilities("is")
    mean, deviation = inception_score(probabilities, SPLITS)
    half = WIDTH_OF_95 * deviation / math.sqrt(SPLITS - 1)  # `deviation` is the population deviation
    assert case.extractor is not None
    details = {
        "splits": SPLITS,
        "classes": len(case.extractor.classes),
        "classifier_accuracy": case.extractor.accuracy,
        "interval": "of the mean of the splits",
    }
    return [Measure("is", mean, deviation, Interval(mean - half, mean + half), "higher", details)]


def _prdc(case: Case) -> list[Measure]:
    found = prdc(case.features(case.required_reference("prdc")), case.features(case.what))
    nearest = {"precision": 3, "recall": 3, "density": 5, "coverage": 5}
    return [
        Measure(name, getattr(found, name), better="higher", details={"nearest": nearest[name]}) for name in nearest
    ]


def _top1(case: Case) -> list[Measure]:
    assert case.extractor is not None
    labels = case.what.labels
    if None in labels:
        raise EvaluationError(
            f"top1 needs the requested class of every image, but {labels.count(None):,} of {case.what.images.name} "
            "have none; sort them into class folders, or set --label"
        )
    classes = case.extractor.classes
    if not case.extractor.knows_names:
        raise EvaluationError(
            f"top1 needs a classifier of these classes, but {case.extractor.about.name} does not know them; "
            "use the run of an inception-classifier as features"
        )
    predicted = case.probabilities("top1").argmax(dim=1).tolist()
    found = top1([classes[number] for number in predicted], [str(label) for label in labels], classes)
    details = {
        "by_class": {name: share._asdict() for name, share in found.by_class.items()},
        "confusion": found.confusion.tolist(),
        "classes": list(classes),
        "chance": found.chance,
        "classifier_accuracy": case.extractor.accuracy,
        "interval": "Wilson",
    }
    share = found.overall
    return [Measure("top1", share.value, interval=share.interval, better="higher", details=details)]


def _ssim(case: Case) -> list[Measure]:
    values = case.what.columns[case.ssim][:, 0].double()
    to_photo = case.what.images.photos_known
    details = {"compared_with": "the photo" if to_photo else "the target of the same name", "data_range": 255}
    ssim = Measure("ssim", float(values.mean()), float(values.std(correction=0)), details=details)
    if not to_photo:
        return [Measure(ssim.name, ssim.value, ssim.spread, better="higher", details=details)]
    share = left_untouched(values.tolist())
    interval = wilson(round(share * len(values)), len(values))
    return [
        ssim,
        Measure("left-untouched", share, None, interval, "lower", {"ssim_above": UNTOUCHED, "interval": "Wilson"}),
    ]


def _colour(case: Case) -> list[Measure]:
    mine = _colours(case.what)
    if case.reference is None:
        return [Measure("colour", mine["mean_norm"], details=mine)]
    theirs = _colours(case.reference)
    errors = percent_error(np.array(theirs["mean"]), np.array(mine["mean"])).tolist()
    details = {
        **mine,
        **{f"reference_{name}": value for name, value in theirs.items()},
        "difference_of_means": [r - m for r, m in zip(theirs["mean"], mine["mean"], strict=True)],
        "percent_error": [error if math.isfinite(error) else None for error in errors],
    }
    return [Measure("colour", math.dist(theirs["mean"], mine["mean"]), better="lower", details=details)]


def _colours(extracted: Extracted) -> dict[str, Any]:
    """Return the mean colour figures of a set. Each image has the same weight."""
    found = extracted.columns["colours"].double().mean(dim=0).tolist()
    return {"mean": found[:3], "variance": found[3:6], "mean_norm": found[6], "saturation": found[7]}


class Metric(NamedTuple):
    """How a metric is computed, and what it needs."""

    measure: Callable[[Case], list[Measure]]
    column: Column
    description: str
    compares: bool = True
    """Whether it needs a reference."""
    statistics: bool = False
    """Whether saved statistics of the reference are enough."""


METRICS: Mapping[str, Metric] = {
    "fid": Metric(_fid, "features", "Fréchet distance of the features (lower is better)", statistics=True),
    "fid-by-class": Metric(_fid_by_class, "features", "FID of each class, and their mean"),
    "kid": Metric(_kid, "features", "kernel distance, unbiased with few images (lower)"),
    "mifid": Metric(_mifid, "features", "FID with Kaggle's penalty for copying (lower)"),
    "is": Metric(_inception_score, "features", "Inception Score (higher)", compares=False),
    "prdc": Metric(_prdc, "features", "precision, recall, density and coverage (higher)"),
    "top1": Metric(_top1, "features", "share recognised as the requested class (higher)", compares=False),
    "ssim": Metric(_ssim, "ssim", "structural similarity to the photo or target", compares=False),
    "colour": Metric(_colour, "colours", "mean colours, their variance and difference", compares=False),
}
