"""The log of a run: journal.jsonl, sample sheets, and TensorBoard's files if TensorBoard is installed."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from torch import Tensor

from impasto.data.transforms import to_picture
from impasto.engine.event_file import event_file
from impasto.files import make_folder, replacing, unwritable, write_text
from impasto.run_folder import RunFolder

CAPTION_HEIGHT = 16


class Journal:
    """Writes the log of one run. `images_seen` gives an entry's position in the run."""

    def __init__(self, run: RunFolder, images_seen: int) -> None:
        """Open the journal and remove entries after `images_seen`, which a killed run may have left."""
        self.run = run
        self._started = time.monotonic()
        kept = [entry for entry in run.journal() if entry["images_seen"] <= images_seen] if images_seen else []
        self._earlier_seconds = max((entry.get("seconds", 0.0) for entry in kept), default=0.0)
        write_text(run.journal_file, "".join(json.dumps(entry) + "\n" for entry in kept))
        for sheet in run.samples.glob("*.png"):
            if sheet.stem.isdecimal() and int(sheet.stem) > images_seen:
                sheet.unlink()
        self._events = event_file(run.tensorboard, images_seen)

    @property
    def seconds(self) -> float:
        """Training time so far in seconds, including earlier sessions."""
        return self._earlier_seconds + time.monotonic() - self._started

    def note(self, kind: str, images_seen: int, **fields: Any) -> None:
        """Add an entry."""
        entry = {"kind": kind, "images_seen": images_seen, "seconds": round(self.seconds, 3), **fields}
        try:
            with self.run.journal_file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
        except OSError as error:
            raise unwritable(self.run.journal_file, error) from error

    def scalars(self, scalars: Mapping[str, float], images_seen: int) -> None:
        """Add means of what the method logs."""
        self.note("scalars", images_seen, scalars={name: _significant(value) for name, value in scalars.items()})
        if self._events is not None:
            self._events.scalars(scalars, images_seen)

    def metrics(self, metrics: Mapping[str, float], images_seen: int, record: Mapping[str, Any] | None = None) -> None:
        """Add metrics, and the record of how they were computed if there is one."""
        fields = {} if record is None else {"record": record}
        rounded = {name: _significant(value) for name, value in metrics.items()}
        self.note("metrics", images_seen, metrics=rounded, **fields)
        if self._events is not None:
            self._events.scalars(metrics, images_seen)

    def sheet(self, rows: Mapping[str, Tensor], images_seen: int) -> Path:
        """Draw a sample sheet from named rows of images [N, C, H, W] in [-1, 1]; return its file."""
        picture = sample_sheet(rows)
        target = make_folder(self.run.samples) / f"{images_seen:09d}.png"
        with replacing(target) as temporary:
            picture.save(temporary, format="PNG")
        if self._events is not None:
            self._events.picture(target.read_bytes(), picture.width, picture.height, images_seen)
        self.note("samples", images_seen, file=str(target.relative_to(self.run.path)))
        return target

    def close(self) -> None:
        """Close the event file."""
        if self._events is not None:
            self._events.close()


def sample_sheet(rows: Mapping[str, Tensor], gap: int = 4) -> Image.Image:
    """Return a sheet of named rows of images [N, C, H, W] in [-1, 1], each below its name; `gap` in pixels."""
    pictures = {name: [to_picture(image.expand(3, -1, -1)) for image in images] for name, images in rows.items()}
    heights = [row[0].height + CAPTION_HEIGHT + gap for row in pictures.values()]
    width = max(sum(picture.width + gap for picture in row) - gap for row in pictures.values())
    sheet = Image.new("RGB", (max(width, 60), sum(heights) - gap), "white")
    top = 0
    for (name, row), height in zip(pictures.items(), heights, strict=True):
        ImageDraw.Draw(sheet).text((2, top + 1), name, fill="black")
        left = 0
        for picture in row:
            sheet.paste(picture, (left, top + CAPTION_HEIGHT))
            left += picture.width + gap
        top += height
    return sheet


def _significant(value: float) -> float:
    """Round to six significant digits: enough for a curve, and short."""
    return float(f"{value:.6g}")
