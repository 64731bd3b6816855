"""Semantic maps: pictures reduced to four colours.

Tucker 2022, "Using GANs to Produce Art in a Particular Style from Semantic Maps", section 5
(docs/methods/paired-translation.md#a1 and docs/methods/paired-translation.md#a2). The text quantises and then blurs,
but claims four colours. The author's code blurs first, as is the default here. It uses the quantiser of an image
library; ours is the k-means of the text. The blur of 4 pixels is for pictures of 512 pixels.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from pydantic import Field
from sklearn.cluster import KMeans

from impasto.curation.made.kind import Kind, Made
from impasto.curation.made.noise import Palette, add_noise
from impasto.data.renderers.canvas import Picture

Codes = NDArray[np.int32]
"""Colours as red * 65536 + green * 256 + blue."""


class Semantic(Kind):
    """A map of few colours, with or without noise."""

    kind: Literal["semantic"] = "semantic"
    colours: int = Field(4, ge=2, le=256)
    blur: Literal["before", "after", "after-raw", "none"] = "before"
    """When to blur. before: before the colours are reduced. after: afterwards; each pixel then takes the nearest of the
    few colours. after-raw: afterwards, which makes many colours (the paper to the letter). none: never."""
    blur_pixels: float = Field(4.0, gt=0)
    """Standard deviation of the Gaussian."""
    quantiser: Literal["k-means", "pillow"] = "k-means"
    """pillow: as the author's code, maximum coverage and 4 rounds of k-means."""
    noise: float = Field(0.0, ge=0, le=1)
    """Share of the pixels of a picture that become noise. Published: 0.25."""
    noisy_images: float = Field(1.0, ge=0, le=1)
    """Share of the pictures that get noise."""
    palette: Palette = "uniform"

    def make(self, picture: Picture, seed: int) -> Made:
        """Reduce the colours, then add the noise. The map without noise does not depend on the noise."""
        reduced = semantic_map(picture, self, seed)
        if self.noise == 0:
            return Made(reduced)
        rng = np.random.default_rng(seed)
        if rng.random() >= self.noisy_images:
            return Made(reduced, "without noise")
        return Made(add_noise(reduced, self.noise, self.palette, rng), "with noise")


def semantic_map(picture: Picture, options: Semantic, seed: int) -> Picture:
    """Return a picture [H, W, 3] with at most `options.colours` colours (more with the blur `after-raw`)."""
    if options.blur == "before":
        picture = blurred(picture, options.blur_pixels)
    few = quantised(picture, options.colours, options.quantiser, seed)
    if options.blur in ("before", "none"):
        return few
    soft = blurred(few, options.blur_pixels)
    return soft if options.blur == "after-raw" else nearest(soft, as_colours(np.unique(as_codes(few))))


def blurred(picture: Picture, sigma_pixels: float) -> Picture:
    """Blur a picture with a Gaussian. Pillow approximates it by boxes."""
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(sigma_pixels)))


def quantised(picture: Picture, colours: int, quantiser: Literal["k-means", "pillow"], seed: int) -> Picture:
    """Return a picture with at most this many colours."""
    if quantiser == "k-means":
        return k_means(picture, colours, seed)
    few = Image.fromarray(picture).quantize(
        colours, method=Image.Quantize.MAXCOVERAGE, kmeans=4, dither=Image.Dither.NONE
    )
    return np.asarray(few.convert("RGB"))


def k_means(picture: Picture, colours: int, seed: int) -> Picture:
    """Replace every pixel by the centroid of its k-means cluster in RGB, rounded to bytes.

    k-means++ start, at most 100 iterations. It runs over the distinct colours, weighted by their number of pixels. That
    gives the same clusters as all pixels, several times faster and in limited memory.
    """
    codes = as_codes(picture)
    distinct, pixels = np.unique(codes, return_counts=True)
    if len(distinct) <= colours:
        return picture.copy()
    values = as_colours(distinct).astype(np.float64)
    cluster = KMeans(colours, init="k-means++", n_init=1, max_iter=100, random_state=seed % 2**32).fit_predict(
        values, sample_weight=pixels
    )
    sums = np.stack([np.bincount(cluster, pixels * channel, colours) for channel in values.T], axis=1)
    members = np.bincount(cluster, pixels, colours)
    centroids = np.round(sums / np.maximum(members, 1)[:, None]).astype(np.uint8)
    return recoloured(codes, distinct, centroids[cluster])


def nearest(picture: Picture, palette: Picture) -> Picture:
    """Replace every pixel by the nearest colour of a palette [K, 3], by Euclidean distance in RGB."""
    codes = as_codes(picture)
    distinct = np.unique(codes)
    away = as_colours(distinct).astype(np.int32)[:, None] - palette.astype(np.int32)
    return recoloured(codes, distinct, palette[np.square(away).sum(axis=-1).argmin(axis=-1)])


def recoloured(codes: Codes, distinct: Codes, colours: Picture) -> Picture:
    """Map the codes [H, W] of pixels to colours [U, 3], where `distinct` [U] lists the codes of these colours."""
    table = np.empty((1 << 24, 3), np.uint8)  # only the used rows are written
    table[distinct] = colours
    return np.asarray(table[codes])


def as_codes(picture: Picture) -> Codes:
    """Return colours [..., 3] as codes [...]."""
    wide = picture.astype(np.int32)
    return np.asarray(wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2])


def as_colours(codes: Codes) -> Picture:
    """Return codes [...] as colours [..., 3]."""
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1).astype(np.uint8)
