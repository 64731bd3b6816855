"""What pages read from run folders.

Folders come from other people, other versions and machines that lost power. Content that is not as expected is left
out, and counted where a reader would miss it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from impasto.errors import RunError
from impasto.gallery.curves import Series
from impasto.run_folder import RECIPE, RunFolder, journal_entry


class Sample(NamedTuple):
    """A sheet of pictures painted during training."""

    images_seen: int
    path: Path


class Journal(NamedTuple):
    """A run's journal, in the order it was written."""

    entries: list[dict[str, Any]]
    """Each with a `kind` and `images_seen`."""
    damaged: int
    """Lines that are no entries."""


def read_settings(folder: RunFolder) -> dict[str, str]:
    """Return each setting of a run's recipe by its dotted path, as a recipe spells it.

    Reads any recipe, also one that this version cannot train. Raises RunError when there is none, or it is no YAML.
    """
    try:
        recipe = yaml.safe_load(folder.recipe_file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(
            f"{folder.path} is not a run folder: it has no readable {RECIPE}; pass another folder"
        ) from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: 2024-13-45 looks like a date
        reason = " ".join(str(error).split())
        raise RunError(f"{folder.recipe_file} is not YAML ({reason}); fix that line") from error
    return dict(_flattened(recipe)) if isinstance(recipe, Mapping) else {}


def read_journal(folder: RunFolder) -> Journal:
    """Return a run's journal; an empty one where there is none."""
    if not folder.journal_file.is_file():
        return Journal([], 0)
    with folder.journal_file.open("rb") as file:  # bytes: a torn line need not be UTF-8
        read = [journal_entry(line) for line in file if line.strip()]
    entries = [entry for entry in read if entry is not None]
    return Journal(entries, len(read) - len(entries))


def scalar_series(entries: Iterable[Mapping[str, Any]]) -> list[Series]:
    """Return each scalar as a series, in the order they first appear. A value that is no number is a gap."""
    found: dict[str, Series] = {}
    for entry in entries:
        scalars = entry.get("scalars")
        if entry["kind"] == "scalars" and isinstance(scalars, Mapping):
            for name, value in scalars.items():
                series = found.setdefault(name, Series(name, [], []))
                series.images_seen.append(entry["images_seen"])
                series.values.append(number(value))
    return list(found.values())


def number(value: object) -> float:
    """Return a number from a JSON file, NaN for anything else."""
    return float(value) if isinstance(value, int | float) and abs(value) < 1e300 else math.nan


def find_samples(folder: RunFolder) -> list[Sample]:
    """Return the sample sheets, oldest first."""
    return sorted(Sample(int(path.stem), path) for path in folder.samples.glob("*.png") if path.stem.isdecimal())


def evenly_spread(samples: Sequence[Sample], most: int) -> list[Sample]:
    """Return at most `most` (2 or more) of the samples, the first and the last among them."""
    if len(samples) <= most:
        return list(samples)
    return [samples[round(place * (len(samples) - 1) / (most - 1))] for place in range(most)]


def _flattened(settings: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _written(value)


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
