"""Checks settings against their pydantic models. The sentences about mistakes are our own, never pydantic's."""

from impasto.validation.check import checked, chosen_name, mistakes
from impasto.validation.expected import MustBe
from impasto.validation.overrides import set_path, yaml_value

__all__ = ["MustBe", "checked", "chosen_name", "mistakes", "set_path", "yaml_value"]
