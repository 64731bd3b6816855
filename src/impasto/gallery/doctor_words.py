"""Sizes, intervals and shapes of pictures in words."""

from __future__ import annotations

from impasto.curation.doctor.diagnosis import Bar


def bytes_in_words(count: int) -> str:
    """Return a size in the unit that suits it: `812 KB`, `1.4 GB`."""
    for unit, letter in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if count >= unit:
            return f"{count / unit:.3g} {letter}"
    return f"{count} bytes"


def interval_in_words(bar: Bar) -> str:
    """Return an interval of pixels: `below 32`, `256-511`, `from 4,096`."""
    if bar.high is None:
        return f"from {bar.low:,.0f}"
    return f"{bar.low:,.0f}-{bar.high - 1:,.0f}" if bar.low else f"below {bar.high:,.0f}"


def shape_in_words(bar: Bar) -> str:
    """Return an interval of width / height: `below 1:3`, `1:3 to 1:2`, `about square`, `1.5:1 to 2:1`."""
    if bar.high is None:
        return f"from {_ratio(bar.low)}"
    if bar.low < 1 < bar.high:
        return "about square"
    return f"{_ratio(bar.low)} to {_ratio(bar.high)}" if bar.low else f"below {_ratio(bar.high)}"


def _ratio(aspect: float) -> str:
    return f"{aspect:.3g}:1" if aspect >= 1 else f"1:{1 / aspect:.3g}"
