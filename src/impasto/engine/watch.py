"""How a run tells what happens, without knowing who listens."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from impasto.clock import Clock
from impasto.recipe import Recipe
from impasto.run_folder import RunFolder


class Watch:
    """Told what happens; the command line and the studio derive their own. This one says nothing."""

    def started(
        self, recipe: Recipe, run: RunFolder, clock: Clock, facts: Mapping[str, str], classes: Mapping[str, int]
    ) -> None:
        """Hear that training begins, or goes on, at the clock's images; `classes` counts the pictures of each."""

    def noted(self, note: str) -> None:
        """Hear what the owner of the pictures should know before training."""

    def stepped(self, clock: Clock, means: Mapping[str, float] | None) -> None:
        """Hear that a batch was learned from; now and then with means of what the method logs."""

    def measured(self, clock: Clock, metrics: Mapping[str, float]) -> None:
        """Hear what was measured of what was learned so far."""

    def alarmed(self, clock: Clock, alarm: str) -> None:
        """Hear a sentence about a sign that training goes wrong, and what usually helps."""

    def saved(self, path: Path) -> None:
        """Hear that a sample sheet or checkpoint was written."""
