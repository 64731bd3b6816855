"""The interface through which a run reports progress."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from impasto.clock import Clock
from impasto.recipe import Recipe
from impasto.run_folder import RunFolder


class TrainingListener:
    """Receives events during training. This class ignores them; the command line and notebooks derive their own."""

    def started(
        self, recipe: Recipe, run: RunFolder, clock: Clock, facts: Mapping[str, str], classes: Mapping[str, int]
    ) -> None:
        """Handle the start of training, or its resumption at the clock's images. `classes` counts pictures by class."""

    def noted(self, note: str) -> None:
        """Handle a sentence that the user should know before training."""

    def stepped(self, clock: Clock, means: Mapping[str, float] | None) -> None:
        """Handle the end of a training step. At intervals, `means` are the means of the logged scalars, else None."""

    def measured(self, clock: Clock, metrics: Mapping[str, float]) -> None:
        """Handle new metrics by name."""

    def alarmed(self, clock: Clock, alarm: str) -> None:
        """Handle a sign of a problem, found by the collapse watch. `alarm` is a sentence with the usual remedies."""

    def saved(self, path: Path) -> None:
        """Handle a new sample sheet or checkpoint."""
