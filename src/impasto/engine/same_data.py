"""A run goes on with the pictures it began with: what it saw of them is in its folder."""

from __future__ import annotations

import json

from impasto.data.dataset import Dataset
from impasto.data.fingerprint import Fingerprint
from impasto.errors import DataError
from impasto.files import write_text
from impasto.run_folder import RunFolder


def check_same_data(folder: RunFolder, dataset: Dataset) -> None:
    """Compare the dataset with the one the run began with.

    Raises DataError that says how it changed since: the order of pictures, and so the run, would be another.
    """
    began = _fingerprint(folder)
    difference = began.difference(dataset.fingerprint) if began is not None else None
    if difference is not None:
        raise DataError(
            f"the pictures of {folder.path} changed since it began: {difference}; put them back, or go on with them as "
            "they are now with --accept-changed-data"
        )


def remember_data(folder: RunFolder, dataset: Dataset) -> None:
    """Write down which pictures the run learns from."""
    facts = {**dataset.fingerprint._asdict(), "summary": dataset.summary(), "classes": dict(dataset.histogram())}
    write_text(folder.data_file, json.dumps(facts, indent=2, ensure_ascii=False) + "\n")


def _fingerprint(folder: RunFolder) -> Fingerprint | None:
    """Return what the run began with; nothing where it has learned nothing yet, or is older than this check."""
    if folder.latest() is None or not folder.data_file.is_file():
        return None
    try:
        facts = json.loads(folder.data_file.read_text(encoding="utf-8"))
        return Fingerprint(**{name: facts[name] for name in Fingerprint._fields})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder.data_file} is damaged ({error}); remove it to go on without this check") from error
