"""Progress on the screen: a live bar on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from impasto.cli.bars import LINE_SECONDS, histogram_lines
from impasto.cli.console import escape
from impasto.clock import Clock
from impasto.durations import in_words
from impasto.engine.listener import TrainingListener
from impasto.recipe import Recipe
from impasto.run_folder import RunFolder

NICKNAMES = {"generator": "g", "discriminator": "d"}
"""Short names of networks."""


class TrainingProgress(TrainingListener):
    """Shows images/s, time left and losses."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.progress = Progress(
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[losses]}"),
            console=console,
            speed_estimate_period=60,
            disable=not console.is_terminal,
        )
        self.task: TaskID | None = None
        self.losses = ""
        self._begun = self._printed = time.monotonic()
        self._first = 0

    def started(
        self, recipe: Recipe, run: RunFolder, clock: Clock, facts: Mapping[str, str], classes: Mapping[str, int]
    ) -> None:
        """Print what is trained on what, and start the bar."""
        going_on = f", going on at {clock.images_seen:,}" if clock.images_seen else ""
        self.console.print(f"Training [bold]{recipe.method.name}[/] in {escape(str(run.path))}{going_on}")
        self.console.print(f"  {escape(facts['data'])}")
        for line in histogram_lines(classes):
            self.console.print(f"    {escape(line)}")
        self.console.print(f"  {facts['device']}, {facts['precision']}, seed {facts['seed']}")
        self._begun, self._first = time.monotonic(), clock.images_seen
        self.task = self.progress.add_task("", total=clock.images, completed=clock.images_seen, rate="", losses="")
        self.progress.start()

    def noted(self, note: str) -> None:
        """Print a note."""
        self.console.print(f"  [yellow]note:[/] {escape(note)}")

    def stepped(self, clock: Clock, means: Mapping[str, float] | None) -> None:
        """Move the bar."""
        if means is not None:
            self.losses = " ".join(f"{_short(name)} {value:.3g}" for name, value in means.items())
        now = time.monotonic()
        rate = (clock.images_seen - self._first) / max(now - self._begun, 1e-9)
        if self.task is not None:
            self.progress.update(
                self.task, completed=clock.images_seen, rate=f"{rate:.2f} images/s", losses=self.losses
            )
        if not self.console.is_terminal and now - self._printed > LINE_SECONDS:
            self._printed = now
            left = (clock.images - clock.images_seen) / max(rate, 1e-9)
            self.console.print(
                f"  {clock.images_seen:,} of {clock.images:,} images, {rate:.2f} images/s, {in_words(left)} left, "
                f"{self.losses}"
            )

    def measured(self, clock: Clock, metrics: Mapping[str, float]) -> None:
        """Print what was measured."""
        values = ", ".join(f"{name} {value:.4g}" for name, value in metrics.items())
        self.console.print(f"  measured at {clock.images_seen:,} images: {escape(values)}")

    def alarmed(self, clock: Clock, alarm: str) -> None:
        """Warn, above the bar."""
        self.console.print(f"  [yellow]at {clock.images_seen:,} images:[/] {escape(alarm)}")

    def saved(self, path: Path) -> None:
        """Print where a sample sheet or checkpoint was saved."""
        self.console.print(f"  saved {escape(str(path))}")

    def stop(self) -> None:
        """Remove the bar."""
        self.progress.stop()


def _short(name: str) -> str:
    """Return `g/adversarial` for `generator/adversarial`. Two scalars never get the same short name."""
    network, slash, scalar = name.partition("/")
    return f"{NICKNAMES.get(network, network)}{slash}{scalar}"
