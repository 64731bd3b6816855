"""The files of a run folder. Training writes them; all other packages read them.

recipe.yaml                     the recipe with all defaults
data.json                       the training pictures: digests, a summary, the number of pictures of each class
journal.jsonl                   one JSON object per line: start, scalars, samples, checkpoint, finish
samples/000000480.png           a sheet of samples, named by images seen
tensorboard/                    the same for TensorBoard, if TensorBoard is installed
checkpoints/000000480/          weights.safetensors, recipe.yaml (painting needs these two), training.pt
checkpoints/best.json           the checkpoint with the best value of the recipe's `training.best`
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from impasto.errors import RunError
from impasto.recipe import Recipe, parse_recipe

WEIGHTS = "weights.safetensors"
RECIPE = "recipe.yaml"
TRAINING = "training.pt"


class RunFolder:
    """The files of one run, to read. The engine writes them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def recipe_file(self) -> Path:
        """The recipe with all defaults and overrides."""
        return self.path / RECIPE

    @property
    def journal_file(self) -> Path:
        """The log, one JSON object per line."""
        return self.path / "journal.jsonl"

    @property
    def data_file(self) -> Path:
        """The record of the training pictures."""
        return self.path / "data.json"

    @property
    def samples(self) -> Path:
        """Folder of sample sheets."""
        return self.path / "samples"

    @property
    def tensorboard(self) -> Path:
        """Folder of TensorBoard's event files."""
        return self.path / "tensorboard"

    @property
    def checkpoints(self) -> Path:
        """Folder of checkpoints."""
        return self.path / "checkpoints"

    @property
    def best_file(self) -> Path:
        """The file that names the best checkpoint."""
        return self.checkpoints / "best.json"

    def exists(self) -> bool:
        """Whether a run was started here."""
        return self.recipe_file.is_file()

    def recipe(self) -> Recipe:
        """Return the run's recipe. Raises RunError when there is none."""
        try:
            text = self.recipe_file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(
                f"{self.path} is not a run folder: it has no readable {RECIPE}; pass another folder"
            ) from error
        return parse_recipe(text, str(self.recipe_file))

    def checkpoint_folders(self) -> list[Path]:
        """Return the checkpoints, oldest first."""
        if not self.checkpoints.is_dir():
            return []
        folders = [path for path in self.checkpoints.iterdir() if path.name.isdecimal() and path.is_dir()]
        return sorted(folders, key=lambda path: int(path.name))

    def latest(self) -> Path | None:
        """Return the newest checkpoint, or None."""
        folders = self.checkpoint_folders()
        return folders[-1] if folders else None

    def best(self) -> Path | None:
        """Return the best checkpoint, else the newest, else None. Raises RunError when best.json is damaged."""
        if self.best_file.is_file():
            try:
                best = self.checkpoints / str(json.loads(self.best_file.read_text(encoding="utf-8"))["checkpoint"])
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise RunError(f"{self.best_file} is damaged; remove it to use the newest checkpoint") from error
            if best.is_dir():
                return best
        return self.latest()

    def finished(self) -> bool:
        """Whether the newest checkpoint has seen all images of its recipe."""
        latest = self.latest()
        return latest is not None and int(latest.name) >= self.recipe().training.images

    def told_finished(self) -> bool:
        """Whether the journal records the end of the run."""
        last = deque(self.journal(), maxlen=1)
        return bool(last) and last[0]["kind"] == "finish"

    def journal(self) -> Iterator[dict[str, Any]]:
        """Yield the journal's entries, oldest first. Lines that are no entries are left out."""
        if not self.journal_file.is_file():
            return
        with self.journal_file.open("rb") as file:  # bytes: a torn line need not be UTF-8
            yield from filter(None, map(journal_entry, file))


def journal_entry(line: bytes) -> dict[str, Any] | None:
    """Return the entry of a journal's line: an object with `kind` and `images_seen`.

    None where a power cut or an editor left something else.
    """
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict) or not isinstance(entry.get("kind"), str):
        return None
    images_seen = entry.get("images_seen")
    return entry if isinstance(images_seen, int) and images_seen >= 0 else None
