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
        """Training starts or resumes at the clock's images. `classes` is the number of pictures of each class."""

    def noted(self, note: str) -> None:
        """Hear a sentence that the user should know before training."""

    def stepped(self, clock: Clock, means: Mapping[str, float] | None) -> None:
        """Hear that a training step is complete. At intervals, `means` are the means of the logged scalars, else None."""

    def measured(self, clock: Clock, metrics: Mapping[str, float]) -> None:
        """Metrics were measured."""

    def alarmed(self, clock: Clock, alarm: str) -> None:
        """Hear that the collapse watch found a sign of a problem. `alarm` is a sentence with the usual remedies."""

    def saved(self, path: Path) -> None:
        """Hear that a sample sheet or a checkpoint was written."""
