"""One file, one published algorithm; METHODS is the table of them all.

The table is closed on purpose: a checkpoint carries its recipe, and a recipe from elsewhere must not be able to name
any callable it likes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from impasto.method import Painter
from impasto.methods.cyclegan import CycleGAN

METHODS: Mapping[str, type[Painter[Any]]] = {"cyclegan": CycleGAN}
