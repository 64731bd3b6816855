"""Finds faces: a detector from scikit-image, or the usual position in pictures cropped to a face."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import skimage.data
from PIL import Image
from skimage.feature import Cascade

from impasto.data.renderers.canvas import Picture

SEEN_SIDE = 240  # short side for the detector, pixels: its time grows with the area
SMALLEST_SHARE = 0.12  # of the short side: smaller detections are mostly foliage
WINDOW = 24  # side of the window of the detector, pixels: the smallest possible face
AGREEING_WINDOWS = 5  # with fewer there are more faces, but many false ones
MIDDLE_SIDE, MIDDLE_HEIGHT = 0.54, 0.6  # in a picture cropped to a face: side and centre, as shares of the picture


class FaceBox(NamedTuple):
    """A square from the brows to the chin, pixels."""

    top: float
    left: float
    side: float


def find_faces(picture: Picture) -> list[FaceBox]:
    """Return the frontal faces of a picture [H, W, 3], by local binary patterns (Liao et al. 2007, in scikit-image).

    It was trained on photos of upright faces. It misses turned heads, profiles and most painted faces.
    """
    height, width = picture.shape[:2]
    scale = min(1.0, SEEN_SIDE / min(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    smallest, largest = max(WINDOW, round(min(size) * SMALLEST_SHARE)), min(size)
    if largest < smallest:
        return []
    seen = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR))
    found = _detector().detect_multi_scale(
        seen, 1.15, 1, (smallest, smallest), (largest, largest), min_neighbor_number=AGREEING_WINDOWS
    )
    boxes = [FaceBox(face["r"] / scale, face["c"] / scale, face["width"] / scale) for face in found]
    return sorted(boxes, key=lambda box: -box.side)


def middle_face(picture: Picture) -> FaceBox:
    """Return the usual box of a face in a picture [H, W, 3] cropped to one: below the centre, because of the hair."""
    height, width = picture.shape[:2]
    side = MIDDLE_SIDE * min(height, width)
    return FaceBox(MIDDLE_HEIGHT * height - side / 2, (width - side) / 2, side)


@cache
def _detector() -> Cascade:
    return Cascade(skimage.data.lbp_frontal_face_cascade_filename())
