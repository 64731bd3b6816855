"""Voxels: a picture built of blocks, the second domain of the voxel task.

Park, Ye and Flaherty 2023, "Cycle GANs and Style Transfer", slides "Voxel Rendering" (spec sheet 03, data). Their
pictures are of a cube-based game. Here every cell of a grid becomes the face of a block of one of a few
materials: k-means colours in CIELAB, a little purer than the picture's, with a grain of large texels, bevelled edges,
and a lit top and a shaded right side wherever the neighbour is of another material. Nothing is known of the scene's
depth: the blocks are a look, not a model of the place.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from skimage.color import lab2rgb, rgb2lab
from sklearn.cluster import KMeans

from impasto.curation.made.kind import Kind, Made
from impasto.data.renderers.canvas import Picture

Light = NDArray[np.float32]
"""[rows, block, columns, block], by which a block's colour is multiplied."""
Materials = NDArray[np.intp]
"""Which material each block is of, [rows, columns]."""
Colours = NDArray[np.float64]

VIVIDNESS = np.array([1.0, 1.25, 1.25])  # gains of L, a, b: a game's materials are purer than a photo's
TEXELS = 4  # along a block's side
VARIANTS = 4  # patterns of texels for each material
GRAIN, UNEVENNESS = 0.055, 0.02  # strength of texels, and of whole blocks, relative to the colour
EDGE_TOP, EDGE_LEFT, EDGE_BOTTOM, EDGE_RIGHT = 1.10, 1.05, 0.88, 0.92  # light on the rims of a block
STEP_TOP, STEP_RIGHT = 1.22, 0.80  # light on the top and the right side of a step


class Voxel(Kind):
    """A picture of blocks."""

    kind: Literal["voxel"] = "voxel"
    block: int = Field(12, ge=4, le=256)
    """Side of a block, pixels."""
    materials: int = Field(16, ge=2, le=256)
    """Colours of blocks in a picture."""

    def make(self, picture: Picture, seed: int) -> Made:
        """Build the picture of blocks."""
        return Made(voxels(picture, self.block, self.materials, seed))


def voxels(picture: Picture, block: int, materials: int, seed: int) -> Picture:
    """Build a picture [H, W, 3] of blocks of so many pixels; those at the right and bottom rim may be cut."""
    height, width = picture.shape[:2]
    material, colours = materials_of(cell_means(picture, block), materials, seed)
    light = grain(material, block, np.random.default_rng(seed))
    light *= relief(material, block)
    rows, columns = material.shape
    tones = 255 * colours[material].astype(np.float32)
    shaded = np.empty((*light.shape, 3), np.uint8)
    for channel, of_blocks in enumerate(np.moveaxis(tones, -1, 0)):
        shaded[..., channel] = np.round(np.clip(of_blocks[:, None, :, None] * light, 0, 255))
    return shaded.reshape(rows * block, columns * block, 3)[:height, :width]


def cell_means(picture: Picture, block: int) -> Colours:
    """Return the mean colours [rows, columns, 3] in [0, 1] of the cells of a grid; rims are filled by their edge."""
    height, width = picture.shape[:2]
    filled = np.pad(picture, ((0, -height % block), (0, -width % block), (0, 0)), mode="edge")
    cells = filled.reshape(filled.shape[0] // block, block, filled.shape[1] // block, block, 3)
    return np.asarray(cells.mean(axis=(1, 3)) / 255)


def materials_of(cells: Colours, count: int, seed: int) -> tuple[Materials, Colours]:
    """Return each cell's material [rows, columns], and the materials' colours [at most count, 3] in [0, 1]."""
    lab = rgb2lab(cells).reshape(-1, 3)
    distinct, which = np.unique(lab, axis=0, return_inverse=True)
    centres, which = (distinct, which.ravel()) if len(distinct) <= count else _clustered(lab, count, seed)
    return which.reshape(cells.shape[:2]), np.asarray(lab2rgb(centres * VIVIDNESS))


def _clustered(lab: Colours, count: int, seed: int) -> tuple[Colours, NDArray[np.intp]]:
    fitted = KMeans(count, n_init=1, random_state=seed % 2**32).fit(lab)
    return fitted.cluster_centers_, fitted.labels_


def grain(material: Materials, block: int, rng: np.random.Generator) -> Light:
    """Return light around 1: each block shows one of its material's few patterns."""
    patterns = rng.integers(-2, 3, (material.max() + 1, VARIANTS, TEXELS, TEXELS)).astype(np.float32) / 2
    chosen = patterns[material, rng.integers(VARIANTS, size=material.shape)]  # [rows, columns, TEXELS, TEXELS]
    uneven = UNEVENNESS * rng.standard_normal((*material.shape, 1, 1), dtype=np.float32)
    texel = np.arange(block) * TEXELS // block
    return np.asarray(1 + (GRAIN * chosen + uneven)[:, :, texel][..., texel].transpose(0, 2, 1, 3))


def relief(material: Materials, block: int) -> Light:
    """Return light: bevelled rims, and steps where the material above or right differs."""
    rows, columns = material.shape
    light = np.ones((rows, block, columns, block), np.float32)
    rim, step = max(1, block // 10), max(1, block // 5)
    light[:, :rim] *= EDGE_TOP
    light[..., :rim] *= EDGE_LEFT
    light[:, -rim:] *= EDGE_BOTTOM
    light[..., -rim:] *= EDGE_RIGHT
    top = np.diff(material, axis=0, prepend=material[:1]) != 0
    right = np.diff(material, axis=1, append=material[:, -1:]) != 0
    light[:, :step] *= np.where(top, STEP_TOP, 1)[:, None, :, None]
    light[..., -step:] *= np.where(right, STEP_RIGHT, 1)[:, None, :, None]
    return light
