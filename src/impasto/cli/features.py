"""Opening the features that `--features` and `--features-weights` name."""

from __future__ import annotations

from impasto.errors import EvaluationError
from impasto.evaluation.extractors import Extractor, ExtractorOptions, FeaturesError, open_extractor


def open_features(name: str, settings: ExtractorOptions) -> Extractor:
    """Return an extractor; raise EvaluationError that names the options where it cannot be opened."""
    try:
        return open_extractor(name, settings)
    except FeaturesError as error:
        raise EvaluationError(f"{error} (see --features NAME and --features-weights FILE)") from error
