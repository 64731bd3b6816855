"""What pages read from run folders.

Folders come from other people, other versions and machines that lost power: what does not look as it should is left
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
from impasto.gallery.charts import Series
from impasto.run_folder import RECIPE, RunFolder


class Sample(NamedTuple):
    """A sheet of pictures painted while training."""

    images_seen: int
    path: Path


class Story(NamedTuple):
    """A journal: its entries, each with a `kind` and `images_seen`, and how many lines are none."""

    entries: list[dict[str, Any]]
    damaged: int


def read_settings(folder: RunFolder) -> dict[str, str]:
    """Return each setting of a run's recipe by its dotted path, as a recipe spells it.

    Any recipe will do, also one that this version cannot train. Raises RunError when there is none to be read.
    """
    try:
        recipe = yaml.safe_load(folder.recipe_file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{folder.path} is not a run folder: it has no readable {RECIPE}; name another") from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: 2024-13-45 looks like a date
        reason = " ".join(str(error).split())
        raise RunError(f"{folder.recipe_file} is not YAML ({reason}); mend that line") from error
    return dict(_flattened(recipe)) if isinstance(recipe, Mapping) else {}


def read_story(folder: RunFolder) -> Story:
    """Return what a run's journal tells, in the order it was written."""
    if not folder.journal_file.is_file():
        return Story([], 0)
    with folder.journal_file.open("rb") as file:  # bytes: a torn line need not be UTF-8
        read = [_entry(line) for line in file if line.strip()]
    entries = [entry for entry in read if entry is not None]
    return Story(entries, len(read) - len(entries))


def scalar_curves(entries: Iterable[Mapping[str, Any]]) -> list[Series]:
    """Return each scalar as a series, in the order they first appear; a value that is no number is a gap."""
    curves: dict[str, Series] = {}
    for entry in entries:
        scalars = entry.get("scalars")
        if entry["kind"] == "scalars" and isinstance(scalars, Mapping):
            for name, value in scalars.items():
                curve = curves.setdefault(name, Series(name, [], []))
                curve.images_seen.append(entry["images_seen"])
                curve.values.append(number(value))
    return list(curves.values())


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


def _entry(line: bytes) -> dict[str, Any] | None:
    """Return a line of the journal, or None where a power cut or an editor left something else."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict) or not isinstance(entry.get("kind"), str):
        return None
    images_seen = entry.get("images_seen")
    return entry if isinstance(images_seen, int) and images_seen >= 0 else None
