"""File names that make trouble: on another system, in a list, or on a screen."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

LONGEST_BYTES = 200
"""Of a file's or folder's own name; systems stop at 255, and programs add to names."""

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of writing, which make a name look like another."""
UNDECODED = re.compile(r"[\ud800-\udfff]")
"""What Python makes of bytes that are not UTF-8."""
FORBIDDEN = re.compile(r'[<>:"|?*\\]|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE)
"""What Windows does not take."""


def trouble(name: str) -> str | None:
    """Say what is wrong with a name with / between folders, or None."""
    parts = name.split("/")
    if UNDECODED.search(name):
        return "has bytes that are no UTF-8"
    if UNPRINTABLE.search(name):
        return "has invisible control characters"
    if any(part != part.strip() or part.endswith(".") for part in parts if part not in ("..", ".")):
        return "begins or ends with a space, or ends with a dot"
    if any(FORBIDDEN.search(part) for part in parts):
        return "has characters or words that Windows does not take"
    if any(len(part.encode()) > LONGEST_BYTES for part in parts):
        return f"is longer than {LONGEST_BYTES} bytes"
    return None


def look_alike(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the groups of names that are one on systems which ignore case, or how an accent is written."""
    alike: dict[str, list[str]] = defaultdict(list)
    for name in names:
        folded = name.lower() if name.isascii() else unicodedata.normalize("NFC", name).casefold()
        alike[folded].append(name)
    return [tuple(group) for group in alike.values() if len(group) > 1]


def printable(name: str) -> str:
    r"""Return a name that can be shown anywhere: what cannot be seen is written as \x1b or \udcff."""
    return UNPRINTABLE.sub(_escaped, UNDECODED.sub(_escaped, name))


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
