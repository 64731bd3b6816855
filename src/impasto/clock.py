"""Training progress, counted in images seen, so schedules, averages and intervals do not depend on the batch size."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Clock:
    """Training progress. An image pair, a labelled image or another training example counts as one image."""

    images: int
    """Number of images at which training ends."""
    images_seen: int = 0
    _before: int = 0

    def advance(self, images: int) -> None:
        """Count one batch."""
        self._before = self.images_seen
        self.images_seen += images

    def due(self, interval: int) -> bool:
        """Return whether the last batch reached or crossed a multiple of `interval` images."""
        return self.images_seen // interval > self._before // interval

    @property
    def finished(self) -> bool:
        """Whether all images have been seen."""
        return self.images_seen >= self.images
