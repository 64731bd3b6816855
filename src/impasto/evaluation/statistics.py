"""Statistics of a reference set, in the cache or in a user's file: safetensors, and JSON for people."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from impasto.errors import EvaluationError
from impasto.evaluation.extraction import Extracted
from impasto.evaluation.frechet import Moments
from impasto.evaluation.record import Features
from impasto.files import replacing, write_text

BLOCK = 4096
"""Rows added at a time."""
KIND = "impasto statistics 1"


@dataclass(frozen=True)
class Statistics:
    """Mean and covariance of an image set's features, and where they come from."""

    name: str
    """Name of the image set."""
    digest: str
    """Digest of the images."""
    about: Features
    moments: Moments


def statistics_of(extracted: Extracted, identity: str, about: Features, dimensions: int) -> Statistics:
    """Return the statistics of the first `dimensions` values of a column. They are kept if the images last."""
    images, folder = extracted.images, extracted.folder
    path = None if folder is None else folder / identity / f"moments-{len(extracted)}.safetensors"
    if path is not None and path.is_file():
        return Statistics(images.name, images.digest, about, load_statistics(path, about).moments)
    rows, moments = extracted.columns[identity], Moments()
    for start in range(0, len(rows), BLOCK):
        moments.update(rows[start : start + BLOCK, :dimensions])
    found = Statistics(images.name, images.digest, about, moments)
    if path is not None:
        save_statistics(found, path)
    return found


def save_statistics(statistics: Statistics, path: Path) -> None:
    """Write statistics to a safetensors file, with a JSON file beside it that describes them."""
    facts: dict[str, Any] = {
        "kind": KIND,
        "name": statistics.name,
        "digest": statistics.digest,
        "images": statistics.moments.count,
        "extractor": asdict(statistics.about),
    }
    tensors = {name: tensor.contiguous() for name, tensor in statistics.moments.tensors().items()}
    with replacing(path) as draft:
        save_file(tensors, draft, {"impasto": json.dumps(facts)})
    write_text(path.with_name(f"{path.name}.json"), json.dumps(facts, indent=1) + "\n")


def load_statistics(path: Path, expected: Features) -> Statistics:
    """Return saved statistics.

    Raises EvaluationError if they are damaged, or if they come from another extractor than `expected`.
    """
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {})["impasto"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        about = Features(**facts["extractor"])
        moments = Moments.from_tensors(tensors)
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise EvaluationError(f"{path} holds no statistics of impasto ({error}); compute them again") from error
    if about != expected:
        raise EvaluationError(
            f"{path} holds statistics of {_described(about)}, not of {_described(expected)}; compute them again, or "
            f"pass --features {about.name} --precision {about.precision}"
        )
    return Statistics(str(facts["name"]), str(facts["digest"]), about, moments)


def _described(about: Features) -> str:
    return f"{about.name} (weights {about.weights or 'none'}, {about.resize}, {about.precision})"
