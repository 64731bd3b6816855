"""Made data: the second domain of the papers' tasks, computed from the first.

Each kind is a frozen model of settings with one method, `make`: picture in, picture of the same size out.
"""

from impasto.curation.made.grey import Grey
from impasto.curation.made.kind import Kind, Made
from impasto.curation.made.mask import Mask
from impasto.curation.made.semantic import Semantic
from impasto.curation.made.voxel import Voxel

__all__ = ["Grey", "Kind", "Made", "Mask", "Semantic", "Voxel"]
