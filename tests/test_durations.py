"""Durations in words and in clock format, rounded to seconds."""

import pytest

from impasto.durations import as_clock, in_words


@pytest.mark.parametrize(
    ("seconds", "clock", "words"),
    [
        (0.4, "0:00:00", "0 s"),
        (59.6, "0:01:00", "1 min 0 s"),
        (125, "0:02:05", "2 min 5 s"),
        (7509, "2:05:09", "2 h 5 min"),
        (360_000, "100:00:00", "100 h 0 min"),
    ],
)
def test_durations(seconds: float, clock: str, words: str) -> None:
    assert (as_clock(seconds), in_words(seconds)) == (clock, words)
