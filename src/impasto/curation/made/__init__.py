"""Made data: the second domain of the papers' tasks, computed from the first.

Each kind is a frozen options class with one method, `make`. It turns a picture into a picture of the same size.
"""

from impasto.curation.made.grey import Grey
from impasto.curation.made.kind import Kind, Made
from impasto.curation.made.mask import Mask
from impasto.curation.made.semantic import Semantic
from impasto.curation.made.voxel import Voxel

__all__ = ["Grey", "Kind", "Made", "Mask", "Semantic", "Voxel"]
