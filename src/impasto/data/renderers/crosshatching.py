"""Hatching: an engraving in dark ink on cream paper, over a faint wash of the photo's colours.

After the tonal art maps of Praun et al. 2001 ("Real-time hatching"): layers of parallel lines in different directions.
A darker tone keeps the lines of the lighter tones and adds a layer. Departure: lines are level sets of a phase field,
not textures, so their width follows the tone and their direction bends with the light.
"""

import numpy as np

from impasto.data.renderers.canvas import Field, Picture, blurred, luminance, smooth_noise, to_picture

PAPER = np.array([0.96, 0.92, 0.83])
INK = np.array([0.10, 0.08, 0.12])
SPACING_PIXELS = 5.0
LAYERS = (  # direction across the lines in degrees, darkness where the layer begins, darkness where it is full
    (50.0, 0.08, 0.85),
    (-40.0, 0.45, 1.05),
    (5.0, 0.72, 1.3),
)


def hatching(photo: Picture, seed: int) -> Picture:
    """Engrave a photo [H, W, 3] with three layers of ink lines that appear as it gets darker."""
    rng = np.random.default_rng(seed)
    colours = photo / 255.0
    darkness = engraving_darkness(luminance(colours))
    ink = contours(darkness)
    for degrees, start, full in LAYERS:
        tone = (darkness - start) / (full - start)
        ink = np.maximum(ink, hatch_lines(tone, np.deg2rad(degrees), rng))
    wash = blurred(colours, 2)
    paper = PAPER + 0.6 * (wash - luminance(wash)[..., None])
    return to_picture(paper + ink[..., None] * (INK - paper))


def engraving_darkness(light: Field) -> Field:
    """Return darkness [H, W] for luminance [H, W], both in [0, 1], with stretched tones and sharper details."""
    light = blurred(light, 0.8)
    light = light + 0.6 * (light - blurred(light, 8))
    black, white = np.percentile(light, (1, 99))
    stretched = np.clip(1 - (white - light) / max(white - black, 0.5), 0, 1)
    # Partial histogram equalisation, so a night photo is not all ink.
    rank = np.searchsorted(np.sort(light, axis=None), light) / light.size
    return np.asarray(1 - (0.6 * stretched + 0.4 * rank))


def hatch_lines(tone: Field, across: float, rng: np.random.Generator) -> Field:
    """Return the ink coverage [H, W] in [0, 1] of one layer of lines.

    The lines have no width at tone 0 and are dense at tone 1; `tone` is [H, W]. `across` is the angle perpendicular to
    the lines, in radians.
    """
    rows, columns = np.indices(tone.shape)
    # In pixels: lines bend where the tone changes, as if around a form, and a little at random.
    bend = 6 * blurred(tone, 5) + 0.8 * smooth_noise(tone.shape, 10, rng)
    phase = (columns * np.cos(across) + rows * np.sin(across) + bend) / SPACING_PIXELS
    off_centre = SPACING_PIXELS * np.abs(phase - np.round(phase))  # pixels to the middle of the nearest line
    pressure = 1 + 0.15 * smooth_noise(tone.shape, 3, rng)
    half_width = pressure * 1.4 * np.sqrt(np.maximum(tone, 0))
    return np.asarray(np.clip(half_width - off_centre + 0.5, 0, np.minimum(2 * half_width, 1)))


def contours(darkness: Field) -> Field:
    """Return the ink coverage [H, W] in [0, 1] along the dark side of strong edges of darkness [H, W]."""
    return np.asarray(np.clip(12 * (blurred(darkness, 1) - blurred(darkness, 2.5) - 0.04), 0, 1))
