"""What an evaluation returns: values with all that is needed to repeat and to judge them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple

from impasto import __version__


class Interval(NamedTuple):
    """Where a value lies with 95 % confidence; how that was found is among its details."""

    low: float
    high: float


@dataclass(frozen=True)
class Measure:
    """One figure."""

    name: str
    """Such as fid, kid or top1."""
    value: float
    spread: float | None = None
    """Standard deviation over splits or subsets, where the measure is defined with one."""
    interval: Interval | None = None
    better: Literal["lower", "higher"] | None = None
    """Which way is better; neither for a description such as a mean colour."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Plain values that belong to the figure: its parts, settings, values of each class."""


@dataclass(frozen=True)
class Features:
    """What turned pictures into numbers; figures from different ones are never compared."""

    name: str
    weights: str
    """The first 16 hexadecimal digits of the SHA-256 of the weights' file; empty where there are none."""
    resize: str
    """How pictures were brought to the network's size."""
    precision: Literal["fp32", "bf16"] = "fp32"
    comparable: bool = False
    """Whether published figures were made with the same network, weights and resize."""


@dataclass(frozen=True)
class Record:
    """An evaluation, as it is shown and saved."""

    what: str
    what_digest: str
    """Of all that decides what the images are: their bytes, or a painter's weights and what it paints."""
    reference: str
    reference_digest: str
    images: int
    reference_images: int
    seed: int
    extractor: Features | None
    """None where no measure needed features."""
    measures: tuple[Measure, ...]
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"impasto": __version__, **asdict(self)}

    def values(self) -> dict[str, float]:
        """Return each measure's value by its name."""
        return {measure.name: measure.value for measure in self.measures}
