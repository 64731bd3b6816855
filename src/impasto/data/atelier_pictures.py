"""The collection atelier: seven photos from scikit-image and scikit-learn, each painted in five styles.

It needs no download. The photos are in the installed packages. The paintings are rendered from them on first use and
cached. Two photos, and all paintings of them, are held out as test pictures.

Sources: astronaut (NASA) and rocket (SpaceX) are in the public domain; chelsea (Stefan van der Walt), coffee
(Rachel Michetti) and camera (Lav Varshney) are CC0; china (danielbuechele) and flower (vultilion) are CC BY 2.0.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import numpy as np
from PIL import Image

from impasto.data.renderers import STYLES, Picture
from impasto.errors import DataError
from impasto.files import made_once

ATELIER_VERSION = 1  # increase it when a renderer paints differently, so no cache mixes old and new pictures
SHORT_SIDE_PIXELS = 256
SOURCES = {  # name -> package and file; the position of a name is also the seed of its paintings
    "astronaut": ("skimage", "data/astronaut.png"),
    "camera": ("skimage", "data/camera.png"),
    "chelsea": ("skimage", "data/chelsea.png"),
    "china": ("sklearn", "datasets/images/china.jpg"),
    "coffee": ("skimage", "data/coffee.png"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
    "rocket": ("skimage", "data/rocket.jpg"),
}
TEST_NAMES = ("china", "coffee")  # one outdoors with much detail, one indoors, close and smooth


def atelier_folder(cache: Path | None = None, progress: Callable[[int, int], None] | None = None) -> Path:
    """Return the folder of the collection. Render it first if it is not in the cache.

    It holds `photos/<name>.png`, `<style>/<name>.png` for each of STYLES, and `split.csv`, whose paths are relative to
    the folder. The cache is `$IMPASTO_CACHE`, else `$XDG_CACHE_HOME/impasto`, else `~/.cache/impasto`. `progress` is
    called with (pictures done, all pictures). Raises DataError if the cache cannot be written.
    """

    def write(draft: Path) -> None:
        write_pictures(draft, progress)
        write_split(draft)

    return made_once(f"atelier-v{ATELIER_VERSION}", "split.csv", write, cache)


def write_pictures(folder: Path, progress: Callable[[int, int], None] | None) -> None:
    """Write every photo and every painting into an empty folder."""
    kinds = ("photos", *STYLES)
    for kind in kinds:
        (folder / kind).mkdir()
    total = len(SOURCES) * len(kinds)
    for place, name in enumerate(SOURCES):
        photo = source_photo(name)
        for number, kind in enumerate(kinds, start=1):
            picture = photo if kind == "photos" else STYLES[kind](photo, place)
            Image.fromarray(picture).save(folder / kind / f"{name}.png")
            if progress:
                progress(place * len(kinds) + number, total)


def write_split(folder: Path) -> None:
    """Write split.csv, which assigns each picture to train or test."""
    rows = [
        f"{kind}/{name}.png,{'test' if name in TEST_NAMES else 'train'}"
        for kind in ("photos", *STYLES)
        for name in SOURCES
    ]
    (folder / "split.csv").write_text("\n".join(["path,split", *rows, ""]), encoding="utf-8")


def source_photo(name: str) -> Picture:
    """Read a photo [H, W, 3] from its installed package and resize its short side to 256 pixels."""
    package, path = SOURCES[name]
    try:
        with (files(package) / path).open("rb") as file, Image.open(file) as image:
            scale = SHORT_SIDE_PIXELS / min(image.size)
            size = (round(image.width * scale), round(image.height * scale))
            return np.asarray(image.convert("RGB").resize(size, Image.Resampling.LANCZOS))
    except FileNotFoundError as error:
        raise DataError(
            f"the installed {package} lacks {path}, a photo of the collection atelier; "
            "reinstall it with `pip install --force-reinstall scikit-image scikit-learn`"
        ) from error
