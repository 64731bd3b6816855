"""The metrics of a run during training, as its journal tells them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from impasto.gallery.run_reader import number
from impasto.recipe import VALIDATION, higher_is_better

UNKNOWN = "unknown"


class Setup(NamedTuple):
    """How a metric was measured. Values measured with different setups are never put side by side."""

    extractor: tuple[str, str, str, str] | None
    """Name, weights, resize and precision of the feature extractor; None where the metric needs none."""
    reference: str
    comparable: bool
    """Whether published figures use the same extractor, weights and resize."""


class Metric(NamedTuple):
    """A column of values that may be compared."""

    name: str
    setup: Setup


class MetricValue(NamedTuple):
    """One value of one run at one moment."""

    images_seen: int
    value: float
    """NaN where it could not be measured."""
    interval: tuple[float, float] | None
    spread: float | None
    better: Literal["lower", "higher"] | None
    images: int | None
    """Number of images that were evaluated."""


def read_metrics(entries: Iterable[Mapping[str, Any]]) -> dict[Metric, list[MetricValue]]:
    """Return the values of each metric, in the order they were measured."""
    found: dict[Metric, list[MetricValue]] = {}
    for entry in entries:
        if entry["kind"] == "metrics":
            for metric, value in _values(entry):
                found.setdefault(metric, []).append(value)
    return found


def read_warnings(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the warnings of all evaluations, each sentence once."""
    told = [_block(entry, "record").get("warnings") for entry in entries if entry["kind"] == "metrics"]
    return list(dict.fromkeys(str(warning) for warnings in told if isinstance(warnings, list) for warning in warnings))


def best_value(values: Iterable[MetricValue]) -> MetricValue | None:
    """Return the best value, the earliest of equals; None where no direction is better or nothing was measured."""
    known = [value for value in values if math.isfinite(value.value) and value.better]
    return min(known, key=lambda value: value.value if value.better == "lower" else -value.value, default=None)


def last_value(values: Iterable[MetricValue]) -> MetricValue | None:
    """Return the last value that could be measured."""
    known = [value for value in values if math.isfinite(value.value)]
    return known[-1] if known else None


def _values(entry: Mapping[str, Any]) -> Iterator[tuple[Metric, MetricValue]]:
    """Yield the values of one evaluation: those of its record, and plain values that stand beside it."""
    record, images_seen = _block(entry, "record"), entry["images_seen"]
    setup, images, listed = _setup(record), record.get("images"), record.get("measures")
    told = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    for each in told:
        metric = Metric(str(each.get("name")), setup)
        yield metric, _value(images_seen, each, images if isinstance(images, int) else None)
    names = {each.get("name") for each in told}
    for name, value in _block(entry, "metrics").items():
        if name not in names:
            better = "higher" if higher_is_better(name) else "lower" if name.startswith(VALIDATION) else None
            yield Metric(name, _setup({})), _value(images_seen, {"value": value, "better": better}, None)


def _value(images_seen: int, told: Mapping[str, Any], images: int | None) -> MetricValue:
    interval, spread, better = told.get("interval"), number(told.get("spread")), told.get("better")
    ends = [end for end in map(number, interval if isinstance(interval, list) else []) if math.isfinite(end)]
    return MetricValue(
        images_seen,
        number(told.get("value")),
        (ends[0], ends[1]) if len(ends) == 2 else None,
        spread if math.isfinite(spread) else None,
        better if better in ("lower", "higher") else None,
        images,
    )


def _setup(record: Mapping[str, Any]) -> Setup:
    extractor, reference = record.get("extractor"), str(record.get("reference", UNKNOWN))
    if digest := str(record.get("reference_digest", "")):  # the same name can mean other data in another run
        reference = f"{reference} ({digest[:6]})"
    if not isinstance(extractor, Mapping):
        return Setup(None, reference, comparable=False)
    parts = [str(extractor.get(part, UNKNOWN)) for part in ("name", "weights", "resize", "precision")]
    return Setup((parts[0], parts[1], parts[2], parts[3]), reference, extractor.get("comparable") is True)


def _block(entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    block = entry.get(name)
    return block if isinstance(block, Mapping) else {}
