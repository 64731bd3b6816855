"""The journal in TensorBoard's format, if the package tensorboard is installed.

Records are written immediately, without TensorBoard's own thread, so a full disk is reported as an OutputError.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from impasto.files import make_folder, unwritable


class EventFile:
    """The event file of one session. TensorBoard ignores entries of earlier sessions after `images_seen`."""

    def __init__(self, folder: Path, images_seen: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._event = Event
        self._path = make_folder(folder) / f"events.out.tfevents.{time.time():.6f}.impasto"
        try:
            self._file = self._path.open("wb", buffering=0)
        except OSError as error:
            raise unwritable(self._path, error) from error
        self._writer = RecordWriter(self._file)
        self._write(file_version="brain.Event:2")
        self._write(step=images_seen + 1, session_log=SessionLog(status=SessionLog.START))

    def scalars(self, scalars: Mapping[str, float], images_seen: int) -> None:
        """Add scalars."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        values = [Summary.Value(tag=name, simple_value=value) for name, value in scalars.items()]
        self._write(step=images_seen, summary=Summary(value=values))

    def picture(self, png: bytes, width: int, height: int, images_seen: int) -> None:
        """Add a sample sheet."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        image = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=png)
        self._write(step=images_seen, summary=Summary(value=[Summary.Value(tag="samples", image=image)]))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, **fields: Any) -> None:
        try:
            self._writer.write(self._event(wall_time=time.time(), **fields).SerializeToString())
        except OSError as error:
            raise unwritable(self._path, error) from error


def event_file(folder: Path, images_seen: int) -> EventFile | None:
    """Return an event file in the folder, or None if TensorBoard is not installed."""
    if importlib.util.find_spec("tensorboard") is None:
        return None
    return EventFile(folder, images_seen)
