"""Strokes: an oil sketch.

Hertzmann 1998, "Painterly rendering with curved brush strokes of multiple sizes", section 2: layers from the largest
brush to the smallest. Each layer paints where the canvas differs from the photo blurred to the size of the brush.
Strokes follow the normals of the luminance gradient. Departures: the direction of the gradient is averaged over the
brush (a structure tensor), because in flat areas it is noise; the paint has a relief, lit from the upper left.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import shift, sobel

from impasto.data.renderers.canvas import Field, Picture, blurred, luminance, shrunk, to_picture

BRUSH_RADII_PIXELS = (8, 4, 2)
TOLERANCE = 0.11  # T: colour distance, in [0, sqrt(3)], up to which the canvas is not painted
SHORTEST, LONGEST = 3, 10  # stroke lengths in brush radii
STRAIGHTNESS = 0.3  # 1 - f_c: share of the last direction that a stroke keeps
COLOUR_JITTER = 0.02
RELIEF = 0.25
SUPERSAMPLING = 2


class Layer(NamedTuple):
    """N strokes of one brush."""

    points: Field  # [N, LONGEST + 1, 2], (row, column)
    lengths: NDArray[np.int64]  # [N]: number of points in use
    colours: Field  # [N, 3], about [0, 1]


def strokes(photo: Picture, seed: int) -> Picture:
    """Paint a photo [H, W, 3] with three sizes of curved brush strokes."""
    rng = np.random.default_rng(seed)
    height, width = photo.shape[:2]
    paint = Image.new("RGBA", (width * SUPERSAMPLING, height * SUPERSAMPLING))  # alpha is the height of the paint
    canvas = np.full(photo.shape, -1.0)  # unpainted: far from every colour
    for radius in BRUSH_RADII_PIXELS:
        reference = blurred(photo / 255.0, radius / 2)
        draw(trace(reference, canvas, radius, rng), radius, paint, rng)
        canvas = shrunk(np.asarray(paint)[..., :3] / 255.0, SUPERSAMPLING)
    heights = blurred(np.asarray(paint)[..., 3:] / 255.0, 1)
    slope = heights - shift(heights, (SUPERSAMPLING, SUPERSAMPLING, 0), order=0, mode="nearest")
    return to_picture(canvas + RELIEF * shrunk(slope, SUPERSAMPLING))


def trace(reference: Field, canvas: Field, radius: int, rng: np.random.Generator) -> Layer:
    """Trace all strokes of one layer (makeSpineStroke in the paper). Reference and canvas are [H, W, 3]."""
    height, width = canvas.shape[:2]
    difference = np.linalg.norm(reference - canvas, axis=-1)
    along = stroke_directions(reference, radius)
    place = starting_points(difference, radius, rng).astype(np.float64)
    nearest = place.astype(np.int64)
    colours = reference[nearest[:, 0], nearest[:, 1]]
    points, lengths, last = [place], np.ones(len(place), np.int64), np.zeros_like(place)
    growing = np.ones(len(place), bool)
    for step in range(1, LONGEST + 1):
        row, column = nearest.T
        direction = along[row, column]
        backwards = (direction * last).sum(axis=1, keepdims=True) < 0
        direction = np.where(backwards, -direction, direction)
        direction = (1 - STRAIGHTNESS) * direction + STRAIGHTNESS * last
        last = direction / np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-9)
        place = place + radius * last
        nearest = np.clip(np.round(place), 0, (height - 1, width - 1)).astype(np.int64)
        row, column = nearest.T
        worse = np.linalg.norm(reference[row, column] - colours, axis=1) > difference[row, column]  # than the canvas
        outside = (np.abs(place - nearest) > radius).any(axis=1)
        growing &= ~outside & ~(worse & (step > SHORTEST))
        lengths += growing
        points.append(place)
    jitter = rng.standard_normal((len(colours), 1)) + rng.standard_normal(colours.shape)  # of lightness, of hue
    return Layer(np.stack(points, axis=1), lengths, colours + COLOUR_JITTER * jitter)


def stroke_directions(reference: Field, radius: int) -> Field:
    """Return unit vectors [H, W, 2] (row, column) along the edges of reference [H, W, 3], averaged over the brush."""
    light = luminance(reference)
    down, right = sobel(light, axis=0), sobel(light, axis=1)
    xx, yy, xy = (blurred(product, 1.5 * radius) for product in (right * right, down * down, down * right))
    gradient_angle = 0.5 * np.arctan2(2 * xy, xx - yy)
    return np.stack([np.cos(gradient_angle), -np.sin(gradient_angle)], axis=-1)


def starting_points(difference: Field, radius: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the starts of strokes [N, 2] in random order: the worst pixel of each grid cell of difference [H, W]."""
    height, width = difference.shape
    noisy = difference + 0.02 * rng.random(
        difference.shape
    )  # otherwise strokes of even areas start in the corners of their cells
    rows, columns = -(-height // radius), -(-width // radius)
    padded = np.zeros((rows * radius, columns * radius))
    padded[:height, :width] = noisy
    cells = padded.reshape(rows, radius, columns, radius).swapaxes(1, 2).reshape(rows, columns, radius * radius)
    row, column = np.nonzero(cells.mean(axis=-1) > TOLERANCE)
    worst = cells[row, column].argmax(axis=-1)
    places = np.stack([row * radius + worst // radius, column * radius + worst % radius], axis=-1)
    return rng.permutation(places)


def draw(layer: Layer, radius: int, paint: Image.Image, rng: np.random.Generator) -> None:
    """Draw a layer on `paint`, enlarged by SUPERSAMPLING, with round caps and a random height for each stroke."""
    brush, half = ImageDraw.Draw(paint), radius * SUPERSAMPLING
    spines = SUPERSAMPLING * (layer.points[..., ::-1] + 0.5)
    heights = rng.integers(64, 256, (len(spines), 1))
    inks = np.concatenate([to_picture(layer.colours), heights], axis=1)
    for spine, length, ink in zip(spines.tolist(), layer.lengths.tolist(), inks.tolist(), strict=True):
        path = [tuple(point) for point in spine[:length]]
        brush.line(path, fill=tuple(ink), width=2 * half)
        for x, y in (path[0], path[-1]):
            brush.ellipse((x - half, y - half, x + half, y + half), fill=tuple(ink))
