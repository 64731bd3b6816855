"""Flat: a screen print of few flat colours with dark outlines.

The colours are k-means centres, in CIELAB, of the photo after total-variation smoothing (Chambolle 2004). The outlines
are a thresholded difference of Gaussians, the simplest one in Winnemöller et al. 2012 ("XDoG").
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.data.renderers.canvas import Field, Picture, blurred, luminance, shrunk, to_picture

COLOURS = 12
VIVIDNESS = np.array([1.0, 1.2, 1.2])  # gains of L, a, b: inks are purer than photographs
INK = np.array([0.08, 0.07, 0.13])
SUPERSAMPLING = 2


def flat(photo: Picture, seed: int) -> Picture:
    """Print a photo [H, W, 3] in COLOURS flat colours and ink."""
    from skimage.color import lab2rgb, rgb2lab
    from skimage.restoration import denoise_tv_chambolle

    height, width = photo.shape[:2]
    size = (width * SUPERSAMPLING, height * SUPERSAMPLING)
    smooth = to_picture(denoise_tv_chambolle(photo / 255.0, weight=0.12, channel_axis=-1))
    large = np.asarray(Image.fromarray(smooth).resize(size, Image.Resampling.BICUBIC)) / 255.0
    lab = rgb2lab(large)
    centres = lab_centres(lab[::4, ::4].reshape(-1, 3), np.random.default_rng(seed))
    nearest = distances(lab, centres).argmin(axis=0)
    palette = lab2rgb(centres * VIVIDNESS)
    inked = np.where(outlines(luminance(large))[..., None], INK, palette[nearest])
    return to_picture(shrunk(inked, SUPERSAMPLING))


def lab_centres(colours: Field, rng: np.random.Generator) -> Field:
    """Return the k-means centres [COLOURS, 3] of colours [N, 3], from a k-means++ start."""
    centres = colours[rng.integers(len(colours), size=1)]
    while len(centres) < COLOURS:
        odds = distances(colours, centres).min(axis=0) + 1e-9  # a photo can have fewer colours than COLOURS
        centres = np.concatenate([centres, colours[rng.choice(len(colours), size=1, p=odds / odds.sum())]])
    for _ in range(20):
        nearest = distances(colours, centres).argmin(axis=0)
        for k in np.unique(nearest):
            centres[k] = colours[nearest == k].mean(axis=0)
    return centres


def distances(colours: Field, centres: Field) -> Field:
    """Return the squared distances [K, ...] between centres [K, 3] and colours [..., 3]."""
    return np.stack([np.einsum("...c, ...c", colours - centre, colours - centre) for centre in centres])


def outlines(light: Field) -> NDArray[np.bool_]:
    """Return where luminance [H, W] in [0, 1] is darker than its surroundings: [H, W]."""
    fine, coarse = blurred(light, 2), blurred(light, 2 * 1.6)
    return np.asarray(fine - coarse < -0.009)
