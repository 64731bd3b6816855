"""Fields that the options of several datasets share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints

from impasto.validation import MustBe


def _as_path(value: Any) -> Any:
    """Accept a folder called 2024, which YAML reads as a number, and one that starts with ~."""
    return Path(str(value)).expanduser() if isinstance(value, str | int | float) else value


Folder = Annotated[Path, BeforeValidator(_as_path), MustBe("a folder or archive")]
"""A folder or archive of pictures, in any layout that `impasto data check` recognises."""

Url = Annotated[str, StringConstraints(pattern=r"^https?://")]

Place = Annotated[
    Url | Folder, Field(union_mode="left_to_right"), MustBe("a folder, an archive or an https:// address")
]
"""A folder or archive, or the URL of a folder of shards on a web server."""
