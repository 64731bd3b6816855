"""Points: pointillism on a tinted ground.

Seurat's divided colour: round dots of nearly pure colour from the photo, with jitter in hue and saturation. One dot in
seven becomes the violet of shadows or the orange of sunlight, and the eye mixes them.
"""

import numpy as np
from PIL import Image, ImageDraw

from impasto.data.renderers.canvas import Field, Picture, blurred, to_picture

GROUND = (216, 190, 144)
DOTS = ((4.4, 8.5), (3.0, 6.2), (1.9, 4.4))  # radius and spacing of each size, in pixels
VIOLET, ORANGE = 0.72, 0.09  # hues in [0, 1)
SUPERSAMPLING = 3


def points(photo: Picture, seed: int) -> Picture:
    """Paint a photo [H, W, 3] with dots of three sizes, from large to small."""
    rng = np.random.default_rng(seed)
    height, width = photo.shape[:2]
    image = Image.new("RGB", (width * SUPERSAMPLING, height * SUPERSAMPLING), GROUND)
    brush = ImageDraw.Draw(image)
    for radius, spacing in DOTS:
        centres = jittered_grid(height, width, spacing, rng)
        row, column = np.clip(np.round(centres), 0, (height - 1, width - 1)).astype(np.int64).T
        colours = divided(blurred(photo / 255.0, radius / 3)[row, column], rng)
        reach = radius * SUPERSAMPLING * rng.uniform(0.8, 1.1, len(centres))
        for (y, x), r, colour in zip(SUPERSAMPLING * (centres + 0.5), reach, colours.tolist(), strict=True):
            brush.ellipse((x - r, y - r, x + r, y + r), fill=tuple(colour))
    return np.asarray(image.reduce(SUPERSAMPLING))


def jittered_grid(height: int, width: int, spacing: float, rng: np.random.Generator) -> Field:
    """Return grid points [N, 2] (row, column), each moved by up to half the spacing, in random order."""
    rows, columns = np.arange(0, height + spacing, spacing), np.arange(0, width + spacing, spacing)
    grid = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)
    return rng.permutation(grid + rng.uniform(-spacing / 2, spacing / 2, grid.shape))


def divided(colours: Field, rng: np.random.Generator) -> Picture:
    """Make colours [N, 3] in [0, 1] purer, jitter them, and return them as bytes."""
    hsv = np.asarray(Image.fromarray(to_picture(colours[None])).convert("HSV"))[0] / 255.0
    hue, saturation, value = hsv.T
    count = len(colours)
    hue = (hue + 0.025 * rng.standard_normal(count)) % 1
    saturation = 0.06 + 1.25 * saturation + 0.08 * rng.standard_normal(count)
    value = 0.05 + value + 0.05 * rng.standard_normal(count)
    accent = rng.random(count) < 0.15
    hue[accent] = np.where(value < 0.5, VIOLET, ORANGE)[accent]
    value[accent] += 0.10
    scattered = Image.fromarray(to_picture(np.stack([hue, saturation, value], axis=-1)[None]), "HSV")
    return np.asarray(scattered.convert("RGB")).reshape(-1, 3)
