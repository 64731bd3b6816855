"""Compares images with a reference: one pass over each set, any number of metrics, and a record to repeat it by."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from impasto.errors import EvaluationError, did_you_mean
from impasto.evaluation.extraction import Column, Extracted, FeatureColumn, extract
from impasto.evaluation.extractors import Extractor
from impasto.evaluation.images import ImageSet, Pictures
from impasto.evaluation.metrics import METRICS, Case
from impasto.evaluation.mifid import EPS
from impasto.evaluation.pixel_columns import Colours, LikenessToPhoto, LikenessToTarget
from impasto.evaluation.record import Record
from impasto.evaluation.statistics import Statistics

Progress = Callable[[str, int, int], None]
"""Called with the name of the image set, the number of images done and the total."""


@dataclass(frozen=True)
class MetricOptions:
    """Which metrics to compute, and how."""

    metrics: Sequence[str]
    seed: int = 0
    allow_small: bool = False
    """Whether to compute FID from fewer than 100 images."""
    mifid_threshold: float = EPS
    """Mean memorisation distance from which MiFID adds no penalty (docs/methods/evaluation.md)."""
    cache: Path | None = None
    """Folder that keeps computed columns. Default: impasto's cache."""


@dataclass(frozen=True)
class Verdict:
    """A record, and the data it was computed from, for pages that show more."""

    record: Record
    case: Case


def evaluate(
    what: ImageSet,
    reference: ImageSet | Statistics | None,
    extractor: Extractor | None,
    options: MetricOptions,
    *,
    memorised: ImageSet | None = None,
    progress: Progress | None = None,
) -> Verdict:
    """Compare images with a reference. `memorised` holds pictures that may have been copied (default: the reference).

    Raises EvaluationError for an unknown metric, and for one that cannot be computed from these images.
    """
    started = time.monotonic()
    check_metrics(options.metrics, reference)
    saved, against = (reference, None) if isinstance(reference, Statistics) else (None, reference)
    needed = {METRICS[name].column for name in options.metrics}
    feature_column = FeatureColumn(extractor) if extractor is not None and "features" in needed else None
    shared: list[Column] = [column for column in (feature_column, Colours() if "colours" in needed else None) if column]
    ssim = _likeness(what, against) if "ssim" in needed else None

    def extract_columns(images: ImageSet, columns: Sequence[Column]) -> Extracted:
        report: Any = None if progress is None else lambda done, total: progress(images.name, done, total)
        return extract(images, columns, report, options.cache)

    case = Case(
        what=extract_columns(what, [*shared, *([ssim] if ssim else [])]),
        reference=extract_columns(against, shared) if against is not None else None,
        saved=saved,
        memorised=None if memorised is None else extract_columns(memorised, [feature_column] if feature_column else []),
        extractor=extractor,
        identity=feature_column.identity if feature_column else "",
        ssim=ssim.identity if ssim else "",
        seed=options.seed,
        allow_small=options.allow_small,
        mifid_threshold=options.mifid_threshold,
    )
    measures = [measure for name in options.metrics for measure in METRICS[name].measure(case)]
    sides = [side for side in (case.what, case.reference, case.memorised) if side is not None]
    warnings = [warning for side in sides for warning in side.warnings] + case.warnings
    if feature_column and extractor and not extractor.about.comparable:
        warnings.append(f"{extractor.about.name}: not comparable with published values, only with its own values")
    record = Record(
        what=what.name,
        what_digest=what.digest,
        reference=reference.name if reference is not None else "",
        reference_digest=reference.digest if reference is not None else "",
        images=len(case.what),
        reference_images=saved.moments.count if saved else len(case.reference) if case.reference else 0,
        seed=options.seed,
        extractor=extractor.about if feature_column and extractor else None,
        measures=tuple(measures),
        warnings=tuple(dict.fromkeys(warnings)),
        seconds=round(time.monotonic() - started, 1),
    )
    return Verdict(record, case)


def check_metrics(metrics: Sequence[str], reference: object | None) -> None:
    """Raise EvaluationError for an unknown metric, and for one that needs a reference if there is none."""
    for name in metrics:
        if name not in METRICS:
            raise EvaluationError(f"--metrics: there is no metric {name}{did_you_mean(name, METRICS)}")
        if METRICS[name].compares and reference is None:
            raise EvaluationError(f"{name} compares with a reference; pass --against DIR")
    if isinstance(reference, Statistics):
        check_statistics_suffice(metrics)


def check_statistics_suffice(metrics: Sequence[str]) -> None:
    """Raise EvaluationError for a metric that needs the reference's images, not only its saved statistics."""
    for name in metrics:
        if name in METRICS and METRICS[name].compares and not METRICS[name].statistics:
            raise EvaluationError(f"{name} needs the reference's images; pass --against DIR, or use --metrics fid")


def needs_features(metrics: Sequence[str]) -> bool:
    """Whether any of these metrics needs a feature extractor."""
    return any(METRICS[name].column == "features" for name in metrics if name in METRICS)


def _likeness(what: ImageSet, against: ImageSet | None) -> Column:
    if what.photos_known:
        return LikenessToPhoto()
    if not isinstance(against, Pictures):
        raise EvaluationError("ssim compares paintings with their photos, or pictures with targets; pass --against DIR")
    return LikenessToTarget(against)
