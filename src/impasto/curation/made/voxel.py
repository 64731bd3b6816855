"""Voxels: a picture built of blocks, the second domain of the voxel task.

Park, Ye and Flaherty 2023, "Cycle GANs and Style Transfer", slides "Voxel Rendering"
(docs/methods/unpaired-translation.md, "Data"). Their pictures come from a cube-based game. Here every cell of a grid
becomes the face of a block of one of a few materials: k-means colours in CIELAB, a little purer than in the picture,
with a grain of large texels and bevelled edges. Where the neighbour has another material, the top is lit and the right
side is shaded. The depth of the scene is unknown: the blocks are a style, not a model of the scene.
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
"""[rows, block, columns, block]: factors on the colour of a block."""
Materials = NDArray[np.intp]
"""The material of each block, [rows, columns]."""
Colours = NDArray[np.float64]

VIVIDNESS = np.array([1.0, 1.25, 1.25])  # gains of L, a, b: the materials of a game are purer than a photo
TEXELS = 4  # along the side of a block
VARIANTS = 4  # patterns of texels for each material
GRAIN, UNEVENNESS = 0.055, 0.02  # strength of the variation of texels and of blocks, relative to the colour
EDGE_TOP, EDGE_LEFT, EDGE_BOTTOM, EDGE_RIGHT = 1.10, 1.05, 0.88, 0.92  # light on the edges of a block
STEP_TOP, STEP_RIGHT = 1.22, 0.80  # light on the top and the right side of a step


class Voxel(Kind):
    """A picture of blocks."""

    kind: Literal["voxel"] = "voxel"
    block: int = Field(12, ge=4, le=256)
    """Side of a block, pixels."""
    materials: int = Field(16, ge=2, le=256)
    """Number of colours of blocks in a picture."""

    def make(self, picture: Picture, seed: int) -> Made:
        """Build the picture of blocks."""
        return Made(voxels(picture, self.block, self.materials, seed))


def voxels(picture: Picture, block: int, materials: int, seed: int) -> Picture:
    """Build a picture [H, W, 3] of blocks with a side of `block` pixels. The last blocks can be cut off."""
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
    """Return the mean colours [rows, columns, 3] in [0, 1] of the cells of a grid, with padded borders."""
    height, width = picture.shape[:2]
    filled = np.pad(picture, ((0, -height % block), (0, -width % block), (0, 0)), mode="edge")
    cells = filled.reshape(filled.shape[0] // block, block, filled.shape[1] // block, block, 3)
    return np.asarray(cells.mean(axis=(1, 3)) / 255)


def materials_of(cells: Colours, count: int, seed: int) -> tuple[Materials, Colours]:
    """Return the material of each cell [rows, columns], and the colours of the materials [<= count, 3] in [0, 1]."""
    lab = rgb2lab(cells).reshape(-1, 3)
    distinct, which = np.unique(lab, axis=0, return_inverse=True)
    centres, which = (distinct, which.ravel()) if len(distinct) <= count else _clustered(lab, count, seed)
    return which.reshape(cells.shape[:2]), np.asarray(lab2rgb(centres * VIVIDNESS))


def _clustered(lab: Colours, count: int, seed: int) -> tuple[Colours, NDArray[np.intp]]:
    fitted = KMeans(count, n_init=1, random_state=seed % 2**32).fit(lab)
    return fitted.cluster_centers_, fitted.labels_


def grain(material: Materials, block: int, rng: np.random.Generator) -> Light:
    """Return light around 1: each block has one of a few patterns of its material."""
    patterns = rng.integers(-2, 3, (material.max() + 1, VARIANTS, TEXELS, TEXELS)).astype(np.float32) / 2
    chosen = patterns[material, rng.integers(VARIANTS, size=material.shape)]  # [rows, columns, TEXELS, TEXELS]
    uneven = UNEVENNESS * rng.standard_normal((*material.shape, 1, 1), dtype=np.float32)
    texel = np.arange(block) * TEXELS // block
    return np.asarray(1 + (GRAIN * chosen + uneven)[:, :, texel][..., texel].transpose(0, 2, 1, 3))


def relief(material: Materials, block: int) -> Light:
    """Return light: bevelled edges, and steps where the material above or to the right differs."""
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
