"""Moves bad pictures of a collection into a separate folder. Nothing is deleted.

`quarantine.csv` in that folder has the reason and the old path of each file. It is complete before the first move.
After an interruption every file is in one of the two folders, and the same command resumes.
"""

from __future__ import annotations

import csv
import errno
import filecmp
import io
import os
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from impasto.curation.doctor.diagnosis import Diagnosis
from impasto.curation.doctor.examine import Stored
from impasto.curation.doctor.survey import Progress, Survey
from impasto.errors import DataError, OutputError
from impasto.files import make_folder, replacing, unwritable

TABLE = "quarantine.csv"
COLUMNS = ("name", "reason", "from")
MOVED_FAULTS = ("not-a-picture", "corrupt", "truncated")


class Move(NamedTuple):
    """One file to move."""

    source: Path
    target: Path
    reason: str


def check_quarantine(folder: Path, target: Path) -> None:
    """Raise OutputError for a quarantine folder that contains the collection, is inside it or has other contents.

    It is fast, so it can run before pictures are examined.
    """
    here, there = folder.resolve(), target.resolve()
    if here in (there, *there.parents) or there in here.parents:
        raise OutputError(f"{target} must not be inside {folder} or contain it; choose another --quarantine folder")
    if target.is_dir():
        if any(target.iterdir()) and not (target / TABLE).is_file():
            raise OutputError(f"{target} is not a quarantine folder and not empty; choose another --quarantine folder")
    elif target.exists():
        raise OutputError(f"{target} is not a folder; choose another --quarantine folder")
    if folder.is_file():
        raise DataError(f"{folder} is a single file, so nothing can be moved; unpack it, or leave out --quarantine")


def quarantine(diagnosis: Diagnosis, target: Path, progress: Progress | None = None) -> list[Move]:
    """Move damaged files, files that are not pictures and exact copies into `target`, with their sub-folders.

    One of several exact copies stays: a test picture if there is one, else the first. A pair stays or moves as a whole.
    `progress` is called with the number of moved files.

    Raises DataError for a collection inside archives or arrays, OutputError if a file cannot be moved or would replace
    another one.
    """
    check_quarantine(diagnosis.survey.root, target)
    reasons = files_to_move(diagnosis.survey)
    moves = _planned(diagnosis.survey, reasons, target)
    if not moves:
        return []
    _write_table(target / TABLE, moves)
    for done, move in enumerate(moves, start=1):
        _move(move)
        if progress:
            progress("moved", done, len(moves))
    return moves


def files_to_move(surveyed: Survey) -> dict[int, str]:
    """Return the indices of the stored pictures to move, each with the reason."""
    places: dict[int, list[int]] = defaultdict(list)
    for place, subject in enumerate(surveyed.subjects):
        places[subject.item].append(place)
    by_item = {**_copies(surveyed, places), **_damaged(surveyed, places)}
    return {place: reason for item, reason in sorted(by_item.items()) for place in places[item]}


def _damaged(surveyed: Survey, places: Mapping[int, Sequence[int]]) -> dict[int, str]:
    """Return the items with a damaged picture, or with a file that is not a picture, each with the reason."""
    reasons = {}
    for item, parts in places.items():
        for place in parts:
            record = surveyed.records[place]
            if record.fault in MOVED_FAULTS:
                reasons[item] = record.says if len(parts) == 1 else f"{surveyed.subjects[place].name} {record.says}"
    return reasons


def _copies(surveyed: Survey, places: Mapping[int, Sequence[int]]) -> dict[int, str]:
    """Return the items that are exact copies of an item that stays, each with the reason."""
    alike: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for item, parts in places.items():
        records = [surveyed.records[place] for place in parts]
        if all(record.fault is None for record in records):
            alike[tuple(record.digest for record in records)].append(item)
    reasons = {}
    for items in alike.values():
        stays, *others = sorted(items, key=lambda item: (surveyed.collection.items[item].split != "test", item))
        kept = surveyed.subjects[places[stays][0]]
        for item in others:
            if not _is_linked(kept.stored, surveyed.subjects[places[item][0]].stored):
                reasons[item] = f"is the same file as {kept.name}"
    return reasons


def _is_linked(link: Stored, file: Stored) -> bool:
    """Return whether one is a link to the other. Then neither is moved."""
    if not (isinstance(link, Path) and isinstance(file, Path)):
        return False
    return link.is_symlink() and not file.is_symlink() and link.resolve() == file.resolve()


def _planned(surveyed: Survey, reasons: Mapping[int, str], target: Path) -> list[Move]:
    moves: dict[Path, Move] = {}
    for place, reason in reasons.items():
        source, name, _ = surveyed.subjects[place]
        if not isinstance(source, Path):
            raise DataError(
                f"{surveyed.collection.root} has its pictures inside larger files, so nothing can be moved; "
                "unpack them, or leave out --quarantine"
            )
        goal = target / PurePosixPath(*[part for part in PurePosixPath(name).parts if part != ".."])
        if goal in moves or (_exists(goal) and not _is_copied(source, goal)):
            raise OutputError(f"{goal} exists, and {source} would replace it; choose another --quarantine folder")
        moves[goal] = Move(source, goal, reason)
    return list(moves.values())


def _exists(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _is_copied(source: Path, goal: Path) -> bool:
    """Return whether an interrupted move left a complete copy."""
    return goal.is_file() and source.is_file() and filecmp.cmp(source, goal, shallow=False)


def _write_table(path: Path, moves: Sequence[Move]) -> None:
    """Write the table, with the rows of earlier calls first. Names can be invalid Unicode."""
    rows = {(row["name"], row["from"]): row["reason"] for row in _read_table(path)}
    for source, goal, reason in moves:
        rows[goal.relative_to(path.parent).as_posix(), str(source.absolute())] = reason
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows((name, reason, origin) for (name, origin), reason in rows.items())
    with replacing(path) as temporary:
        temporary.write_bytes(text.getvalue().encode("utf-8", "surrogateescape"))


def _read_table(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    try:
        with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            return [{column: row[column] for column in COLUMNS} for row in csv.DictReader(file)]
    except (OSError, csv.Error, KeyError) as error:
        raise OutputError(f"{path} is not the table of a quarantine; choose another --quarantine folder") from error


def _move(move: Move) -> None:
    source, goal, _ = move
    make_folder(goal.parent)
    try:
        if source.is_symlink():
            goal.symlink_to(os.path.abspath(source.parent / source.readlink()))  # noqa: PTH100 - links stay links
            source.unlink()
        elif goal.exists():
            source.unlink()
        else:
            _move_file(source, goal)
    except OSError as error:
        raise unwritable(source, error) from error


def _move_file(source: Path, goal: Path) -> None:
    try:
        source.rename(goal)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with replacing(goal) as temporary:  # another disk: the original is removed after the copy is complete
            shutil.copy2(source, temporary)
        source.unlink()
