"""Default numbers of paintings for commands and figures. Imports no torch, so that help texts appear quickly."""

from __future__ import annotations

PAINTINGS = 16
"""Paintings of each named class. Without named classes: at least one for each class."""
GALLERY = 64
GALLERY_COLUMNS = 8
"""Fewest columns of a gallery. A gallery of more than the square of this is a square."""
IN_A_ROW = 10
"""Paintings of each class in a row, and columns of truncated latents, unless there are more classes."""
SWEEP_ROWS = 5
INTERPOLATION_ROWS = 4
INTERPOLATION_STEPS = 9
FRAMES = 60
