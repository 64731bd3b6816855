"""How many paintings a command or a figure makes where nobody says; needs no torch, so that help stays quick."""

from __future__ import annotations

PAINTINGS = 16
"""Of each label; without labels as many as there are classes, where those are more."""
GALLERY = 64
GALLERY_COLUMNS = 8
"""The least in a row of a gallery that has as many; of more than its square, rows are as long as columns."""
IN_A_ROW = 10
"""Of every class, and of truncated latents where there are not more classes."""
SWEEP_ROWS = 5
INTERPOLATION_ROWS = 4
INTERPOLATION_STEPS = 9
FRAMES = 60
