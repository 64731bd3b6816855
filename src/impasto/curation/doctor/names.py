"""File names that cause problems on another system, in a list or on a screen."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

LONGEST_BYTES = 200
"""Limit for the name of one file or folder. Systems allow 255, but programs add to names."""

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters, including those that change the writing direction and disguise a name."""
UNDECODED = re.compile(r"[\ud800-\udfff]")
"""Python's replacement for bytes that are not UTF-8."""
FORBIDDEN = re.compile(r'[<>:"|?*\\]|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE)
"""Characters and words that Windows does not allow."""


def trouble(name: str) -> str | None:
    """Return the problem of a name with / between folders, or None."""
    parts = name.split("/")
    if UNDECODED.search(name):
        return "has bytes that are not UTF-8"
    if UNPRINTABLE.search(name):
        return "has invisible control characters"
    if any(part != part.strip() or part.endswith(".") for part in parts if part not in ("..", ".")):
        return "begins or ends with a space, or ends with a dot"
    if any(FORBIDDEN.search(part) for part in parts):
        return "has characters or words that Windows does not allow"
    if any(len(part.encode()) > LONGEST_BYTES for part in parts):
        return f"is longer than {LONGEST_BYTES} bytes"
    return None


def look_alike(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Return groups of names that are equal on systems that ignore case or the encoding of accents."""
    alike: dict[str, list[str]] = defaultdict(list)
    for name in names:
        folded = name.lower() if name.isascii() else unicodedata.normalize("NFC", name).casefold()
        alike[folded].append(name)
    return [tuple(group) for group in alike.values() if len(group) > 1]


def printable(name: str) -> str:
    r"""Return a name that can be shown anywhere. Invisible characters become \x1b or \udcff."""
    return UNPRINTABLE.sub(_escaped, UNDECODED.sub(_escaped, name))


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
