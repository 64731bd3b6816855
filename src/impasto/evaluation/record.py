"""What an evaluation returns: the values of metrics, and what is needed to repeat and interpret them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple

from impasto import __version__


class Interval(NamedTuple):
    """95 % confidence interval. The details of the measure contain how it was computed."""

    low: float
    high: float


@dataclass(frozen=True)
class Measure:
    """The value of one metric."""

    name: str
    """Name of the metric, such as fid, kid or top1."""
    value: float
    spread: float | None = None
    """Standard deviation over splits or subsets. None for a metric without splits."""
    interval: Interval | None = None
    better: Literal["lower", "higher"] | None = None
    """Which direction is better; None for a description such as a mean colour."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """JSON values that belong to the metric: its parts, settings, values for each class."""


@dataclass(frozen=True)
class Features:
    """The feature extractor of a metric; values from different extractors are never compared."""

    name: str
    weights: str
    """The first 16 hexadecimal digits of the SHA-256 of the weights' file; empty where there are none."""
    resize: str
    """How pictures were resized to the network's size."""
    precision: Literal["fp32", "bf16"] = "fp32"
    comparable: bool = False
    """Whether published values come from the same network, weights and resizing."""


@dataclass(frozen=True)
class Record:
    """An evaluation, as printed and saved."""

    what: str
    what_digest: str
    """Digest of what determines the images: their bytes, or a painter's weights and prompts."""
    reference: str
    reference_digest: str
    images: int
    reference_images: int
    seed: int
    extractor: Features | None
    """None if no metric needed features."""
    measures: tuple[Measure, ...]
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"impasto": __version__, **asdict(self)}

    def values(self) -> dict[str, float]:
        """Return each measure's value by its name."""
        return {measure.name: measure.value for measure in self.measures}
