"""Files that commands write."""

from __future__ import annotations

from pathlib import Path

from impasto.errors import ImpastoError, OutputError


def check_new(*targets: Path | None, overwrite: bool, option: str = "--output") -> None:
    """Raise OutputError for a file that exists, unless it may be overwritten. None stands for a file not asked for."""
    existing = next((target for target in targets if target is not None and target.exists()), None)
    if existing is not None and not overwrite:
        raise OutputError(f"{existing} exists; pass --overwrite to replace it, or choose another {option}")


def chosen_output(option: Path | None, positional: Path | None) -> Path:
    """Return the folder that `--output` names; scripts may also give it as the last argument.

    Raises ImpastoError where it is missing or given twice.
    """
    if option is None and positional is None:
        raise ImpastoError("--output is missing; pass --output DIR")
    if option is not None and positional is not None:
        raise ImpastoError(f"{positional}: --output {option} is given already; leave one of them out")
    return option or positional or Path()
