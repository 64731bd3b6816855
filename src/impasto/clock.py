"""Progress, counted in images seen: schedules, averages and intervals of any batch size share this one measure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Clock:
    """How far training has come. One image pair, labelled image or other training example counts as one image."""

    images: int
    """Images at which training ends."""
    images_seen: int = 0
    _before: int = 0

    def advance(self, images: int) -> None:
        """Count one batch."""
        self._before = self.images_seen
        self.images_seen += images

    def due(self, interval: int) -> bool:
        """Say whether the last batch reached or crossed a multiple of `interval` images."""
        return self.images_seen // interval > self._before // interval

    @property
    def finished(self) -> bool:
        """Whether all images have been seen."""
        return self.images_seen >= self.images
