"""`impasto evaluate`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.table import Table

from impasto.cli.bars import counted, passes
from impasto.cli.console import console, escape
from impasto.cli.features import open_features
from impasto.cli.options import Device
from impasto.cli.outputs import check_new
from impasto.durations import in_words
from impasto.errors import EvaluationError
from impasto.evaluation.copy_search import find_copies
from impasto.evaluation.evaluate import (
    MetricOptions,
    Verdict,
    check_metrics,
    check_statistics_suffice,
    evaluate,
    needs_features,
)
from impasto.evaluation.extractors import Extractor, ExtractorOptions, Precision
from impasto.evaluation.images import Readable, open_pictures
from impasto.evaluation.record import Measure, Record
from impasto.evaluation.statistics import save_statistics, statistics_of
from impasto.evaluation.subject import SubjectOptions, open_reference, open_subject
from impasto.files import write_text
from impasto.gallery.memorisation_page import write_memorisation_page
from impasto.hardware import chosen_device, keep_large_blocks


@dataclass(frozen=True)
class EvaluateOptions:
    """Options of `impasto evaluate`."""

    what: str
    against: str | None
    metrics: str
    features: str
    features_weights: Path | None
    precision: Precision
    device: Device
    subject: SubjectOptions
    allow_small: bool
    memorised: str | None
    mifid_threshold: float
    record_file: Path | None
    statistics_file: Path | None
    copies_page: Path | None
    overwrite: bool


def evaluate_command(options: EvaluateOptions) -> None:
    """Measure and print the metrics; write the record, the statistics and the page that were asked for."""
    metrics = [name.strip() for name in options.metrics.split(",") if name.strip()]
    _check(options, metrics)
    keep_large_blocks()
    device = torch.device(chosen_device(options.device, "--device"))
    extractor = _extractor(options, metrics, device)
    subject = open_subject(options.what, options.subject, device)
    reference = open_reference(options.against, options.subject, extractor) if options.against else None
    memorised = open_pictures(options.memorised) if options.memorised else None
    metric_options = MetricOptions(metrics, options.subject.seed, options.allow_small, options.mifid_threshold)
    with passes() as progress:
        verdict = evaluate(subject, reference, extractor, metric_options, memorised=memorised, progress=progress)
    console.print(table_of(verdict.record))
    _print_facts(verdict.record)
    if options.record_file:
        write_text(options.record_file, json.dumps(verdict.record.to_json(), indent=1) + "\n")
        console.print(f"Record as JSON: {escape(str(options.record_file))}")
    if options.statistics_file:
        _save_statistics(verdict, options.statistics_file)
    if options.copies_page:
        _write_copies(verdict, options.copies_page)


def _check(options: EvaluateOptions, metrics: list[str]) -> None:
    """Refuse at once what would fail only after all images were measured."""
    if options.against and options.against.endswith(".safetensors"):
        check_statistics_suffice(metrics)
    check_metrics(metrics, options.against)
    path = options.statistics_file
    if path is not None and not needs_features(metrics):
        raise EvaluationError("--output-statistics needs a metric that uses features, such as fid")
    if path is not None and path.suffix != ".safetensors":
        raise EvaluationError(f"--output-statistics: {path} must end in .safetensors, so that --against recognises it")
    for option, target in {
        "--output": options.record_file,
        "--output-statistics": path,
        "--output-copies": options.copies_page,
    }.items():
        check_new(target, overwrite=options.overwrite, option=option)
    against = options.memorised or options.against
    if options.copies_page is not None and (against is None or against.endswith(".safetensors")):
        raise EvaluationError(
            "--output-copies compares with training pictures; pass them with --against DIR or --memorised DIR"
        )


def _extractor(options: EvaluateOptions, metrics: list[str], device: torch.device) -> Extractor | None:
    if not needs_features(metrics):
        return None
    return open_features(options.features, ExtractorOptions(options.features_weights, device, options.precision))


def table_of(record: Record) -> Table:
    """Return the metrics with their intervals, as a table."""
    table = Table(box=None, pad_edge=False, show_header=True, header_style="dim")
    table.add_column("metric")
    table.add_column("value", justify="right")
    table.add_column("95 % interval", justify="right")
    table.add_column("better", style="dim")
    table.add_column("", style="dim")
    for measure in record.measures:
        table.add_row(measure.name, number(measure.value), _interval(measure), measure.better or "", _remark(measure))
    return table


def number(value: float) -> str:
    """Return a value with four significant digits."""
    return f"{value:,.0f}" if abs(value) >= 1e5 else f"{value:.4g}"


def _interval(measure: Measure) -> str:
    return f"{number(measure.interval.low)} … {number(measure.interval.high)}" if measure.interval else ""


def _remark(measure: Measure) -> str:
    details = measure.details
    if measure.name == "mifid":
        distances = f"distance {details['distance']:.4f}, thresholded {details['thresholded']:.4f}"
        return f"fid {number(details['fid'])}, {distances}"
    if measure.name == "top1":
        return f"chance {details['chance']:.1%}{_accuracy(details)}"
    if measure.name == "is":
        return f"of {details['classes']} classes{_accuracy(details)}"
    if measure.name == "fid-by-class":
        correlation = details["correlation_with_log_count"]
        correlated = "" if correlation is None else f", correlation with log count {correlation:.2f}"
        return f"mean of {len(details['by_class'])} classes{correlated}"
    if measure.name == "colour":
        return "mean colour " + ", ".join(f"{value:.1f}" for value in details["mean"])
    return ""


def _accuracy(details: Mapping[str, Any]) -> str:
    """Return how accurate the classifier is: its scores of a painter are no better than that."""
    accuracy = details["classifier_accuracy"]
    return "" if accuracy is None else f", classifier right on {accuracy:.1%} of held-out pictures"


def _print_facts(record: Record) -> None:
    sides = f"{record.images:,} images of {record.what}"
    against = f" against {record.reference_images:,} of {record.reference}" if record.reference else ""
    by = ""
    if record.extractor is not None:
        about = record.extractor
        by = f", features {about.name} ({about.weights or 'no weights'}, {about.resize}, {about.precision})"
    console.print(f"[dim]{escape(sides + against + by)}, {in_words(record.seconds)}[/]")
    for warning in record.warnings:
        console.print(f"  [yellow]note:[/] {escape(warning)}")


def _save_statistics(verdict: Verdict, path: Path) -> None:
    case = verdict.case
    assert case.extractor is not None
    save_statistics(statistics_of(case.what, case.identity, case.extractor.about, case.extractor.dimensions), path)
    console.print(f"Statistics of {escape(verdict.record.what)}: {escape(str(path))}; use them with --against")


def _write_copies(verdict: Verdict, page: Path) -> None:
    """Compare every image with the training pictures, and write the page that shows copies."""
    case, record = verdict.case, verdict.record
    training = case.memorised or case.reference
    assert training is not None
    mine, theirs = (Readable(side.images, side.places) for side in (case.what, training))
    has_features = bool(case.identity) and case.identity in training.columns
    features = [case.features(side) for side in (case.what, training)] if has_features else (None, None)
    with counted("compared", "the comparison is not kept") as progress:
        copies = find_copies(mine, theirs, features[0], features[1], progress=progress)
    facts = {"images": f"{len(mine):,} of {record.what}", "training pictures": training.images.name}
    if record.extractor is not None:
        facts["features"] = record.extractor.name
    write_memorisation_page(copies, mine, theirs, page, f"Is {record.what} copying?", facts)
    console.print(f"{escape(copies.verdict())} {escape(str(page))}")
