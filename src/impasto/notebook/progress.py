"""How a notebook shows training: a bar with rate, time left and losses, and the latest sample sheet."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from impasto.clock import Clock
from impasto.durations import in_words
from impasto.engine.interrupts import InterruptedTraining
from impasto.engine.listener import TrainingListener
from impasto.gallery.page import render
from impasto.recipe import Recipe
from impasto.run_folder import RunFolder

SECONDS_BETWEEN = 0.5
"""Between two updates of the bar."""


class StoppedTraining(InterruptedTraining):
    """Training was stopped in a notebook, which shows it as one line instead of a traceback."""

    def _render_traceback_(self) -> list[str]:  # IPython's name
        return [f"Training stopped at {self.images_seen:,} images. Everything is saved; run the cell again to go on."]


def in_notebook() -> bool:
    """Whether this code runs in the kernel of a notebook. A terminal's IPython has no kernel."""
    ipython: Any = sys.modules.get("IPython")  # a kernel has imported it
    return ipython is not None and getattr(ipython.get_ipython(), "kernel", None) is not None


class NotebookProgress(TrainingListener):
    """Shows how training goes below a notebook's cell. It needs IPython, which every kernel has, and no widgets."""

    def __init__(self) -> None:
        self._display: Any = importlib.import_module("IPython.display")  # untyped, and not installed with impasto
        self._state: dict[str, Any] = {"losses": {}, "notes": [], "alarms": [], "metrics": {}, "status": ""}
        self._first, self._begun, self._shown = 0, 0.0, 0.0

    def started(
        self,
        recipe: Recipe,
        run: RunFolder,
        clock: Clock,
        facts: Mapping[str, str],
        classes: Mapping[str, int],  # noqa: ARG002 - the sheet shows them
    ) -> None:
        """Show the bar, and a place for the sample sheet below it."""
        self._state |= {"method": recipe.method.name, "run": run.path, "clock": clock, "facts": facts}
        self._first, self._begun = clock.images_seen, time.monotonic()
        self._bar = self._display.display(self._drawn(), display_id=True)
        self._sheet = self._display.display(self._display.HTML(""), display_id=True)

    def noted(self, note: str) -> None:
        """Show a note below the bar."""
        self._state["notes"].append(note)
        self._show()

    def alarmed(self, clock: Clock, alarm: str) -> None:
        """Show an alarm below the bar."""
        self._state["alarms"].append(f"at {clock.images_seen:,} images: {alarm}")
        self._show()

    def measured(self, clock: Clock, metrics: Mapping[str, float]) -> None:  # noqa: ARG002 - the latest values
        """Show the latest metrics."""
        self._state["metrics"] |= metrics
        self._show()

    def stepped(self, clock: Clock, means: Mapping[str, float] | None) -> None:
        """Move the bar, at most twice a second."""
        if means is not None:
            self._state["losses"] = means
        if clock.finished:
            self._state["status"] = f"finished in {in_words(time.monotonic() - self._begun)}"
        if clock.finished or time.monotonic() - self._shown > SECONDS_BETWEEN:
            self._show()

    def saved(self, path: Path) -> None:
        """Show a new sample sheet in place of the one before."""
        if path.suffix == ".png":
            self._sheet.update(self._display.Image(filename=str(path)))

    def stopped(self) -> None:
        """Show that training was stopped. Nothing was shown of a run that was stopped before it began."""
        if "clock" in self._state:
            self._state["status"] = "stopped, everything is saved"
            self._show()

    def _show(self) -> None:
        self._shown = time.monotonic()
        self._bar.update(self._drawn())

    def _drawn(self) -> Any:
        clock: Clock = self._state["clock"]
        rate = (clock.images_seen - self._first) / max(time.monotonic() - self._begun, 1e-9)
        left = in_words((clock.images - clock.images_seen) / rate) if rate > 0 else ""
        return self._display.HTML(str(render("notebook_progress.html", rate=rate, left=left, **self._state)))
