"""A run on disk as tables: lists of rows, which pandas and csv.DictWriter take as they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.errors import RunError, did_you_mean
from impasto.painting.painters import RUNS, LoadedPainter, load_painter, runs
from impasto.recipe import Recipe
from impasto.run_folder import RunFolder

if TYPE_CHECKING:
    from impasto.notebook.chart import Chart


class Run:
    """A training run, finished or not."""

    def __init__(self, path: str | Path) -> None:
        """Raise RunError where the folder holds no run, RecipeError where its recipe is of another version."""
        self.folder = RunFolder(Path(path))
        self.recipe: Recipe = self.folder.recipe()

    @property
    def path(self) -> Path:
        """The run folder."""
        return self.folder.path

    @property
    def images_seen(self) -> int:
        """Images that the latest checkpoint has seen."""
        latest = self.folder.latest()
        return int(latest.name) if latest else 0

    @property
    def finished(self) -> bool:
        """Whether the run has seen all images that its recipe asks for."""
        return self.folder.finished()

    def journal(self) -> list[dict[str, Any]]:
        """Return a row for each entry of the journal: kind, images_seen, seconds, and its values by name."""
        return [_flat(entry) for entry in self.folder.journal()]

    def scalars(self) -> list[dict[str, Any]]:
        """Return a row for each moment of logging: images_seen, seconds, and the scalars by name.

        A scalar is the mean since the row before. A row lacks scalars that were not logged at its moment.
        """
        return self._rows("scalars")

    def metrics(self) -> list[dict[str, Any]]:
        """Return a row for each measurement during training: images_seen, seconds, and the metrics by name."""
        return self._rows("metrics")

    @property
    def samples(self) -> list[Path]:
        """The sample sheets, oldest first. They are named by images seen."""
        sheets = [path for path in self.folder.samples.glob("*.png") if path.stem.isdecimal()]
        return sorted(sheets, key=lambda path: int(path.stem))

    def painter(self, device: str = "cpu") -> LoadedPainter:
        """Return the painter of the best checkpoint, by default the latest.

        Raises RunError where there is no checkpoint yet, PainterError where the run did not learn to paint.
        """
        return load_painter(self.path, device)

    def chart(self, name: str) -> Chart:
        """Return a line chart of a scalar or metric, which a notebook shows. Raises RunError for an unknown name."""
        from impasto.notebook.chart import chart

        rows = [*self.scalars(), *self.metrics()]
        known = {each: None for row in rows for each in row if each not in ("images_seen", "seconds")}
        if name not in known:
            raise RunError(f"{self.path} has no scalar or metric {name}{did_you_mean(name, known)}")
        return chart(name, [row for row in rows if name in row], self.recipe.training.images)

    def _rows(self, kind: str) -> list[dict[str, Any]]:
        """Return a row for each number of images seen. Entries of the same moment become one row."""
        rows: dict[int, dict[str, Any]] = {}
        for row in self.journal():
            if row.pop("kind") == kind:
                rows.setdefault(row["images_seen"], {}).update(row)
        return list(rows.values())

    def __repr__(self) -> str:
        """Return the run's folder, method and progress in a line."""
        seen = f"{self.images_seen:,} of {self.recipe.training.images:,} images seen"
        return f"<Run {self.path} ({self.recipe.method.name}, {seen})>"


def open_run(path: str | Path) -> Run:
    """Return a run by its folder, or by its name in `runs/`; raise RunError where there is none."""
    for folder in (Path(path), RUNS / path):
        if RunFolder(folder).exists():
            return Run(folder)
    if Path(path).exists():
        return Run(path)  # raises a RunError that says what is missing in it
    raise RunError(f"there is no run {path}{did_you_mean(str(path), [run.path.name for run in runs(RUNS)])}")


def _flat(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry with its scalars or metrics beside its other fields. A metric's record is left out."""
    row: dict[str, Any] = {}
    for name, value in entry.items():
        if name in ("scalars", "metrics") and isinstance(value, Mapping):
            row |= value
        elif name != "record":
            row[name] = value
    return row
