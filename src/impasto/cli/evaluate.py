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
from impasto.durations import in_words
from impasto.errors import EvaluationError
from impasto.evaluation.copies import find_copies
from impasto.evaluation.evaluate import (
    Question,
    Verdict,
    check_metrics,
    check_statistics_do,
    evaluate,
    needs_features,
)
from impasto.evaluation.extractors import Extractor, Precision, Settings
from impasto.evaluation.images import Readable, open_pictures
from impasto.evaluation.record import Measure, Record
from impasto.evaluation.statistics import save_statistics, statistics_of
from impasto.evaluation.subject import SubjectOptions, open_reference, open_subject
from impasto.files import write_text
from impasto.gallery.memorisation import write_memorisation_page
from impasto.hardware import chosen_device, keep_large_blocks


@dataclass(frozen=True)
class Wanted:
    """What the command line said."""

    what: str
    against: str | None
    metrics: str
    features: str
    weights: Path | None
    precision: Precision
    device: Device
    wishes: SubjectOptions
    allow_small: bool
    memorised: str | None
    mifid_threshold: float
    json_file: Path | None
    statistics_file: Path | None
    copies_page: Path | None


def evaluate_command(wanted: Wanted) -> None:
    """Judge, and say what was found; write the record, the statistics and the page that were asked for."""
    metrics = [name.strip() for name in wanted.metrics.split(",") if name.strip()]
    _check(wanted, metrics)
    keep_large_blocks()
    device = torch.device(chosen_device(wanted.device, "--device"))
    extractor = _extractor(wanted, metrics, device)
    subject = open_subject(wanted.what, wanted.wishes, device)
    reference = open_reference(wanted.against, wanted.wishes, extractor) if wanted.against else None
    memorised = open_pictures(wanted.memorised) if wanted.memorised else None
    question = Question(metrics, wanted.wishes.seed, wanted.allow_small, wanted.mifid_threshold)
    with passes() as progress:
        verdict = evaluate(subject, reference, extractor, question, memorised=memorised, progress=progress)
    console.print(table_of(verdict.record))
    _say(verdict.record)
    if wanted.json_file:
        write_text(wanted.json_file, json.dumps(verdict.record.to_json(), indent=1) + "\n")
        console.print(f"Everything in plain values: {escape(str(wanted.json_file))}")
    if wanted.statistics_file:
        _save_statistics(verdict, wanted.statistics_file)
    if wanted.copies_page:
        _write_copies(verdict, wanted.copies_page)


def _check(wanted: Wanted, metrics: list[str]) -> None:
    """Refuse what would only fail after the images were looked at."""
    if wanted.against and wanted.against.endswith(".safetensors"):
        check_statistics_do(metrics)
    check_metrics(metrics, wanted.against)
    path = wanted.statistics_file
    if path is not None and not needs_features(metrics):
        raise EvaluationError("--save-statistics needs a metric of features, such as fid")
    if path is not None and path.suffix != ".safetensors":
        raise EvaluationError(f"--save-statistics: {path} must end in .safetensors, by which --against knows it")
    against = wanted.memorised or wanted.against
    if wanted.copies_page is not None and (against is None or against.endswith(".safetensors")):
        raise EvaluationError("--copies compares with training pictures; say --against DIR or --memorised DIR")


def _extractor(wanted: Wanted, metrics: list[str], device: torch.device) -> Extractor | None:
    if not needs_features(metrics):
        return None
    return open_features(wanted.features, Settings(wanted.weights, device, wanted.precision))


def table_of(record: Record) -> Table:
    """Return the figures with their intervals, as a table."""
    table = Table(box=None, pad_edge=False, show_header=True, header_style="dim")
    table.add_column("measure")
    table.add_column("value", justify="right")
    table.add_column("95 % interval", justify="right")
    table.add_column("better", style="dim")
    table.add_column("", style="dim")
    for measure in record.measures:
        table.add_row(measure.name, number(measure.value), _interval(measure), measure.better or "", _remark(measure))
    return table


def number(value: float) -> str:
    """Return a figure with four digits that mean something."""
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
        said = "" if correlation is None else f", correlation with log count {correlation:.2f}"
        return f"mean of {len(details['by_class'])} classes{said}"
    if measure.name == "colour":
        return "mean colour " + ", ".join(f"{value:.1f}" for value in details["mean"])
    return ""


def _accuracy(details: Mapping[str, Any]) -> str:
    """Say how good the classifier is: its score of a painter means no more than that."""
    accuracy = details["classifier_accuracy"]
    return "" if accuracy is None else f", classifier right on {accuracy:.1%} of held-out pictures"


def _say(record: Record) -> None:
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
    """Compare every image with what may have been learned by heart, and write the page of it."""
    case, record = verdict.case, verdict.record
    training = case.memorised or case.reference
    assert training is not None
    mine, theirs = (Readable(side.images, side.places) for side in (case.what, training))
    has_features = bool(case.identity) and case.identity in training.columns
    features = [case.features(side) for side in (case.what, training)] if has_features else (None, None)
    with counted("compared", "nothing is kept of the comparison") as progress:
        copies = find_copies(mine, theirs, features[0], features[1], progress=progress)
    facts = {"images": f"{len(mine):,} of {record.what}", "training pictures": training.images.name}
    if record.extractor is not None:
        facts["features"] = record.extractor.name
    write_memorisation_page(copies, mine, theirs, page, f"Is {record.what} copying?", facts)
    console.print(f"{escape(copies.verdict())} {escape(str(page))}")
