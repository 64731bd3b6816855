"""Ctrl-C and SIGTERM, deferred until the training step is complete."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class InterruptedTraining(Exception):  # noqa: N818 - not an error: the run is saved and can be resumed
    """A signal stopped training. The run was saved first."""

    def __init__(self, signal_number: int, images_seen: int) -> None:
        self.signal_number, self.images_seen = signal_number, images_seen
        super().__init__(f"stopped by {signal.Signals(signal_number).name} at {images_seen} images")

    @property
    def exit_code(self) -> int:
        """128 + the signal's number: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + self.signal_number


class Interrupts:
    """Inside the context, stores the first SIGINT or SIGTERM. A second signal has its usual effect."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.received = 0
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():  # other threads receive no signals
            self._previous = {number: signal.signal(number, self._remember) for number in self.SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def _remember(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.received = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}
