"""Taking a run folder: it must be new or of the same recipe, and nobody else may be training in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from impasto.errors import RunError
from impasto.files import make_folder, unwritable, write_text
from impasto.recipe import Recipe
from impasto.run_folder import RunFolder

try:
    import fcntl
except ImportError:  # Windows has no flock; there the folder is not guarded
    fcntl = None  # type: ignore[assignment]


def check_folder(run: RunFolder, recipe: Recipe) -> None:
    """Raise RunError when the folder holds something else than a run of this recipe."""
    if run.exists():
        if run.latest() is None:  # nothing was learned yet: a corrected command may begin anew
            return
        differences = run.recipe().differences(recipe)
        if differences:
            raise RunError(
                f"{run.path} holds a run of another recipe ({'; '.join(differences[:5])}); choose another "
                "folder for this one, or start with the settings it has"
            )
    elif run.path.exists() and (not run.path.is_dir() or any(p.name != ".lock" for p in run.path.iterdir())):
        raise RunError(f"{run.path} exists and is not a run folder; choose another folder")


@contextmanager
def claimed(run: RunFolder, recipe: Recipe) -> Iterator[None]:
    """Hold the folder for this process; the system lets go of it however the process ends."""
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
                message = f"another process is training in {run.path}; wait for it or choose another --run"
                raise RunError(message) from error
        if run.latest() is None:
            write_text(run.recipe_file, recipe.to_yaml())
        yield
