"""Atomic writing of files: a reader, even after a power failure, sees the old or the new file, never a part."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from impasto.errors import DataError, OutputError

try:
    import fcntl
except ImportError:  # Windows has no flock; two processes can then do the same work twice
    fcntl = None  # type: ignore[assignment]


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`. If the block ends without an error, it replaces `target`.

    Raises OutputError, with the name of the target, if the folder cannot be written or the disk is full.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        make_folder(target.parent)
        yield temporary
        _flush_to_disk(temporary)
        temporary.replace(target)
    except OSError as error:
        raise unwritable(target, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `target`. If the block ends without an error, it becomes the new `target`."""
    make_folder(target.parent)
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
    except OSError as error:
        raise unwritable(target, error) from error
    try:
        yield temporary
        for path in temporary.rglob("*"):
            _flush_to_disk(path)
        temporary.chmod(0o755)
        temporary.rename(target)
        _flush_to_disk(target.parent)
    except OSError as error:
        raise unwritable(target, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def make_folder(folder: Path) -> Path:
    """Make the folder and its parents. Raises OutputError if that is impossible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    return folder


def default_cache() -> Path:
    """Return the cache folder, whose contents can be made again: `$IMPASTO_CACHE`, else in the caches of the user."""
    if chosen := os.environ.get("IMPASTO_CACHE"):
        return Path(chosen)
    caches = os.environ.get("XDG_CACHE_HOME")
    return (Path(caches) if caches else Path.home() / ".cache") / "impasto"


def made_once(name: str, marker: str, write: Callable[[Path], None], cache: Path | None = None) -> Path:
    """Return the folder `name` of the cache. If its file `marker` is missing, `write` fills it first.

    It appears completely or not at all. If several processes make it, one of them wins. Raises DataError if the cache
    cannot be written.
    """
    folder = (cache or default_cache()) / name
    if (folder / marker).is_file():
        return folder
    try:
        with replacing_folder(folder) as draft:
            write(draft)
    except OutputError as error:
        if not (folder / marker).is_file():  # otherwise another process was faster, with the same content
            raise DataError(f"{error} (set IMPASTO_CACHE to it)") from error
    return folder


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for a lock file and hold it for this thread and process. The system releases it in any case."""
    with path.open("w") as file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_text(target: Path, text: str) -> None:
    """Write a text file atomically."""
    with replacing(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def unwritable(target: Path, error: OSError) -> OutputError:
    """Return the error for a path that cannot be written."""
    reason = error.strerror or str(error)
    return OutputError(f"{target} cannot be written ({reason}); free some space or choose another folder")


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
