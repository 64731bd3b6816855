"""What the judge said of a run while it learned, as its journal tells it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from impasto.gallery.runs import number
from impasto.recipe import VALIDATION, higher_is_better

UNKNOWN = "not told"


class Way(NamedTuple):
    """How something was measured; figures measured in different ways are never put side by side."""

    extractor: tuple[str, str, str, str] | None
    """Name, weights, resize and precision; None where no network was asked."""
    reference: str
    comparable: bool
    """Whether published figures are measured the same way."""


class Measure(NamedTuple):
    """A column of figures that may be compared."""

    name: str
    way: Way


class Reading(NamedTuple):
    """One figure of one run at one moment."""

    images_seen: int
    value: float
    """NaN where it could not be measured."""
    interval: tuple[float, float] | None
    spread: float | None
    better: Literal["lower", "higher"] | None
    images: int | None
    """How many were judged."""


def read_measures(entries: Iterable[Mapping[str, Any]]) -> dict[Measure, list[Reading]]:
    """Return the readings of each measure, in the order they were made."""
    found: dict[Measure, list[Reading]] = {}
    for entry in entries:
        if entry["kind"] == "metrics":
            for measure, reading in _readings(entry):
                found.setdefault(measure, []).append(reading)
    return found


def read_warnings(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what the judge warned of, each sentence once."""
    told = [_block(entry, "record").get("warnings") for entry in entries if entry["kind"] == "metrics"]
    return list(dict.fromkeys(str(warning) for warnings in told if isinstance(warnings, list) for warning in warnings))


def best_reading(readings: Iterable[Reading]) -> Reading | None:
    """Return the best figure, the earliest of equals; None where neither way is better or nothing was measured."""
    known = [reading for reading in readings if math.isfinite(reading.value) and reading.better]
    return min(known, key=lambda reading: reading.value if reading.better == "lower" else -reading.value, default=None)


def last_reading(readings: Iterable[Reading]) -> Reading | None:
    """Return the last figure that could be measured."""
    known = [reading for reading in readings if math.isfinite(reading.value)]
    return known[-1] if known else None


def _readings(entry: Mapping[str, Any]) -> Iterator[tuple[Measure, Reading]]:
    """Yield what one evaluation measured: all that its record tells, and plain values that stand beside it."""
    record, images_seen = _block(entry, "record"), entry["images_seen"]
    way, images, listed = _way(record), record.get("images"), record.get("measures")
    told = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    for each in told:
        measure = Measure(str(each.get("name")), way)
        yield measure, _reading(images_seen, each, images if isinstance(images, int) else None)
    names = {each.get("name") for each in told}
    for name, value in _block(entry, "metrics").items():
        if name not in names:
            better = "higher" if higher_is_better(name) else "lower" if name.startswith(VALIDATION) else None
            yield Measure(name, _way({})), _reading(images_seen, {"value": value, "better": better}, None)


def _reading(images_seen: int, told: Mapping[str, Any], images: int | None) -> Reading:
    interval, spread, better = told.get("interval"), number(told.get("spread")), told.get("better")
    ends = [end for end in map(number, interval if isinstance(interval, list) else []) if math.isfinite(end)]
    return Reading(
        images_seen,
        number(told.get("value")),
        (ends[0], ends[1]) if len(ends) == 2 else None,
        spread if math.isfinite(spread) else None,
        better if better in ("lower", "higher") else None,
        images,
    )


def _way(record: Mapping[str, Any]) -> Way:
    extractor, reference = record.get("extractor"), str(record.get("reference", UNKNOWN))
    if digest := str(record.get("reference_digest", "")):  # runs on other data call their reference alike
        reference = f"{reference} ({digest[:6]})"
    if not isinstance(extractor, Mapping):
        return Way(None, reference, comparable=False)
    parts = [str(extractor.get(part, UNKNOWN)) for part in ("name", "weights", "resize", "precision")]
    return Way((parts[0], parts[1], parts[2], parts[3]), reference, extractor.get("comparable") is True)


def _block(entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    block = entry.get(name)
    return block if isinstance(block, Mapping) else {}
