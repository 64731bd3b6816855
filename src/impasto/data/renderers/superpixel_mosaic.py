"""Mosaic: stones of one colour each, in dark grout.

The stones are SLIC superpixels (Achanta et al. 2012), so they follow the edges of the photo.
"""

import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt

from impasto.data.renderers.canvas import Picture, shrunk, smooth_noise, to_picture

GROUT = np.array([0.13, 0.11, 0.10])
GROUT_PIXELS = 1.8
STONE_PIXELS = 10
STONE_LIFT = 0.10  # compensates for the dark grout, and separates black stones from it
SUPERSAMPLING = 2


def mosaic(photo: Picture, seed: int) -> Picture:
    """Build a photo [H, W, 3] from stones of mean colour, each randomly a little lighter or darker."""
    from skimage.segmentation import find_boundaries, slic

    rng = np.random.default_rng(seed)
    height, width = photo.shape[:2]
    size = (width * SUPERSAMPLING, height * SUPERSAMPLING)
    large = np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BICUBIC))
    count = height * width // STONE_PIXELS**2
    uneven = large + 6 * smooth_noise(large.shape, 6, rng)  # otherwise even areas become a square grid
    stones = slic(np.clip(uneven, 0, 255) / 255, n_segments=count, compactness=12, sigma=SUPERSAMPLING, start_label=0)
    sizes = np.bincount(stones.ravel())
    means = np.stack([np.bincount(stones.ravel(), channel.ravel()) / sizes for channel in np.moveaxis(large, -1, 0)])
    colours = np.clip(means.T / 255 + STONE_LIFT + 0.03 * rng.standard_normal((len(sizes), 1)), 0, 1)
    to_edge = distance_transform_edt(~find_boundaries(stones, mode="thick")) + 0.5
    grout = to_edge[..., None] < GROUT_PIXELS * SUPERSAMPLING / 2
    return to_picture(shrunk(np.where(grout, GROUT, colours[stones]), SUPERSAMPLING))
