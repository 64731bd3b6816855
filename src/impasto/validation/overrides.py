"""Settings from the command line: `training.batch_size=4`."""

from __future__ import annotations

from typing import Any

import yaml


def set_path(tree: dict[str, Any], override: str) -> str | None:
    """Set one dotted path in a tree of settings, in place; return the mistake if that cannot be done."""
    path, equals, text = override.partition("=")
    *parents, last = path.split(".")
    if not equals or not all([*parents, last]):
        return f"{override!r} is not a setting; write it as a.dotted.path=value"
    block: Any = tree
    for parent in parents:
        if block.get(parent) is None:
            block[parent] = {}
        block = block[parent]
        if not isinstance(block, dict):
            return f"{path}: {parent} is a value, not a block"
    block[last] = yaml_value(text)
    return None


def yaml_value(text: str) -> Any:
    """Return what YAML reads in a value; the text itself where it is not YAML, or YAML would make a date of it."""
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):  # [x, or 2024-13-45
        return text
    return text if hasattr(value, "isoformat") else value
