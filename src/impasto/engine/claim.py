"""Claiming a run folder: it must be new or have the same recipe, and no other process may train in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from impasto.errors import RunError
from impasto.files import make_folder, unwritable, write_text
from impasto.recipe import Recipe
from impasto.run_folder import RunFolder

try:
    import fcntl
except ImportError:  # Windows has no flock, so the folder is not locked
    fcntl = None  # type: ignore[assignment]


def check_folder(run: RunFolder, recipe: Recipe) -> None:
    """Raise RunError when the folder contains something other than a run of this recipe."""
    if run.exists():
        if run.latest() is None:  # without a checkpoint, a corrected command may start the run again
            return
        differences = run.recipe().differences(recipe)
        if differences:
            raise RunError(
                f"{run.path} contains a run of another recipe ({'; '.join(differences[:5])}); choose another --run, or "
                "use the settings of that run"
            )
    elif run.path.exists() and (not run.path.is_dir() or any(p.name != ".lock" for p in run.path.iterdir())):
        raise RunError(f"{run.path} exists and is not a run folder; choose another --run")


@contextmanager
def claimed(run: RunFolder, recipe: Recipe) -> Iterator[None]:
    """Lock the folder for this process. The operating system removes the lock however the process ends."""
    make_folder(run.path)
    try:
        lock = (run.path / ".lock").open("w")
    except OSError as error:
        raise unwritable(run.path, error) from error
    with lock:
        if fcntl is not None:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                message = f"another process is training in {run.path}; wait for it, or choose another --run"
                raise RunError(message) from error
        if run.latest() is None:
            write_text(run.recipe_file, recipe.to_yaml())
        yield
