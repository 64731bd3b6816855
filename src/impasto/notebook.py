"""The Python interface for notebooks and scripts: train with a progress bar, and read runs as tables."""

from __future__ import annotations

import html
import importlib
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.clock import Clock
from impasto.durations import in_words
from impasto.engine.listener import TrainingListener
from impasto.engine.train import train as train_recipe
from impasto.errors import RunError
from impasto.recipe import Recipe, load_recipe
from impasto.run_folder import RunFolder

if TYPE_CHECKING:
    from impasto.painting.painters import LoadedPainter

SECONDS_BETWEEN = 0.5
"""Shortest time between two updates of the progress bar."""


class Run:
    """A training run on disk, finished or not, read as tables: lists of rows that pandas accepts directly."""

    def __init__(self, path: str | Path) -> None:
        """Raise RunError if the folder contains no run."""
        self.folder = RunFolder(Path(path))
        self.recipe: Recipe = self.folder.recipe()

    @property
    def path(self) -> Path:
        """The run folder."""
        return self.folder.path

    def journal(self) -> list[dict[str, Any]]:
        """Return all entries of the journal as flat rows: kind, images_seen, seconds, and values by name."""
        return [_flat(entry) for entry in self.folder.journal() if isinstance(entry, dict) and "kind" in entry]

    def scalars(self) -> list[dict[str, Any]]:
        """Return a row for each logging interval: images_seen, seconds, and the means of scalars by name.

        A row contains only the scalars that were logged in its interval.
        """
        return self._rows("scalars")

    def metrics(self) -> list[dict[str, Any]]:
        """Return a row for each measurement during training: images_seen, seconds, and metrics by name."""
        return self._rows("metrics")

    @property
    def samples(self) -> list[Path]:
        """The sheets of samples, oldest first."""
        return sorted(self.folder.samples.glob("*.png"))

    @property
    def finished(self) -> bool:
        """Whether the run has seen all images of its recipe."""
        return self.folder.finished()

    def painter(self, device: str = "cpu") -> LoadedPainter:
        """Return the painter of the best checkpoint, or the last. Raises PainterError if the run does not paint."""
        from impasto.painting.painters import load_painter

        return load_painter(self.path, device)

    def _rows(self, kind: str) -> list[dict[str, Any]]:
        """Return a row for each number of images seen. Entries with the same number share a row."""
        rows: dict[int, dict[str, Any]] = {}
        for row in self.journal():
            if row["kind"] == kind:
                rows.setdefault(row["images_seen"], {}).update(row)
        return [{name: value for name, value in row.items() if name != "kind"} for row in rows.values()]

    def __repr__(self) -> str:
        """Return the run's folder, method and state as one line."""
        return f"<Run {self.path} of {self.recipe.method.name}, {'finished' if self.finished else 'not finished'}>"


def open_run(path: str | Path) -> Run:
    """Return the training run of a folder. Raises RunError if the folder contains no run."""
    return Run(path)


def train(
    recipe: str | Path | Recipe,
    run: str | Path | None = None,
    settings: Mapping[str, Any] | Sequence[str] = (),
    *,
    listener: TrainingListener | None = None,
    accept_changed_data: bool = False,
) -> Run:
    """Train a new run, or resume the run in the folder, to the end; return the run.

    `recipe` is a name, a YAML file or a Recipe. `settings` change a named recipe by dotted path, such as
    `{"training.images": 1000}`. `run` is the run folder; default: `runs/` and the recipe's name. In a notebook the
    default listener shows a progress bar and the latest sheet of samples. After an interrupt of the kernel the current
    step is completed and everything is saved.

    Raises InterruptedTraining after an interrupt, ImpastoError for errors that the user can fix.
    """
    if isinstance(recipe, Recipe):
        if settings or run is None:
            raise RunError("a Recipe object needs run=DIR and takes no settings; pass run, and leave settings out")
        loaded, folder = recipe, Path(run)
    else:
        loaded, folder = load_recipe(recipe, _as_overrides(settings)), Path(run or Path("runs") / Path(recipe).stem)
    listener = listener or (NotebookProgress() if in_notebook() else TrainingListener())
    train_recipe(loaded, folder, listener, accept_changed_data=accept_changed_data)
    return Run(folder)


def _as_overrides(settings: Mapping[str, Any] | Sequence[str]) -> list[str]:
    if isinstance(settings, Mapping):
        return [f"{path}={value}" for path, value in settings.items()]
    return list(settings)


def _flat(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry of the journal as one flat mapping, without the evaluation's record."""
    row: dict[str, Any] = {}
    for name, value in entry.items():
        if name in ("scalars", "metrics") and isinstance(value, Mapping):
            row |= value
        elif name != "record":
            row[name] = value
    return row


def in_notebook() -> bool:
    """Whether this code runs in a kernel of a notebook."""
    ipython: Any = sys.modules.get("IPython")  # a kernel has imported it
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


class NotebookProgress(TrainingListener):
    """Shows a bar with rate, time left and losses, and the latest sheet of samples, below a notebook's cell."""

    def __init__(self) -> None:
        shown: Any = importlib.import_module("IPython.display")  # untyped, and not installed with impasto
        self._html, self._image = shown.HTML, shown.Image
        self._bar = shown.display(shown.HTML(""), display_id=True)
        self._sheet = shown.display(shown.HTML(""), display_id=True)
        self._losses, self._notes = "", ""
        self._first, self._started_at, self._shown = 0, time.monotonic(), 0.0

    def started(
        self,
        recipe: Recipe,  # noqa: ARG002
        run: RunFolder,  # noqa: ARG002
        clock: Clock,
        facts: Mapping[str, str],  # noqa: ARG002
        classes: Mapping[str, int],  # noqa: ARG002
    ) -> None:
        """Start to measure the rate."""
        self._first, self._started_at = clock.images_seen, time.monotonic()

    def noted(self, note: str) -> None:
        """Show a note above the bar."""
        self._notes += f"<div>note: {html.escape(note)}</div>"

    def alarmed(self, clock: Clock, alarm: str) -> None:
        """Show an alarm above the bar."""
        self._notes += f"<div>at {clock.images_seen:,} images: {html.escape(alarm)}</div>"

    def stepped(self, clock: Clock, means: Mapping[str, float] | None) -> None:
        """Update the bar, at most twice per second."""
        if means is not None:
            self._losses = ", ".join(f"{name} {value:.3g}" for name, value in means.items())
        now = time.monotonic()
        if now - self._shown < SECONDS_BETWEEN and not clock.finished:
            return
        self._shown = now
        rate = (clock.images_seen - self._first) / max(now - self._started_at, 1e-9)
        left = in_words((clock.images - clock.images_seen) / max(rate, 1e-9))
        seen = f"{clock.images_seen:,} of {clock.images:,} images, {rate:.1f} images/s, {left} left"
        bar = f'<progress value="{clock.images_seen}" max="{clock.images}" style="width: 24em"></progress>'
        self._bar.update(self._html(f"{self._notes}{bar} {seen}<br><small>{html.escape(self._losses)}</small>"))

    def saved(self, path: Path) -> None:
        """Show a new sheet of samples in place of the last."""
        if path.suffix == ".png":
            self._sheet.update(self._image(filename=str(path)))
