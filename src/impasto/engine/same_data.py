"""Checks that a run resumes with the same pictures. Its folder records which pictures it started with."""

from __future__ import annotations

import json

from impasto.data.dataset import Dataset
from impasto.data.fingerprint import Fingerprint
from impasto.errors import DataError
from impasto.files import write_text
from impasto.run_folder import RunFolder


def check_same_data(folder: RunFolder, dataset: Dataset) -> None:
    """Compare the dataset with the one that the run started with.

    Raises DataError with the difference. Other pictures have another order, so the run would not resume exactly.
    """
    at_start = _fingerprint(folder)
    difference = at_start.difference(dataset.fingerprint) if at_start is not None else None
    if difference is not None:
        raise DataError(
            f"the pictures changed since the run {folder.path} started: {difference}; restore them, or pass "
            "--accept-changed-data to continue with the changed pictures"
        )


def remember_data(folder: RunFolder, dataset: Dataset) -> None:
    """Record in the run folder which pictures the run learns from."""
    facts = {**dataset.fingerprint._asdict(), "summary": dataset.summary(), "classes": dict(dataset.histogram())}
    write_text(folder.data_file, json.dumps(facts, indent=2, ensure_ascii=False) + "\n")


def _fingerprint(folder: RunFolder) -> Fingerprint | None:
    """Return the fingerprint that the run started with; None without a checkpoint or without a record."""
    if folder.latest() is None or not folder.data_file.is_file():
        return None
    try:
        facts = json.loads(folder.data_file.read_text(encoding="utf-8"))
        return Fingerprint(**{name: facts[name] for name in Fingerprint._fields})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder.data_file} is damaged ({error}); remove it to continue without this check") from error
