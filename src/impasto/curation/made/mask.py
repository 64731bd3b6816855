"""Masks: covered faces, the second domain of face completion, or covered regions.

Park, Ye and Flaherty 2023, "Cycle GANs and Style Transfer", slides "Face Completion"
(docs/methods/unpaired-translation.md, "Data"). Their pictures show people with masks over nose, mouth and chin; here
such a mask is painted. If no face is found, or none is requested, a quarter of the picture is covered by strokes,
ellipses or rectangles.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pydantic import Field

from impasto.curation.made.faces import FaceBox, find_faces, middle_face
from impasto.curation.made.kind import Kind, Made
from impasto.data.renderers.canvas import Picture

Shape = Literal["strokes", "ellipses", "rectangles"]
CLOTHS = ((168, 202, 222), (236, 238, 240), (52, 54, 62))  # surgical blue, white, black
REGION_PAINT = (255, 255, 255)
SUPERSAMPLING = 4
MARGIN = 0.3  # around the face box, as a share of its side, for chin and straps
MOST_SHAPES = 200  # limit, because rounding can keep the share just below the target

Points = NDArray[np.float64]
"""[N, 2] x and y, in units of the side of the face box, from its top left corner."""


class Mask(Kind):
    """A picture with covered parts."""

    kind: Literal["mask"] = "mask"
    on: Literal["faces", "middle", "regions"] = "faces"
    """`faces`: frontal faces that a detector finds, else regions; `middle`: the centre of pictures cropped to a face;
    `regions`: anywhere."""
    shape: Shape = "strokes"
    """Shape of regions."""
    share: float = Field(0.25, gt=0, le=0.9)
    """Minimum share of the picture that regions cover."""

    def make(self, picture: Picture, seed: int) -> Made:
        """Cover faces, or regions if there are none. The note says which."""
        rng = np.random.default_rng(seed)
        if self.on == "regions":
            return Made(cover_regions(picture, self.shape, self.share, rng))
        if self.on == "middle":
            return Made(cover_faces(picture, [middle_face(picture)], rng))
        faces = find_faces(picture)
        if faces:
            return Made(cover_faces(picture, faces, rng), "masked on a face")
        return Made(
            cover_regions(picture, self.shape, self.share, rng), "masked on a region, because no face was found"
        )


def cover_faces(picture: Picture, faces: list[FaceBox], rng: np.random.Generator) -> Picture:
    """Paint a cloth mask over nose, mouth and chin of every face, in a random colour of CLOTHS."""
    masked = Image.fromarray(picture)
    for face in faces:
        cloth = face_mask(max(2, round(face.side)), CLOTHS[rng.integers(len(CLOTHS))], rng)
        corner = round(face.left - MARGIN * face.side), round(face.top - MARGIN * face.side)
        masked.paste(cloth, corner, mask=cloth)
    return np.asarray(masked)


def face_mask(side: int, colour: tuple[int, int, int], rng: np.random.Generator) -> Image.Image:
    """Paint a mask for a face box of `side` pixels, RGBA, MARGIN wider than the box on every side."""
    scale = side * SUPERSAMPLING
    canvas = Image.new("RGBA", (round(scale * (1 + 2 * MARGIN)),) * 2, (*colour, 0))
    brush = ImageDraw.Draw(canvas)
    shade = tuple(round(0.8 * channel) for channel in colour)
    wide, line = rng.uniform(0.42, 0.46), max(1, round(0.018 * scale))

    def placed(points: Points) -> list[tuple[float, float]]:
        return [(x, y) for x, y in ((points + MARGIN) * scale).tolist()]

    for points in straps(wide):
        brush.line(placed(points), fill=shade, width=line)
    brush.polygon(placed(outline(wide)), fill=colour, outline=shade, width=line)
    for points in pleats(wide):
        brush.line(placed(points), fill=shade, width=line)
    return canvas.reduce(SUPERSAMPLING)


def outline(wide: float) -> Points:
    """Return the outline of a mask: over the nose and around the chin. `wide` is half its width."""
    angle = np.linspace(0, np.pi, 33)
    chin = np.stack([0.5 + wide * np.cos(angle), 0.57 + 0.50 * np.sin(angle) ** 0.8], axis=1)
    nose = np.stack([0.5 - wide * np.cos(angle), 0.57 - 0.11 * np.sin(angle) ** 2], axis=1)
    return np.concatenate([chin, nose])


def pleats(wide: float) -> list[Points]:
    """Return the three folds of a mask."""
    across = np.linspace(-0.86, 0.86, 17)
    return [np.stack([0.5 + wide * across, height + 0.05 * (1 - across**2)], axis=1) for height in (0.62, 0.72, 0.82)]


def straps(wide: float) -> list[Points]:
    """Return the four straps to the ears."""
    ends = [
        (0.5 + side * (wide + reach), height)
        for side in (-1, 1)
        for pair in (((-0.01, 0.58), (0.10, 0.44)), ((-0.06, 0.84), (0.10, 0.60)))
        for reach, height in pair
    ]
    return list(np.array(ends).reshape(-1, 2, 2))


def cover_regions(picture: Picture, shape: Shape, share: float, rng: np.random.Generator) -> Picture:
    """Draw shapes over a picture until at least `share` of it is covered."""
    height, width = picture.shape[:2]
    covered = Image.new("1", (width, height))
    brush = ImageDraw.Draw(covered)
    for _ in range(MOST_SHAPES):
        if np.asarray(covered).mean() >= share:
            break
        _DRAW[shape](brush, np.array([width, height], np.float64), rng)
    return np.where(np.asarray(covered)[..., None], np.array(REGION_PAINT, np.uint8), picture)


def _stroke(brush: ImageDraw.ImageDraw, size: Points, rng: np.random.Generator) -> None:
    """Draw a random curved stroke of a broad round brush."""
    radius = max(1.0, size.min() * rng.uniform(0.03, 0.06))
    turns = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.7, 9))
    steps = 2.5 * radius * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    path = rng.uniform(0, 1, 2) * size + np.cumsum(steps, axis=0)
    path = size - np.abs(size - np.abs(path))  # reflected at the borders
    brush.line([(x, y) for x, y in path.tolist()], fill=1, width=max(1, round(2 * radius)))
    for x, y in path.tolist():
        brush.ellipse((x - radius, y - radius, x + radius, y + radius), fill=1)


def _ellipse(brush: ImageDraw.ImageDraw, size: Points, rng: np.random.Generator) -> None:
    """Draw an ellipse at a random position."""
    brush.ellipse(_box(size, rng), fill=1)


def _rectangle(brush: ImageDraw.ImageDraw, size: Points, rng: np.random.Generator) -> None:
    """Draw a rectangle at a random position."""
    brush.rectangle(_box(size, rng), fill=1)


def _box(size: Points, rng: np.random.Generator) -> tuple[float, float, float, float]:
    half = size.min() * rng.uniform(0.06, 0.18, 2)
    (left, top), (right, bottom) = (centre := rng.uniform(0, 1, 2) * size) - half, centre + half
    return float(left), float(top), float(right), float(bottom)


_DRAW = {"strokes": _stroke, "ellipses": _ellipse, "rectangles": _rectangle}
