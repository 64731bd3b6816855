"""How a run reports progress, without knowing who listens."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from impasto.clock import Clock
from impasto.recipe import Recipe
from impasto.run_folder import RunFolder


class TrainingListener:
    """Told what happens during training. The command line and notebooks derive their own. This one ignores it."""

    def started(
        self, recipe: Recipe, run: RunFolder, clock: Clock, facts: Mapping[str, str], classes: Mapping[str, int]
    ) -> None:
        """Hear that training begins, or goes on, at the clock's images. `classes` counts the pictures of each class."""

    def noted(self, note: str) -> None:
        """Hear what the user should know before training."""

    def stepped(self, clock: Clock, means: Mapping[str, float] | None) -> None:
        """Hear that a batch was learned from. At intervals, `means` are the means of what the method logs."""

    def measured(self, clock: Clock, metrics: Mapping[str, float]) -> None:
        """Hear which metrics were measured."""

    def alarmed(self, clock: Clock, alarm: str) -> None:
        """Hear a sentence about a sign of a problem and the usual remedies."""

    def saved(self, path: Path) -> None:
        """Hear that a sample sheet or a checkpoint was written."""
