"""Grey: the second domain of the colourisation task.

Park, Ye and Flaherty 2023, "Cycle GANs and Style Transfer", slides "Image Colorization"
(docs/methods/unpaired-translation.md, "Data").
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from PIL import Image

from impasto.curation.made.kind import Kind, Made
from impasto.data.renderers.canvas import Picture


class Grey(Kind):
    """A grey version of a picture. It has no options."""

    kind: Literal["grey"] = "grey"

    def make(self, picture: Picture, seed: int) -> Made:  # noqa: ARG002
        """Return the grey picture."""
        return Made(grey(picture))


def grey(picture: Picture) -> Picture:
    """Return the Rec. 601 luma of a picture [H, W, 3] in three equal channels."""
    return np.asarray(Image.fromarray(picture).convert("L").convert("RGB"))
