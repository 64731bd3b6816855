"""Evaluates images against a reference: one pass over each set, any number of metrics, and a record."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from impasto.errors import EvaluationError, did_you_mean
from impasto.evaluation.extraction import Column, Extracted, Looks, extract
from impasto.evaluation.extractors import Extractor
from impasto.evaluation.images import ImageSet, Pictures
from impasto.evaluation.metrics import METRICS, Case
from impasto.evaluation.mifid import EPS
from impasto.evaluation.pixel_columns import Colours, LikenessToPhoto, LikenessToTarget
from impasto.evaluation.record import Record
from impasto.evaluation.statistics import Statistics

Progress = Callable[[str, int, int], None]
"""Called with the name of the set that is read, the images done and the images in all."""


@dataclass(frozen=True)
class MetricOptions:
    """What to measure, and how."""

    metrics: Sequence[str]
    seed: int = 0
    allow_small: bool = False
    """Whether to compute FID of fewer than 100 images."""
    mifid_threshold: float = EPS
    """MiFID has no penalty from this mean distance to the reference on: docs/methods/evaluation.md, A2."""
    cache: Path | None = None
    """Folder of the columns. Default: in impasto's cache."""


@dataclass(frozen=True)
class Verdict:
    """A record, and the case that it was made from. Pages show parts of it."""

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
    """Measure images against a reference; `memorised` is the set that may have been copied. Default: the reference.

    Raises EvaluationError for a metric that is not known or cannot be measured on these images.
    """
    begun = time.monotonic()
    check_metrics(options.metrics, reference)
    saved, against = (reference, None) if isinstance(reference, Statistics) else (None, reference)
    needed = {METRICS[name].column for name in options.metrics}
    looks = Looks(extractor) if extractor is not None and "features" in needed else None
    shared: list[Column] = [column for column in (looks, Colours() if "colours" in needed else None) if column]
    ssim = _likeness(what, against) if "ssim" in needed else None

    def look(images: ImageSet, columns: Sequence[Column]) -> Extracted:
        told: Any = None if progress is None else lambda done, total: progress(images.name, done, total)
        return extract(images, columns, told, options.cache)

    case = Case(
        what=look(what, [*shared, *([ssim] if ssim else [])]),
        reference=look(against, shared) if against is not None else None,
        saved=saved,
        memorised=look(memorised, [looks] if looks else []) if memorised is not None else None,
        extractor=extractor,
        identity=looks.identity if looks else "",
        ssim=ssim.identity if ssim else "",
        seed=options.seed,
        allow_small=options.allow_small,
        mifid_threshold=options.mifid_threshold,
    )
    measures = [measure for name in options.metrics for measure in METRICS[name].measure(case)]
    sides = [side for side in (case.what, case.reference, case.memorised) if side is not None]
    warnings = [warning for side in sides for warning in side.warnings] + case.warnings
    if looks and extractor and not extractor.about.comparable:
        warnings.append(f"{extractor.about.name}: not comparable with published figures, only with its own")
    record = Record(
        what=what.name,
        what_digest=what.digest,
        reference=reference.name if reference is not None else "",
        reference_digest=reference.digest if reference is not None else "",
        images=len(case.what),
        reference_images=saved.moments.count if saved else len(case.reference) if case.reference else 0,
        seed=options.seed,
        extractor=extractor.about if looks and extractor else None,
        measures=tuple(measures),
        warnings=tuple(dict.fromkeys(warnings)),
        seconds=round(time.monotonic() - begun, 1),
    )
    return Verdict(record, case)


def check_metrics(metrics: Sequence[str], reference: object | None) -> None:
    """Raise EvaluationError for an unknown metric, or one that needs a reference if there is none."""
    for name in metrics:
        if name not in METRICS:
            raise EvaluationError(f"--metrics: there is no metric {name}{did_you_mean(name, METRICS)}")
        if METRICS[name].compares and reference is None:
            raise EvaluationError(f"{name} compares with a reference; pass --against DIR")
    if isinstance(reference, Statistics):
        check_statistics_do(metrics)


def check_statistics_do(metrics: Sequence[str]) -> None:
    """Raise EvaluationError for a metric that needs more of a reference than its saved statistics."""
    for name in metrics:
        if name in METRICS and METRICS[name].compares and not METRICS[name].statistics:
            raise EvaluationError(
                f"{name} needs the reference's images; pass --against DIR, or --metrics fid for saved statistics"
            )


def needs_features(metrics: Sequence[str]) -> bool:
    """Whether any of these metrics needs an extractor."""
    return any(METRICS[name].column == "features" for name in metrics if name in METRICS)


def _likeness(what: ImageSet, against: ImageSet | None) -> Column:
    if what.photos_known:
        return LikenessToPhoto()
    if not isinstance(against, Pictures):
        raise EvaluationError("ssim compares paintings with their photos, or pictures with targets; pass --against DIR")
    return LikenessToTarget(against)
