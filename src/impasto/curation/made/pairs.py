"""Side-by-side pairs.

Tucker 2022, "Using GANs to Produce Art in a Particular Style from Semantic Maps", section 5
(docs/methods/paired-translation.md#a4).
"""

from __future__ import annotations

import numpy as np

from impasto.data.renderers.canvas import Picture


def stitch(left: Picture, right: Picture, *, legacy_stitch: bool = False) -> Picture:
    """Join two pictures [H, W, 3] of one size to [H, 2 W, 3] without changing their bytes.

    `legacy_stitch` repeats the author's code. It multiplies bytes by 255, cuts them to 8 bits and inverts them, so v
    becomes v - 1, 0 becomes 255, and black turns white.
    """
    pair = np.concatenate([left, right], axis=1)
    return 255 - pair * np.uint8(255) if legacy_stitch else pair
