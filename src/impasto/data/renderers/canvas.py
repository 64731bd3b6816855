"""Functions that the renderers share: luma, blur, noise and conversion to bytes."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Picture = NDArray[np.uint8]  # [H, W, 3]
Field = NDArray[np.float64]  # [H, W], or [H, W, 3] for colour
Renderer = Callable[[Picture, int], Picture]  # (photo, seed) -> painting of the same size


def luminance(colours: Field) -> Field:
    """Return the Rec. 601 luma [...] of colours [..., 3], in the same range."""
    return np.asarray(colours[..., 0] * 0.299 + colours[..., 1] * 0.587 + colours[..., 2] * 0.114)


def blurred(field: Field, sigma_pixels: float) -> Field:
    """Blur [H, W] or [H, W, C] with a Gaussian over height and width."""
    return np.asarray(gaussian_filter(field, sigma_pixels, axes=(0, 1)))


def smooth_noise(shape: tuple[int, ...], sigma_pixels: float, rng: np.random.Generator) -> Field:
    """Return blurred white noise of a shape [H, W] or [H, W, C], with mean 0 and standard deviation 1."""
    noise = blurred(rng.standard_normal(shape), sigma_pixels)
    return np.asarray((noise - noise.mean()) / noise.std())


def to_picture(colours: Field) -> Picture:
    """Return colours [..., 3], clipped to [0, 1], as bytes."""
    return np.round(np.clip(colours, 0, 1) * 255).astype(np.uint8)


def shrunk(colours: Field, factor: int) -> Field:
    """Average boxes of factor x factor pixels: [factor * H, factor * W, C] to [H, W, C]."""
    height, width, channels = colours.shape
    boxes = colours.reshape(height // factor, factor, width // factor, factor, channels)
    return np.asarray(boxes.mean(axis=(1, 3)))
